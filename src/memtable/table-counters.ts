/**
 * TableCounters: what a MemTable counts, and how the counts cross threads. The writer keeps them as plain numbers; a
 * publication stores those that changed in the arena's header, together with the tail (arena-layout.ts says how a
 * reader gets all of them of one moment).
 *
 * Format   u32 keys | u32 older versions | u32 tombstones | u32 live bytes | u64 smallest sequence | i64 by how much the
 *          largest one exceeds the number of versions | u32 range tombstones | u32 bytes above the ceiling   (low halves first)
 *          Of these a put of a new key changes two, where sequences follow one another: what does not change is not stored.
 * Threads  add and publish: the writer; read: any
 */

import type { Arena } from './arena.ts'
import * as Layout from './arena-layout.ts'

const TWO_32 = 2 ** 32

export class TableCounters {
  /** Versions of all keys. */
  entries: number
  keys: number
  /** Versions that are tombstones. */
  tombstones: number
  rangeTombstones: number
  /** Keys and their newest values, and the ends of range tombstones. */
  liveBytes: number
  /** 0 while there is nothing, as `largest`. */
  smallest: number
  largest: number
  /** As of the publication that was made or read last: bytes of the arena that are in use. */
  usedBytes: number

  /** @param other to begin with its numbers; by default, with none */
  constructor(other?: TableCounters) {
    this.entries = other?.entries ?? 0
    this.keys = other?.keys ?? 0
    this.tombstones = other?.tombstones ?? 0
    this.rangeTombstones = other?.rangeTombstones ?? 0
    this.liveBytes = other?.liveBytes ?? 0
    this.smallest = other?.smallest ?? 0
    this.largest = other?.largest ?? 0
    this.usedBytes = other?.usedBytes ?? 0
  }

  /**
   * Count a new version.
   * @param liveBytesChange by how many bytes keys and newest values grew, or shrank
   */
  add(sequence: number, isNewKey: boolean, isTombstone: boolean, liveBytesChange: number): void {
    this.#include(sequence)
    this.entries++
    if (isNewKey) this.keys++
    if (isTombstone) this.tombstones++
    this.liveBytes += liveBytesChange
  }

  /** Count a new range tombstone, whose start and end have `bytes` together. */
  addRange(sequence: number, bytes: number): void {
    this.#include(sequence)
    this.rangeTombstones++
    this.liveBytes += bytes
  }

  /** Publish everything below the arena's tail, and these numbers with it. */
  publish(arena: Arena): void {
    const { words, tail } = arena
    if (words[Layout.TAIL] === tail) return
    const slot = words[Layout.SLOT_A] === words[Layout.TAIL] ? Layout.SLOT_B : Layout.SLOT_A
    // Whoever meets a number that is stored from here on knows of this one, too, and that the slot is being filled.
    words[slot] = tail
    const gap = this.largest - this.entries
    const above = arena.end - arena.ceiling
    this.usedBytes = tail - Layout.HEADER_BYTES + above
    storeIfChanged(arena, slot + 1, this.keys)
    storeIfChanged(arena, slot + 2, this.entries - this.keys)
    storeIfChanged(arena, slot + 3, this.tombstones)
    storeIfChanged(arena, slot + 4, this.liveBytes)
    storeIfChanged(arena, slot + 5, this.smallest)
    storeIfChanged(arena, slot + 6, Math.floor(this.smallest / TWO_32))
    storeIfChanged(arena, slot + 7, gap)
    storeIfChanged(arena, slot + 8, Math.floor(gap / TWO_32))
    storeIfChanged(arena, slot + 9, this.rangeTombstones)
    storeIfChanged(arena, slot + Layout.ABOVE, above)
    arena.copier.endBatch()
    arena.storeWord(Layout.TAIL, tail)
  }

  /** Take over the numbers of the newest publication. */
  read(arena: Arena): void {
    const { words } = arena
    for (;;) {
      const tail = arena.watermark()
      const slot = Atomics.load(words, Layout.SLOT_A) === tail ? Layout.SLOT_A : Layout.SLOT_B
      if (Atomics.load(words, slot) !== tail) continue
      this.keys = load(words, slot + 1)
      this.entries = this.keys + load(words, slot + 2)
      this.tombstones = load(words, slot + 3)
      this.liveBytes = load(words, slot + 4)
      this.smallest = load(words, slot + 5) + load(words, slot + 6) * TWO_32
      this.largest = load(words, slot + 7) + (load(words, slot + 8) | 0) * TWO_32 + this.entries
      this.rangeTombstones = load(words, slot + 9)
      this.usedBytes = tail - Layout.HEADER_BYTES + load(words, slot + Layout.ABOVE)
      if (Atomics.load(words, slot) === tail) return
    }
  }

  #include(sequence: number): void {
    if (this.entries + this.rangeTombstones === 0 || sequence < this.smallest) this.smallest = sequence
    if (sequence > this.largest) this.largest = sequence
  }
}

/** Store the low half of a number. The writer's own plain load is exact: nobody else stores. */
function storeIfChanged(arena: Arena, index: number, value: number): void {
  const word = value | 0
  if (arena.words[index] !== word) arena.storeWord(index, word)
}

function load(words: Int32Array<ArrayBufferLike>, index: number): number {
  return Atomics.load(words, index) >>> 0
}

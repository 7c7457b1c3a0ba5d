/**
 * TableCounters: what a MemTable counts, and how the counts cross threads. The writer keeps them as plain numbers; a
 * publication stores those that changed in the arena's header, together with the tail (arena-layout.ts says how a
 * reader gets all of them of one moment).
 *
 * Format   u32 entries | u32 keys | u32 tombstones | u32 live bytes | u64 smallest | u64 largest sequence, low half first
 * Threads  add and publish: the writer; read: any
 */

import type { Arena } from './arena.ts'
import * as Layout from './arena-layout.ts'

const TWO_32 = 2 ** 32
/** A writer needs well under a microsecond to publish; one that died half-way must not hang its readers. */
const READ_ATTEMPTS = 10_000

export class TableCounters {
  /** Versions of all keys. */
  entries: number
  keys: number
  /** Versions that are tombstones. */
  tombstones: number
  /** Keys and their newest values. */
  liveBytes: number
  /** 0 while there are no entries, as `largest`. */
  smallest: number
  largest: number

  constructor() {
    this.entries = 0
    this.keys = 0
    this.tombstones = 0
    this.liveBytes = 0
    this.smallest = 0
    this.largest = 0
  }

  /**
   * Count a new version.
   * @param liveBytesChange by how many bytes keys and newest values grew, or shrank
   */
  add(sequence: number, isNewKey: boolean, isTombstone: boolean, liveBytesChange: number): void {
    if (this.entries === 0 || sequence < this.smallest) this.smallest = sequence
    if (sequence > this.largest) this.largest = sequence
    this.entries++
    if (isNewKey) this.keys++
    if (isTombstone) this.tombstones++
    this.liveBytes += liveBytesChange
  }

  /** Publish everything below the arena's tail, and these numbers with it. */
  publish(arena: Arena): void {
    const { words, tail } = arena
    if (words[Layout.TAIL] === tail) return
    Atomics.store(words, Layout.PENDING_TAIL, tail)
    storeIfChanged(words, Layout.COUNTERS, this.entries)
    storeIfChanged(words, Layout.COUNTERS + 1, this.keys)
    storeIfChanged(words, Layout.COUNTERS + 2, this.tombstones)
    storeIfChanged(words, Layout.COUNTERS + 3, this.liveBytes)
    storeIfChanged(words, Layout.COUNTERS + 4, this.smallest % TWO_32)
    storeIfChanged(words, Layout.COUNTERS + 5, Math.floor(this.smallest / TWO_32))
    storeIfChanged(words, Layout.COUNTERS + 6, this.largest % TWO_32)
    storeIfChanged(words, Layout.COUNTERS + 7, Math.floor(this.largest / TWO_32))
    Atomics.store(words, Layout.TAIL, tail)
  }

  /**
   * Take over the numbers of the newest publication.
   * @returns the watermark that they belong to
   */
  read(arena: Arena): number {
    const { words } = arena
    for (let attempt = 1; ; attempt++) {
      const tail = arena.watermark()
      this.entries = load(words, Layout.COUNTERS)
      this.keys = load(words, Layout.COUNTERS + 1)
      this.tombstones = load(words, Layout.COUNTERS + 2)
      this.liveBytes = load(words, Layout.COUNTERS + 3)
      this.smallest = load(words, Layout.COUNTERS + 4) + load(words, Layout.COUNTERS + 5) * TWO_32
      this.largest = load(words, Layout.COUNTERS + 6) + load(words, Layout.COUNTERS + 7) * TWO_32
      if (Atomics.load(words, Layout.PENDING_TAIL) === tail || attempt === READ_ATTEMPTS) return tail
    }
  }
}

/** The writer's own plain load is exact: nobody else stores. */
function storeIfChanged(words: Int32Array<ArrayBufferLike>, index: number, value: number): void {
  const word = value | 0
  if (words[index] !== word) Atomics.store(words, index, word)
}

function load(words: Int32Array<ArrayBufferLike>, index: number): number {
  return Atomics.load(words, index) >>> 0
}

/**
 * BlockCache: verified blocks of many tables, by (file number, offset), the least recently used leaving first when a
 * byte budget is spent. Blocks are memory like any other: one that leaves lives on as long as somebody reads it.
 *
 * Structure  a map of maps, so that a hit makes no key; the blocks are linked in a ring in order of use, newest first.
 * Threads    belongs to one thread, and to one database: file numbers are not unique across databases
 */
import type { FileNumber } from '../base/types.ts'
import { type Block, EMPTY_BLOCK } from '../table/block.ts'
import type { BlockStore } from '../table/block-store.ts'

/** What a block takes beside its bytes: its objects and its places in the maps (measured: about this much). */
const OVERHEAD_BYTES = 256

interface Slot {
  readonly block: Block
  readonly file: FileNumber
  readonly offset: number
  readonly bytes: number
  newer: Slot
  older: Slot
}

export class BlockCache implements BlockStore {
  readonly bytesMax: number
  /** Bytes of the blocks kept, overhead included; never above bytesMax. */
  bytes: number
  hits: number
  misses: number

  readonly #files: Map<FileNumber, Map<number, Slot>>
  /** The ring's anchor: its `older` is the newest slot, its `newer` the oldest. */
  readonly #ring: Slot

  /** @param bytesMax 0 keeps nothing */
  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
    this.bytes = 0
    this.hits = 0
    this.misses = 0
    this.#files = new Map()
    this.#ring = makeAnchor()
  }

  get(file: FileNumber, offset: number): Block | undefined {
    const slot = this.#files.get(file)?.get(offset)
    if (slot === undefined) {
      this.misses++
      return undefined
    }
    this.hits++
    if (slot !== this.#ring.older) {
      unlink(slot)
      this.#linkNewest(slot)
    }
    return slot.block
  }

  /** Keep a block, in place of the one that was there; a block larger than the whole budget is not kept. */
  put(file: FileNumber, offset: number, block: Block): void {
    this.#remove(this.#files.get(file)?.get(offset))
    const bytes = block.bytes.length + OVERHEAD_BYTES
    if (bytes > this.bytesMax) return
    while (this.bytes + bytes > this.bytesMax) this.#remove(this.#ring.newer)
    const { older } = this.#ring
    const slot: Slot = { block, file, offset, bytes, newer: this.#ring, older }
    this.#linkNewest(slot)
    this.bytes += bytes
    let slots = this.#files.get(file)
    if (slots === undefined) {
      slots = new Map()
      this.#files.set(file, slots)
    }
    slots.set(offset, slot)
  }

  /** Forget all blocks of a file, which is gone. */
  evictFile(file: FileNumber): void {
    const slots = this.#files.get(file)
    if (slots === undefined) return
    for (const slot of slots.values()) this.#remove(slot)
  }

  #remove(slot: Slot | undefined): void {
    if (slot === undefined) return
    unlink(slot)
    this.bytes -= slot.bytes
    const slots = this.#files.get(slot.file)
    slots?.delete(slot.offset)
    if (slots?.size === 0) this.#files.delete(slot.file)
  }

  #linkNewest(slot: Slot): void {
    const anchor = this.#ring
    slot.newer = anchor
    slot.older = anchor.older
    anchor.older.newer = slot
    anchor.older = slot
  }
}

function makeAnchor(): Slot {
  const anchor = { block: EMPTY_BLOCK, file: 0 as FileNumber, offset: 0, bytes: 0 } as Slot
  anchor.newer = anchor
  anchor.older = anchor
  return anchor
}

function unlink(slot: Slot): void {
  slot.newer.older = slot.older
  slot.older.newer = slot.newer
}

/**
 * BlockCache: verified blocks of a database's tables, by (file number, offset), within a byte budget. Indexes and filters are
 * no blocks here: they come and go with their tables (table-cache.ts).
 *
 * Order      Two rings. A block comes in on probation; a lookup that finds it there again, after another block came in,
 *            moves it to the protected ones, which take at most four fifths of the budget: the oldest of them that was not
 *            used since it was last looked at goes back on probation. Whoever leaves for want of room is the oldest on
 *            probation. Blocks that are read once, by a scan or by chance, thus drive out one another and not what is read
 *            again and again; a scan's hits change nothing, and a protected block's hit sets one flag, in the block, of which
 *            the next one sees that there is nothing to do.
 * Directories  A block that a lookup has found again gets one (table/block-directory.ts), which counts as part of it: what is
 *            read once pays nothing.
 * Invariants (1) bytes ≤ bytesMax
 *            (2) a slot is in exactly one ring and in the map, and its block in no other slot, and on at most one shelf
 *            (3) a block on a shelf is in a slot
 * A block that leaves lives on as long as somebody holds it; its memory is then used again (table/block-memory.ts). A hit
 * allocates nothing.
 * Threads    belongs to one thread, and to one database: file numbers are not unique across databases
 * Source     segmented LRU: Karedla, Love, Wherry, Caching Strategies to Improve Disk System Performance (1994)
 */
import { bytewiseComparator, type Comparator } from '../base/comparator.ts'
import type { FileNumber } from '../base/types.ts'
import { type Block, EMPTY_BLOCK } from '../table/block.ts'
import { BlockDirectories } from '../table/block-directory.ts'
import { BlockMemory } from '../table/block-memory.ts'
import type { BlockStore, Shelf } from '../table/block-store.ts'

/** What a block takes beside its bytes: its objects and its places in the maps (measured: about this much). */
const OVERHEAD_BYTES = 256
/** The share of the budget that protected blocks may take. */
const PROTECTED_SHARE = 0.8

/** A place in a ring. Its block's `isUsed`: a protected block was found since it came to its place. */
interface Slot {
  block: Block
  /** Those of its file; it is number `offset` there. */
  slots: Slots
  offset: number
  bytes: number
  isProtected: boolean
  /** Nobody has tried to give the block a directory. */
  isPlain: boolean
  /** Where its table finds it. */
  shelf: Shelf | undefined
  at: number
  newer: Slot
  older: Slot
}

/** By offset. */
type Slots = Map<number, Slot>

export class BlockCache implements BlockStore {
  readonly bytesMax: number
  /** Bytes of the blocks kept, overhead included; never above bytesMax. */
  bytes: number
  hits: number
  misses: number
  /** Where the memory of the blocks is from. */
  readonly memory: BlockMemory

  /** Of every file that had a block here and is not gone. */
  readonly #files: Map<FileNumber, Slots>
  /** Each ring's anchor: its `older` is the newest slot, its `newer` the oldest. */
  readonly #probation: Slot
  readonly #protected: Slot
  #protectedBytes: number
  /** The slot that was emptied last, for the next block: of a thrashing cache they are half of what a miss allocates. */
  #spare: Slot | undefined
  readonly #directories: BlockDirectories | undefined

  /**
   * @param bytesMax 0 keeps nothing
   * @param comparator the order of the keys in the blocks
   */
  constructor(bytesMax: number, comparator: Comparator) {
    this.bytesMax = bytesMax
    this.bytes = 0
    this.hits = 0
    this.misses = 0
    this.memory = new BlockMemory()
    this.#files = new Map()
    this.#probation = makeSlot(EMPTY_BLOCK, new Map(), 0, 0)
    this.#protected = makeSlot(EMPTY_BLOCK, new Map(), 0, 0)
    this.#protectedBytes = 0
    this.#spare = undefined
    this.#directories = comparator === bytewiseComparator ? new BlockDirectories() : undefined
  }

  get(file: FileNumber, offset: number, shelf?: Shelf, at: number = 0): Block | undefined {
    const shelved = shelf?.[at]
    if (shelved?.isUsed) {
      this.hits++
      return shelved
    }
    const slot = this.#find(file, offset, shelf, at)
    if (slot === undefined) {
      this.misses++
      return undefined
    }
    this.hits++
    if (slot.isProtected) slot.block.isUsed = true
    else if (slot !== this.#probation.older) this.#protect(slot)
    return slot.block
  }

  getForScan(file: FileNumber, offset: number, shelf?: Shelf, at: number = 0): Block | undefined {
    const block = shelf?.[at] ?? this.#find(file, offset, shelf, at)?.block
    if (block === undefined) this.misses++
    else this.hits++
    return block
  }

  /** Keep a block, in place of the one that was there; a block larger than the room is not kept. */
  put(file: FileNumber, offset: number, block: Block, shelf?: Shelf, at: number = 0): void {
    const slots = this.#slotsOf(file)
    const known = slots.get(offset)
    if (known !== undefined) this.#remove(known)
    const bytes = block.bytes.buffer.byteLength + OVERHEAD_BYTES
    if (bytes > this.bytesMax) return
    this.#makeRoom(bytes, undefined)
    const ring = this.#probation
    const slot = this.#newSlot(block, slots, offset, bytes)
    linkNewest(ring, slot)
    this.memory.hold(block)
    setOn(shelf, at, slot)
    this.bytes += bytes
    slots.set(offset, slot)
  }

  /** Forget all blocks of a file, which is gone. */
  evictFile(file: FileNumber): void {
    const slots = this.#files.get(file)
    if (slots === undefined) return
    for (const slot of slots.values()) this.#remove(slot)
    this.#files.delete(file)
  }

  #slotsOf(file: FileNumber): Slots {
    const known = this.#files.get(file)
    if (known !== undefined) return known
    const slots: Slots = new Map()
    this.#files.set(file, slots)
    return slots
  }

  /** On no ring yet. */
  #newSlot(block: Block, slots: Slots, offset: number, bytes: number): Slot {
    const spare = this.#spare
    if (spare === undefined) return makeSlot(block, slots, offset, bytes)
    this.#spare = undefined
    spare.block = block
    spare.slots = slots
    spare.offset = offset
    spare.bytes = bytes
    spare.isProtected = false
    spare.isPlain = true
    return spare
  }

  /** Off its table's shelf a block is only if the table was closed and opened again. */
  #find(file: FileNumber, offset: number, shelf: Shelf | undefined, at: number): Slot | undefined {
    const slot = this.#files.get(file)?.get(offset)
    if (slot !== undefined) setOn(shelf, at, slot)
    return slot
  }

  /**
   * Let go of the oldest until there is room for so many bytes.
   * @param keep stays
   * @returns whether there is
   */
  #makeRoom(bytes: number, keep: Slot | undefined): boolean {
    while (this.bytes + bytes > this.bytesMax) {
      const oldest = this.#probation.newer === this.#probation ? this.#protected.newer : this.#probation.newer
      if (oldest === keep) return false
      this.#remove(oldest)
    }
    return true
  }

  #protect(slot: Slot): void {
    unlink(slot)
    linkNewest(this.#protected, slot)
    slot.isProtected = true
    this.#protectedBytes += slot.bytes
    if (slot.isPlain && this.#directories !== undefined) this.#addDirectory(slot, this.#directories)
    const most = this.bytesMax * PROTECTED_SHARE
    while (this.#protectedBytes > most) this.#demote(this.#protected.newer)
  }

  #addDirectory(slot: Slot, directories: BlockDirectories): void {
    slot.isPlain = false
    const plain = slot.block
    const copy = directories.copyWith(plain, this.memory)
    if (copy === undefined) return
    this.memory.hold(copy)
    const more = copy.bytes.length - plain.bytes.buffer.byteLength
    if (!this.#makeRoom(more, slot)) {
      this.memory.release(copy)
      return
    }
    this.memory.release(plain)
    takeOff(slot)
    slot.block = copy
    setOn(slot.shelf, slot.at, slot)
    slot.bytes += more
    this.bytes += more
    this.#protectedBytes += more
  }

  /** The oldest protected block gives up its place: to itself, if it was used. */
  #demote(slot: Slot): void {
    unlink(slot)
    linkNewest(slot.block.isUsed ? this.#protected : this.#probation, slot)
    if (slot.block.isUsed) {
      slot.block.isUsed = false
      return
    }
    slot.isProtected = false
    this.#protectedBytes -= slot.bytes
  }

  #remove(slot: Slot): void {
    unlink(slot)
    takeOff(slot)
    slot.block.isUsed = false
    this.bytes -= slot.bytes
    if (slot.isProtected) this.#protectedBytes -= slot.bytes
    slot.slots.delete(slot.offset)
    this.memory.release(slot.block)
    slot.block = EMPTY_BLOCK
    slot.shelf = undefined
    this.#spare = slot
  }
}

function makeSlot(block: Block, slots: Slots, offset: number, bytes: number): Slot {
  const slot = {
    block,
    slots,
    offset,
    bytes,
    isProtected: false,
    isPlain: true,
    shelf: undefined as Shelf | undefined,
    at: 0,
    newer: undefined as unknown as Slot,
    older: undefined as unknown as Slot,
  }
  slot.newer = slot
  slot.older = slot
  return slot
}

function setOn(shelf: Shelf | undefined, at: number, slot: Slot): void {
  if (shelf === undefined) return
  takeOff(slot)
  slot.shelf = shelf
  slot.at = at
  shelf[at] = slot.block
}

function takeOff(slot: Slot): void {
  if (slot.shelf?.[slot.at] === slot.block) slot.shelf[slot.at] = undefined
}

function linkNewest(anchor: Slot, slot: Slot): void {
  slot.newer = anchor
  slot.older = anchor.older
  anchor.older.newer = slot
  anchor.older = slot
}

function unlink(slot: Slot): void {
  slot.newer.older = slot.older
  slot.older.newer = slot.newer
}

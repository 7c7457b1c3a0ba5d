/**
 * BlockCache: verified blocks of a database's open tables, by their places on the tables' shelves (table/block-store.ts), within a
 * byte budget. Indexes and filters are no blocks here: they come and go with their tables (table-cache.ts).
 *
 * Admission  While there is room, whatever is read is kept; from then on a block that was missed twice of late (recent-misses.ts). What
 *            lookups meet by chance in a large database, and scans in passing, costs the cache nothing and drives out nothing.
 * Order      Two rings. A block comes in on probation; a lookup that finds it there again, after another block came in,
 *            moves it to the protected ones, which take at most four fifths of the budget: the oldest of them that was not
 *            used since it was last looked at goes back on probation. Whoever leaves for want of room is the oldest on
 *            probation. A scan's hits change nothing, and a protected block's hit sets one flag, in the block, of which
 *            the next one sees that there is nothing to do.
 * Directories  A block that a lookup has found again gets one (table/block-directory.ts), which counts as part of it: what is
 *            read once pays nothing.
 * Invariants (1) bytes ≤ bytesMax
 *            (2) a slot is in exactly one ring; its block is on one shelf, and leads to it
 * A block that leaves lives on as long as somebody holds it; its memory is then used again (table/block-memory.ts). A hit
 * allocates nothing.
 * Threads    belongs to one thread, and to one database: file numbers are not unique across databases
 * Source     segmented LRU: Karedla, Love, Wherry, Caching Strategies to Improve Disk System Performance (1994); admission by
 *            recent misses: Johnson, Shasha, 2Q (1994); Einziger, Friedman, Manes, TinyLFU (2017)
 */
import { bytewiseComparator, type Comparator } from '../base/comparator.ts'
import type { FileNumber } from '../base/types.ts'
import { Block, EMPTY_BLOCK } from '../table/block.ts'
import { BlockDirectories } from '../table/block-directory.ts'
import { BlockMemory } from '../table/block-memory.ts'
import type { BlockStore, Shelf } from '../table/block-store.ts'
import { RecentMisses } from './recent-misses.ts'

/** What a block takes on the heap beside its bytes: its array, its buffer, itself and its slot (measured: 409 on Node 20, 416 on 26). */
const OVERHEAD_BYTES = 416
/** The share of the budget that protected blocks may take. */
const PROTECTED_SHARE = 0.8
/** Below this share of the budget there is room again. */
const FULL_SHARE = 0.9
/** As many misses are remembered as there is room for blocks, if they have the usual size. */
const BYTES_A_MISS = 4096
/** Room for directories, as a share of their blocks: at first, for entries of a hundred bytes, and then as much as the last one took, and a little. */
const FIRST_ROOM_SHARE = 1 / 16
const ROOM_FACTOR = 17 / 16

/** A place in a ring. Its block's `isUsed`: a protected block was found since it came to its place. */
interface Slot {
  block: Block
  /** Where its table finds it. */
  shelf: Shelf
  at: number
  bytes: number
  isProtected: boolean
  /** Nobody has tried to give the block a directory. */
  isPlain: boolean
  newer: Slot
  older: Slot
}

const NO_SHELF: Shelf = []

export class BlockCache implements BlockStore {
  readonly bytesMax: number
  /** Bytes of the blocks kept, overhead included; never above bytesMax. */
  bytes: number
  hits: number
  misses: number
  /** Where the memory of the blocks is from. */
  readonly memory: BlockMemory

  /** Each ring's anchor: its `older` is the newest slot, its `newer` the oldest. */
  readonly #probation: Slot
  readonly #protected: Slot
  #protectedBytes: number
  /** There was no room for a block. */
  #isFull: boolean
  /** Made when it is first needed. */
  #recentMisses: RecentMisses | undefined
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
    this.#probation = makeSlot(EMPTY_BLOCK, NO_SHELF, 0, 0)
    this.#protected = makeSlot(EMPTY_BLOCK, NO_SHELF, 0, 0)
    this.#protectedBytes = 0
    this.#isFull = false
    this.#recentMisses = undefined
    this.#spare = undefined
    this.#directories = comparator === bytewiseComparator ? new BlockDirectories() : undefined
    this.memory.directoryShare = this.#directories === undefined ? 0 : FIRST_ROOM_SHARE
  }

  get(shelf: Shelf, at: number): Block | undefined {
    const block = shelf[at]
    if (block === undefined) {
      this.misses++
      return undefined
    }
    this.hits++
    if (block.isUsed) return block
    const slot = slotOf(block)
    if (slot.isProtected) block.isUsed = true
    else if (slot !== this.#probation.older) this.#protect(slot)
    return slot.block
  }

  getForScan(shelf: Shelf, at: number): Block | undefined {
    const block = shelf[at]
    if (block === undefined) this.misses++
    else this.hits++
    return block
  }

  admits(file: FileNumber, at: number): boolean {
    if (!this.#isFull) return true
    this.#recentMisses ??= new RecentMisses(this.bytesMax / BYTES_A_MISS)
    return this.#recentMisses.add(file, at)
  }

  /** Keep a block, in place of the one that was there; a block larger than the room is not kept. */
  put(shelf: Shelf, at: number, block: Block): void {
    const known = shelf[at]
    if (known !== undefined) this.#remove(slotOf(known))
    const bytes = block.bytes.buffer.byteLength + OVERHEAD_BYTES
    if (bytes > this.bytesMax) return
    this.#makeRoom(bytes, undefined)
    const slot = this.#newSlot(block, shelf, at, bytes)
    linkNewest(this.#probation, slot)
    this.memory.hold(block)
    show(slot)
    this.bytes += bytes
  }

  drop(shelf: Shelf): void {
    if (this.bytes === 0) return
    for (const block of shelf) if (block !== undefined) this.#remove(slotOf(block))
    if (this.bytes < this.bytesMax * FULL_SHARE) this.#isFull = false
  }

  /**
   * Forget everything, before all tables are closed: no block on their shelves is asked for any more. In whatever state the rings are, and
   * the memory that waited to be used again.
   */
  clear(): void {
    this.bytes = 0
    this.#protectedBytes = 0
    this.#isFull = false
    this.#spare = undefined
    empty(this.#probation)
    empty(this.#protected)
    this.memory.clear()
  }

  /** On no ring yet. */
  #newSlot(block: Block, shelf: Shelf, at: number, bytes: number): Slot {
    const spare = this.#spare
    if (spare === undefined) return makeSlot(block, shelf, at, bytes)
    this.#spare = undefined
    spare.block = block
    spare.shelf = shelf
    spare.at = at
    spare.bytes = bytes
    spare.isProtected = false
    spare.isPlain = true
    return spare
  }

  /**
   * Let go of the oldest until there is room for so many bytes.
   * @param keep stays
   * @returns whether there is
   */
  #makeRoom(bytes: number, keep: Slot | undefined): boolean {
    while (this.bytes + bytes > this.bytesMax) {
      this.#isFull = true
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
    const { block } = slot
    const bytes = directories.measure(block)
    this.memory.directoryShare = (bytes * ROOM_FACTOR) / block.length
    if (bytes === 0) return
    if (block.length + bytes <= block.bytes.length || this.#move(slot, block.length + bytes))
      directories.write(slot.block)
  }

  /** Give a slot's block longer memory. @returns whether there is room for it */
  #move(slot: Slot, bytes: number): boolean {
    const { memory } = this
    const { block } = slot
    const longer = memory.allocate(bytes)
    const more = longer.buffer.byteLength - block.bytes.buffer.byteLength
    if (!this.#makeRoom(more, slot)) {
      memory.free(longer.buffer)
      return false
    }
    longer.set(block.bytes.subarray(0, block.length))
    slot.block = new Block(longer, block.file, block.offset, block.length, longer.buffer)
    memory.hold(slot.block)
    memory.release(block)
    block.slot = undefined
    show(slot)
    slot.bytes += more
    this.bytes += more
    this.#protectedBytes += more
    return true
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
    const { block, shelf } = slot
    unlink(slot)
    shelf[slot.at] = undefined
    block.slot = undefined
    this.bytes -= slot.bytes
    if (slot.isProtected) this.#protectedBytes -= slot.bytes
    this.memory.release(block)
    slot.block = EMPTY_BLOCK
    slot.shelf = NO_SHELF
    this.#spare = slot
  }
}

function makeSlot(block: Block, shelf: Shelf, at: number, bytes: number): Slot {
  const slot = {
    block,
    shelf,
    at,
    bytes,
    isProtected: false,
    isPlain: true,
    newer: undefined as unknown as Slot,
    older: undefined as unknown as Slot,
  }
  empty(slot)
  return slot
}

/** Of a block that is kept. */
function slotOf(block: Block): Slot {
  return block.slot as Slot
}

/** Put a slot's block on its shelf. */
function show(slot: Slot): void {
  slot.block.slot = slot
  slot.shelf[slot.at] = slot.block
}

function empty(anchor: Slot): void {
  anchor.newer = anchor
  anchor.older = anchor
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

/**
 * SequentialBlocks: the data blocks of one table for one iterator, from the store or from the file. Who takes one block
 * after another, in either direction, is read ahead for: one read for many blocks, of which each is verified when its
 * turn comes.
 *
 * Readahead  begins with the third block in a row that is not in the store, at 32 KiB, and doubles up to 256 KiB: a short
 *            range reads what it needs. A seek elsewhere begins anew. Who says that all is going to be read has 512 KiB
 *            from the first block on. When reading ahead fails, the one block is read by itself: a bad sector that nobody
 *            needs fails nothing.
 * Memory     one window of at most 256 KiB, or 512; blocks larger than that are read by themselves
 * Borrowing  a block is good until the next is asked for, and held until then (block-memory.ts); one that is not kept in the
 *            store may lie in the window
 * Threads    belongs to its table's thread
 */
import { EMPTY } from '../base/bytes.ts'
import type { Codecs, RandomAccessFile } from '../base/environment.ts'
import { IOError } from '../base/errors.ts'
import type { Bytes, FileNumber } from '../base/types.ts'
import { Block, EMPTY_BLOCK } from './block.ts'
import type { BlockMemory } from './block-memory.ts'
import { readDataBlock, verifiedBlock } from './block-reader.ts'
import type { BlockStore, Shelf } from './block-store.ts'
import type { TableIndex } from './table-index.ts'

const FIRST_WINDOW_BYTES = 32 * 1024
const MAX_WINDOW_BYTES = 256 * 1024
/** One read for about 120 blocks: a system call's own cost no longer shows, and 12 inputs of a compaction take 6 MiB. */
const WHOLE_WINDOW_BYTES = 512 * 1024
/** Steps in one direction after which there is reading ahead. */
const STEPS_BEFORE = 2
/** From here, no block is a step away. */
const NOWHERE = -2

export class SequentialBlocks {
  readonly #file: RandomAccessFile
  readonly #codecs: Codecs | undefined
  readonly #number: FileNumber
  readonly #index: TableIndex
  readonly #memory: BlockMemory
  readonly #store: BlockStore | undefined
  readonly #shelf: Shelf
  readonly #readsAll: boolean
  /** Number of the last block asked for; the step that led to it, and how many such steps there were in a row. */
  #at: number
  #step: number
  #steps: number
  /** The block given out last. */
  #block: Block
  /** Bytes of the file from #windowStart on, which hold the blocks [#first, #limit) whole. */
  #window: Bytes
  #windowStart: number
  #first: number
  #limit: number
  #nextWindowBytes: number

  /**
   * @param shelf the table's, for the store
   * @param readsAll whether all blocks are going to be asked for, from the first on
   */
  constructor(
    file: RandomAccessFile,
    number: FileNumber,
    index: TableIndex,
    codecs: Codecs | undefined,
    memory: BlockMemory,
    store: BlockStore | undefined,
    shelf: Shelf,
    readsAll: boolean,
  ) {
    this.#file = file
    this.#number = number
    this.#index = index
    this.#codecs = codecs
    this.#memory = memory
    this.#store = store
    this.#shelf = shelf
    this.#readsAll = readsAll
    this.#at = NOWHERE
    this.#block = EMPTY_BLOCK
    this.#step = 0
    this.#steps = 0
    this.#window = EMPTY
    this.#windowStart = 0
    this.#first = 0
    this.#limit = 0
    this.#nextWindowBytes = readsAll ? WHOLE_WINDOW_BYTES : FIRST_WINDOW_BYTES
  }

  /**
   * Data block `at`, borrowed until the next call.
   * @throws CorruptionError, NotSupportedError, IOError
   */
  get(at: number): Block {
    this.#note(at)
    const block = this.#store?.getForScan(this.#shelf, at) ?? this.#load(at)
    const left = this.#block
    this.#memory.hold(block)
    this.#block = block
    this.#memory.release(left)
    return block
  }

  #load(at: number): Block {
    const store = this.#store?.admits(this.#number, at) ? this.#store : undefined
    const block = this.#read(at, store !== undefined)
    store?.put(this.#shelf, at, block)
    return block
  }

  #note(at: number): void {
    const step = at - this.#at
    if (step === 0) return
    this.#at = at
    if (step === this.#step) {
      this.#steps++
      return
    }
    this.#step = step === 1 || step === -1 ? step : 0
    this.#steps = 1
    if (!this.#readsAll) this.#nextWindowBytes = FIRST_WINDOW_BYTES
  }

  /** @param isKept whether the block is to have memory of its own */
  #read(at: number, isKept: boolean): Block {
    const isInWindow = at >= this.#first && at < this.#limit
    const isAhead = this.#readsAll || this.#steps >= STEPS_BEFORE
    if (!isInWindow && !(isAhead && this.#readAhead(at)))
      return readDataBlock(this.#file, this.#index.handle(at), this.#codecs, this.#memory)
    const { offset, bytes } = this.#index.handle(at)
    const { path } = this.#file
    const memory = this.#memory
    const block = verifiedBlock(this.#window, offset - this.#windowStart, bytes, this.#codecs, memory, path, offset)
    if (!isKept || block.bytes.buffer !== this.#window.buffer) return block
    const copy = memory.allocateBlock(block.length)
    copy.set(block.bytes.subarray(0, block.length))
    return new Block(copy, path, offset, block.length, copy.buffer)
  }

  /** @returns whether block `at` is in the window now */
  #readAhead(at: number): boolean {
    const index = this.#index
    const most = this.#nextWindowBytes
    let first = at
    let limit = at + 1
    if (this.#step >= 0) while (limit < index.count && index.end(limit) - index.offset(at) <= most) limit++
    else while (first > 0 && index.end(at) - index.offset(first - 1) <= most) first--
    if (!this.#readsAll) this.#nextWindowBytes = Math.min(most * 2, MAX_WINDOW_BYTES)
    if (limit - first === 1) return false
    this.#limit = 0
    const windowBytes = Math.min(most, index.end(index.count - 1))
    if (this.#window.length < windowBytes) this.#window = new Uint8Array(windowBytes)
    const start = index.offset(first)
    try {
      this.#file.read(start, this.#window, 0, index.end(limit - 1) - start)
    } catch (error) {
      if (error instanceof IOError) return false
      throw error
    }
    this.#windowStart = start
    this.#first = first
    this.#limit = limit
    return true
  }
}

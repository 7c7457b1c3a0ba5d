/**
 * TableIterator: the entries of a table: a position in its index, and a BlockIterator over the data block there.
 *
 * A data block is got when the iterator comes to it, so a seek gets one, or two if it lands behind the last entry of the
 * first. The one in use is held (block-memory.ts) until the next is got.
 * Blocks that follow one another are read ahead (sequential-blocks.ts), which bounds the memory: one block, one window.
 * Threads  belongs to its table's thread
 * Source   google/leveldb table/two_level_iterator.cc
 */
import { EMPTY } from '../base/bytes.ts'
import type { Comparator } from '../base/comparator.ts'
import type { InternalIterator } from '../base/iterator.ts'
import type { Bytes } from '../base/types.ts'
import { BlockIterator } from './block-iterator.ts'
import type { SequentialBlocks } from './sequential-blocks.ts'
import type { TableIndex } from './table-index.ts'

const NOWHERE = -1

export class TableIterator implements InternalIterator {
  valid: boolean
  keyBuf: Bytes
  keyOff: number
  keyLen: number
  tagLow: number
  tagHigh: number
  valBuf: Bytes
  valOff: number
  valLen: number

  readonly #index: TableIndex
  readonly #blocks: SequentialBlocks
  readonly #entries: BlockIterator
  /** Number of the data block that `#entries` is in. */
  #at: number

  /** @param blocks the data blocks of the index, for this iterator alone */
  constructor(comparator: Comparator, index: TableIndex, blocks: SequentialBlocks) {
    this.valid = false
    this.keyBuf = EMPTY
    this.keyOff = 0
    this.keyLen = 0
    this.tagLow = 0
    this.tagHigh = 0
    this.valBuf = EMPTY
    this.valOff = 0
    this.valLen = 0
    this.#index = index
    this.#blocks = blocks
    this.#entries = new BlockIterator(comparator)
    this.#at = NOWHERE
  }

  seekToFirst(): void {
    this.valid = false
    this.#enterForwards(0)
  }

  seekToLast(): void {
    this.valid = false
    this.#enterBackwards(this.#index.count - 1)
  }

  seek(key: Bytes, keyOff: number, keyLen: number, tagLow: number, tagHigh: number): void {
    this.valid = false
    const at = this.#index.find(key, keyOff, keyLen, tagLow, tagHigh)
    if (at === this.#index.count) return
    this.#enter(at)
    this.#entries.seek(key, keyOff, keyLen, tagLow, tagHigh)
    if (this.#entries.valid) this.#take()
    else this.#enterForwards(at + 1)
  }

  next(): void {
    this.valid = false
    this.#entries.next()
    if (this.#entries.valid) this.#take()
    else this.#enterForwards(this.#at + 1)
  }

  prev(): void {
    this.valid = false
    this.#entries.prev()
    if (this.#entries.valid) this.#take()
    else this.#enterBackwards(this.#at - 1)
  }

  /** Position at the first entry of block `first`, or of the next one that has entries. */
  #enterForwards(first: number): void {
    for (let at = first; at < this.#index.count; at++) {
      this.#enter(at)
      this.#entries.seekToFirst()
      if (this.#entries.valid) {
        this.#take()
        return
      }
    }
  }

  /** Position at the last entry of block `last`, or of the one before that has entries. */
  #enterBackwards(last: number): void {
    for (let at = last; at >= 0; at--) {
      this.#enter(at)
      this.#entries.seekToLast()
      if (this.#entries.valid) {
        this.#take()
        return
      }
    }
  }

  #enter(at: number): void {
    if (at === this.#at) return
    this.#at = NOWHERE
    this.#entries.reset(this.#blocks.get(at))
    this.#at = at
  }

  #take(): void {
    const entries = this.#entries
    this.keyBuf = entries.keyBuf
    this.keyLen = entries.keyLen
    this.tagLow = entries.tagLow
    this.tagHigh = entries.tagHigh
    this.valBuf = entries.valBuf
    this.valOff = entries.valOff
    this.valLen = entries.valLen
    this.valid = true
  }
}

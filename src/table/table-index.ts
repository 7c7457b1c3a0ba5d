/**
 * TableIndex: the index block of a table, decoded and checked whole, so that every later search is arithmetic on arrays. What searches
 * a table of which little has been asked so far is its TableSketch.
 *
 * Entry    separator (an internal key ≥ all of its data block, < all of the next) → handle of the data block
 * Invariants  separators ascend strictly; data blocks follow one another without overlap and end before the metaindex
 *          block. A table can thus be read through only once from end to end: no index leads in circles.
 * Search   In the order of bytes, by words (base/key-words.ts): of all separators but the last, which may be as short as
 *          one byte and would leave no common prefix.
 * A separator may carry the sequence number 2^56 − 1; it is compared as halves and never decoded.
 */
import { getFixed32 } from '../base/coding.ts'
import { bytewiseComparator, type Comparator } from '../base/comparator.ts'
import { compareTags, TAG_BYTES } from '../base/internal-key.ts'
import { KeyWords, type KeyWordsState, keyWordsOf } from '../base/key-words.ts'
import type { Bytes } from '../base/types.ts'
import type { Block } from './block.ts'
import { IndexEntries } from './index-entries.ts'
import { BLOCK_TRAILER_BYTES, type BlockHandle } from './table-format.ts'

/** An index block, decoded and checked. Plain data, so that it crosses threads. */
export interface IndexState extends Readonly<IndexEntries> {
  /** Of all separators but the last; undefined if there is no use for them. */
  readonly words: KeyWordsState | undefined
}

/**
 * @param block verified contents of the index block; not kept
 * @param dataEnd where the data blocks end at the latest
 * @throws CorruptionError if an invariant does not hold
 */
export function readIndex(comparator: Comparator, block: Block, dataEnd: number): IndexState {
  const { count, keys, starts, offsets, lengths } = new IndexEntries(block, dataEnd)
  checkOrder(comparator, count, keys, starts, block)
  const hasWords = comparator === bytewiseComparator && count > 1
  const words = hasWords ? keyWordsOf(keys, starts, count - 1, TAG_BYTES) : undefined
  return { count, keys, starts, offsets, lengths, words }
}

export class TableIndex {
  /** Number of data blocks. */
  readonly count: number
  readonly #keys: Bytes
  readonly #starts: Int32Array
  readonly #offsets: Float64Array
  readonly #lengths: Uint32Array
  readonly #comparator: Comparator
  readonly #words: KeyWords | undefined

  constructor(comparator: Comparator, { count, keys, starts, offsets, lengths, words }: IndexState) {
    this.count = count
    this.#keys = keys
    this.#starts = starts
    this.#offsets = offsets
    this.#lengths = lengths
    this.#comparator = comparator
    this.#words = words === undefined ? undefined : new KeyWords(words)
  }

  /** Where data block `index` begins. */
  offset(index: number): number {
    return this.#offsets[index]
  }

  /** Where the trailer of data block `index` ends. */
  end(index: number): number {
    return this.#offsets[index] + this.#lengths[index] + BLOCK_TRAILER_BYTES
  }

  /** Handle of data block `index`. */
  handle(index: number): BlockHandle {
    return { offset: this.#offsets[index], bytes: this.#lengths[index] }
  }

  /** Number of the first data block that may hold an entry ≥ the internal key; `count` if none does. */
  find(key: Bytes, keyOff: number, keyLen: number, tagLow: number, tagHigh: number): number {
    const words = this.#words
    if (words === undefined) return this.#search(0, this.count, key, keyOff, keyLen, tagLow, tagHigh)
    words.narrow(key, keyOff, keyLen)
    const { begin, limit } = words
    const at = begin === limit ? begin : this.#search(begin, limit, key, keyOff, keyLen, tagLow, tagHigh)
    const last = this.count - 1
    return at === last && this.#compare(last, key, keyOff, keyLen, tagLow, tagHigh) < 0 ? this.count : at
  }

  /** The first separator in [begin, limit) that is ≥ the internal key; `limit` if none is. */
  #search(
    begin: number,
    limit: number,
    key: Bytes,
    keyOff: number,
    keyLen: number,
    tagLow: number,
    tagHigh: number,
  ): number {
    let low = begin
    let high = limit
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#compare(middle, key, keyOff, keyLen, tagLow, tagHigh) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  #compare(index: number, key: Bytes, keyOff: number, keyLen: number, tagLow: number, tagHigh: number): number {
    const start = this.#starts[index]
    const tag = this.#starts[index + 1] - TAG_BYTES
    const order = this.#comparator.compare(this.#keys, start, tag - start, key, keyOff, keyLen)
    if (order !== 0) return order
    return compareTags(getFixed32(this.#keys, tag), getFixed32(this.#keys, tag + 4), tagLow, tagHigh)
  }
}

function checkOrder(comparator: Comparator, count: number, keys: Bytes, starts: Int32Array, block: Block): void {
  for (let i = 1; i < count; i++) {
    const start = starts[i - 1]
    const tag = starts[i] - TAG_BYTES
    const next = starts[i]
    const nextTag = starts[i + 1] - TAG_BYTES
    const order = comparator.compare(keys, start, tag - start, keys, next, nextTag - next)
    // Most differ before their tags, which are not even read then.
    if (order > 0 || (order === 0 && compareTagsAt(keys, tag, nextTag) >= 0))
      block.damaged('an index that does not ascend')
  }
}

function compareTagsAt(keys: Bytes, a: number, b: number): number {
  return compareTags(getFixed32(keys, a), getFixed32(keys, a + 4), getFixed32(keys, b), getFixed32(keys, b + 4))
}

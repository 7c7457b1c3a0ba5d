/**
 * TableIndex: the index block of a table, decoded and checked whole when the table is opened, so that every later search
 * is arithmetic on arrays.
 *
 * Entry    separator (an internal key ≥ all of its data block, < all of the next) → handle of the data block
 * Invariants  separators ascend strictly; data blocks follow one another without overlap and end before the metaindex
 *          block. A table can thus be read through only once from end to end: no index leads in circles.
 * Search   In the order of bytes, all separators but the last (which may be as short as one byte) share a prefix, and the
 *          four bytes after it stand in an array of words: most searches are one of that array, and compare no key.
 * A separator may carry the sequence number 2^56 − 1; it is compared as halves and never decoded.
 */
import { commonPrefixLength, compareBytes } from '../base/bytes.ts'

import { getFixed32, Reader } from '../base/coding.ts'
import { bytewiseComparator, type Comparator } from '../base/comparator.ts'
import { compareTags, TAG_BYTES } from '../base/internal-key.ts'
import type { Bytes } from '../base/types.ts'
import type { Block } from './block.ts'
import { BlockCursor } from './block-cursor.ts'
import { BLOCK_TRAILER_BYTES, type BlockHandle, blockEnd, readHandle } from './table-format.ts'

/** Prefix compression may expand the separators up to this many times, which real indexes do not use at all. */
const MAX_EXPANSION = 16
const MAX_KEYS_BYTES = 2 ** 31 - 1
/** A block of 4 GiB could not be read. */
const MAX_BLOCK_BYTES = 2 ** 32 - 1

export class TableIndex {
  /** Number of data blocks. */
  readonly count: number
  /** The separators, one after another; number i is [starts[i], starts[i + 1]). */
  readonly #keys: Bytes
  readonly #starts: Int32Array
  /** Where each data block begins, and how long its contents are. */
  readonly #offsets: Float64Array
  readonly #lengths: Uint32Array
  readonly #comparator: Comparator
  /** Bytes that all separators but the last begin with, and each one's next four; no words if there is no use for them. */
  #prefixLength: number
  #words: Uint32Array | undefined

  /**
   * @param block verified contents of the index block; not kept
   * @param dataEnd where the data blocks end at the latest
   * @throws CorruptionError if an invariant does not hold
   */
  constructor(comparator: Comparator, block: Block, dataEnd: number) {
    const offsets: number[] = []
    const lengths: number[] = []
    const starts = [0]
    let keys = new Uint8Array(block.entriesEnd)
    let previousEnd = 0
    const cursor = new BlockCursor()
    cursor.reset(block)
    while (!cursor.isAtEnd) {
      cursor.advance()
      const handle = handleOf(cursor)
      const end = blockEnd(handle)
      if (handle.offset < previousEnd || end > dataEnd || handle.bytes > MAX_BLOCK_BYTES)
        block.damaged('an index whose data blocks overlap or leave the table')
      previousEnd = end
      offsets.push(handle.offset)
      lengths.push(handle.bytes)
      keys = appendKey(keys, starts, cursor)
    }
    this.count = offsets.length
    this.#keys = keys
    this.#starts = Int32Array.from(starts)
    this.#offsets = Float64Array.from(offsets)
    this.#lengths = Uint32Array.from(lengths)
    this.#comparator = comparator
    this.#prefixLength = 0
    this.#words = undefined
    this.#checkOrder(block)
    if (comparator === bytewiseComparator && this.count > 1) this.#makeWords()
  }

  /** Bytes of memory that the index takes. */
  get memoryBytes(): number {
    const { byteLength } = this.#keys.buffer
    return byteLength + this.#starts.byteLength + this.#offsets.byteLength + this.#lengths.byteLength + 4 * this.count
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
    const last = words.length
    const at = this.#findWord(words, key, keyOff, keyLen, tagLow, tagHigh)
    return at === last && this.#compare(last, key, keyOff, keyLen, tagLow, tagHigh) < 0 ? this.count : at
  }

  /** As find, among all separators but the last. */
  #findWord(words: Uint32Array, key: Bytes, keyOff: number, keyLen: number, tagLow: number, tagHigh: number): number {
    const prefix = this.#prefixLength
    const order = compareBytes(this.#keys, 0, prefix, key, keyOff, keyLen < prefix ? keyLen : prefix)
    if (order !== 0) return order > 0 ? 0 : words.length
    const word = wordAt(key, keyOff + prefix, keyLen - prefix)
    const low = firstAtLeast(words, 0, word)
    if (low === words.length || words[low] !== word) return low
    return this.#search(low, firstAtLeast(words, low, word + 1), key, keyOff, keyLen, tagLow, tagHigh)
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

  #makeWords(): void {
    const keys = this.#keys
    const starts = this.#starts
    const words = new Uint32Array(this.count - 1)
    const end = starts[words.length] - TAG_BYTES
    const lastStart = starts[words.length - 1]
    // What the first and the last of them begin with, all between them do.
    const prefix = commonPrefixLength(keys, 0, starts[1] - TAG_BYTES, keys, lastStart, end - lastStart)
    for (let i = 0; i < words.length; i++) {
      const start = starts[i] + prefix
      words[i] = wordAt(keys, start, starts[i + 1] - TAG_BYTES - start)
    }
    this.#prefixLength = prefix
    this.#words = words
  }

  #checkOrder(block: Block): void {
    for (let i = 0; i + 1 < this.count; i++) {
      const start = this.#starts[i + 1]
      const tag = this.#starts[i + 2] - TAG_BYTES
      const order = this.#compare(
        i,
        this.#keys,
        start,
        tag - start,
        getFixed32(this.#keys, tag),
        getFixed32(this.#keys, tag + 4),
      )
      if (order >= 0) block.damaged('an index that does not ascend')
    }
  }
}

/** Up to four bytes, as a number that orders as they do; missing ones count as 0. */
function wordAt(bytes: Bytes, offset: number, length: number): number {
  if (length >= 4)
    return ((bytes[offset] << 24) | (bytes[offset + 1] << 16) | (bytes[offset + 2] << 8) | bytes[offset + 3]) >>> 0
  let word = 0
  for (let i = 0; i < 4; i++) word = (word << 8) | (i < length ? bytes[offset + i] : 0)
  return word >>> 0
}

/** Index of the first of the ascending words at or after `begin` that is ≥ `word`; without branches to predict. */
function firstAtLeast(words: Uint32Array, begin: number, word: number): number {
  let first = begin
  let count = words.length - begin
  while (count > 1) {
    const half = count >>> 1
    first += words[first + half - 1] < word ? half : 0
    count -= half
  }
  return first + (count === 1 && words[first] < word ? 1 : 0)
}

function handleOf({ block, valueOffset, valueLength }: BlockCursor): BlockHandle {
  const reader = new Reader(block.bytes, valueOffset, valueOffset + valueLength)
  const handle = readHandle(reader)
  if (reader.failed || reader.remaining > 0) block.damaged('an index entry that is no block handle')
  return handle
}

/** @returns `keys`, or a larger copy that has room for the cursor's key as well */
function appendKey(keys: Uint8Array<ArrayBuffer>, starts: number[], cursor: BlockCursor): Uint8Array<ArrayBuffer> {
  const { block, key, keyLength } = cursor
  if (keyLength < TAG_BYTES) block.damaged('an index key is shorter than a tag')
  const start = starts[starts.length - 1]
  const end = start + keyLength
  if (end > Math.min(block.entriesEnd * MAX_EXPANSION, MAX_KEYS_BYTES))
    block.damaged('an index whose keys expand beyond reason')
  let room = keys
  if (end > keys.length) {
    room = new Uint8Array(end * 2)
    room.set(keys)
  }
  room.set(key.subarray(0, keyLength), start)
  starts.push(end)
  return room
}

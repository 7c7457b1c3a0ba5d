/**
 * TableIndex: the index block of a table, decoded and checked whole when the table is opened, so that every later search
 * is arithmetic on arrays.
 *
 * Entry    separator (an internal key ≥ all of its data block, < all of the next) → handle of the data block
 * Invariants  separators ascend strictly; data blocks follow one another without overlap and end before the metaindex
 *          block. A table can thus be read through only once from end to end: no index leads in circles.
 * Search   In the order of bytes, by words (base/key-words.ts): of all separators but the last, which may be as short as
 *          one byte and would leave no common prefix.
 * A separator may carry the sequence number 2^56 − 1; it is compared as halves and never decoded.
 */
import { getFixed32, Reader } from '../base/coding.ts'
import { bytewiseComparator, type Comparator } from '../base/comparator.ts'
import { compareTags, TAG_BYTES } from '../base/internal-key.ts'
import { KeyWords } from '../base/key-words.ts'
import type { Bytes } from '../base/types.ts'
import type { Block } from './block.ts'
import { BlockCursor } from './block-cursor.ts'
import { BLOCK_TRAILER_BYTES, type BlockHandle } from './table-format.ts'

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
  /** Of all separators but the last; undefined if there is no use for them. */
  readonly #words: KeyWords | undefined

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
    const reader = new Reader(block.bytes)
    cursor.reset(block)
    while (!cursor.isAtEnd) {
      cursor.advance()
      reader.reset(block.bytes, cursor.valueOffset, cursor.valueOffset + cursor.valueLength)
      const offset = reader.varint64()
      const length = reader.varint64()
      if (reader.failed || reader.remaining > 0) block.damaged('an index entry that is no block handle')
      const end = offset + length + BLOCK_TRAILER_BYTES
      if (offset < previousEnd || end > dataEnd || length > MAX_BLOCK_BYTES)
        block.damaged('an index whose data blocks overlap or leave the table')
      previousEnd = end
      offsets.push(offset)
      lengths.push(length)
      keys = appendKey(keys, starts, cursor)
    }
    this.count = offsets.length
    this.#keys = keys
    this.#starts = Int32Array.from(starts)
    this.#offsets = Float64Array.from(offsets)
    this.#lengths = Uint32Array.from(lengths)
    this.#comparator = comparator
    this.#checkOrder(block)
    const hasWords = comparator === bytewiseComparator && this.count > 1
    this.#words = hasWords ? new KeyWords(keys, this.#starts, this.count - 1, TAG_BYTES) : undefined
  }

  /** Bytes of memory that the index takes. */
  get memoryBytes(): number {
    const { byteLength } = this.#keys.buffer
    const wordsBytes = this.#words?.memoryBytes ?? 0
    return byteLength + this.#starts.byteLength + this.#offsets.byteLength + this.#lengths.byteLength + wordsBytes
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
  // A view of the key would cost more than copying it.
  for (let i = 0; i < keyLength; i++) room[start + i] = key[i]
  starts.push(end)
  return room
}

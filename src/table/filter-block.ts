/**
 * The filter block: one filter for each 2 KiB of file offset, over the user keys of the data blocks that start there.
 *
 * Format   filter block := filter* ‖ offset u32le[count] ‖ offsetsStart u32le ‖ baseLog u8
 *          filter i covers the data blocks that start in [i << baseLog, (i + 1) << baseLog); it is
 *          [offset i, offset i + 1), the last one ending at offsetsStart. An empty filter holds no key.
 *          baseLog is 11; readers take what is stored.
 * Source   google/leveldb table/filter_block.cc
 */
import { grown } from '../base/bytes.ts'
import { getFixed32, putFixed32 } from '../base/coding.ts'
import type { Bytes } from '../base/types.ts'
import type { FilterPolicy } from './filter-policy.ts'

const BASE_LOG = 11
const BASE_BYTES = 2 ** BASE_LOG
/** Offsets are less than 2^53: a coarser base is nonsense. */
const MAX_BASE_LOG = 52
/** Offsets are signed 32-bit integers here. */
const MAX_BYTES = 2 ** 31 - 1
/** offsetsStart and baseLog. */
const TAIL_BYTES = 5
const FIRST_KEYS = 256
const FIRST_BYTES = 4096

/**
 * Builds a filter block beside the data blocks.
 * Order of calls   (startBlock addKey*)* finish
 */
export class FilterBlockBuilder {
  readonly #policy: FilterPolicy
  /** Of the keys since the last filter. */
  #hashes: Uint32Array
  #keyCount: number
  /** The filters so far are bytes[0, length), then zeros; and where each begins. */
  #bytes: Uint8Array<ArrayBuffer>
  #length: number
  readonly #offsets: number[]

  constructor(policy: FilterPolicy) {
    this.#policy = policy
    this.#hashes = new Uint32Array(FIRST_KEYS)
    this.#keyCount = 0
    this.#bytes = new Uint8Array(FIRST_BYTES)
    this.#length = 0
    this.#offsets = []
  }

  /** A data block begins at `offset`; keys that follow are its own. */
  startBlock(offset: number): void {
    const index = Math.floor(offset / BASE_BYTES)
    while (this.#offsets.length < index) this.#emit()
  }

  addKey(key: Bytes, keyOff: number, keyLen: number): void {
    if (this.#keyCount === this.#hashes.length) this.#growHashes()
    this.#hashes[this.#keyCount++] = this.#policy.hash(key, keyOff, keyLen)
  }

  /** The whole block; the builder is of no use afterwards. */
  finish(): Uint8Array {
    if (this.#keyCount > 0) this.#emit()
    const offsets = this.#offsets
    const offsetsStart = this.#length
    this.#reserve(4 * offsets.length + TAIL_BYTES)
    const bytes = this.#bytes
    for (let i = 0; i < offsets.length; i++) putFixed32(bytes, offsetsStart + 4 * i, offsets[i])
    const end = offsetsStart + 4 * offsets.length
    putFixed32(bytes, end, offsetsStart)
    bytes[end + 4] = BASE_LOG
    return bytes.subarray(0, end + TAIL_BYTES)
  }

  /** A filter of the keys since the last one; an empty one if there are none. */
  #emit(): void {
    this.#offsets.push(this.#length)
    const count = this.#keyCount
    if (count === 0) return
    const filterBytes = this.#policy.filterBytes(count)
    this.#reserve(filterBytes)
    this.#policy.makeFilter(this.#hashes, count, this.#bytes, this.#length)
    this.#length += filterBytes
    this.#keyCount = 0
  }

  #growHashes(): void {
    const larger = new Uint32Array(this.#hashes.length * 2)
    larger.set(this.#hashes)
    this.#hashes = larger
  }

  #reserve(more: number): void {
    const needed = this.#length + more
    if (needed > this.#bytes.length) this.#bytes = grown(this.#bytes, this.#length, needed)
  }
}

/** The filters of a table's data blocks, looked up beforehand. Plain data, so that it crosses threads. */
export interface FilterState {
  readonly bytes: Bytes
  /** Of each data block, where its filter begins in `bytes`, and its length; NO_FILTER if it has none. */
  readonly spans: Int32Array
}

/** Asks a filter block. Its offsets are checked once, when it is made. */
export class FilterBlockReader {
  readonly #policy: FilterPolicy
  readonly #bytes: Bytes
  /** Of the same bytes: there are tens of thousands of offsets, and they are read when little code is compiled yet. */
  readonly #view: DataView
  readonly #offsetsStart: number
  readonly #count: number
  readonly #unit: number

  private constructor(policy: FilterPolicy, bytes: Bytes, view: DataView, offsetsStart: number, count: number) {
    this.#policy = policy
    this.#bytes = bytes
    this.#view = view
    this.#offsetsStart = offsetsStart
    this.#count = count
    this.#unit = 2 ** bytes[bytes.length - 1]
  }

  /**
   * @param bytes verified contents of the block; kept
   * @returns undefined if they are not a filter block
   */
  static parse(policy: FilterPolicy, bytes: Bytes): FilterBlockReader | undefined {
    const offsetsEnd = bytes.length - TAIL_BYTES
    if (offsetsEnd < 0 || offsetsEnd > MAX_BYTES || bytes[bytes.length - 1] > MAX_BASE_LOG) return undefined
    const offsetsStart = getFixed32(bytes, offsetsEnd)
    const count = (offsetsEnd - offsetsStart) / 4
    if (count < 0 || !Number.isInteger(count)) return undefined
    // The word after the last offset is offsetsStart itself, which ends the last filter.
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    let begin = view.getUint32(offsetsStart, true)
    for (let at = offsetsStart + 4; at <= offsetsEnd; at += 4) {
      const end = view.getUint32(at, true)
      if (begin > end) return undefined
      begin = end
    }
    return new FilterBlockReader(policy, bytes, view, offsetsStart, count)
  }

  get byteLength(): number {
    return this.#bytes.length
  }

  /** False only if the data block that starts at `blockOffset` certainly lacks the user key. */
  keyMayMatch(blockOffset: number, key: Bytes, keyOff: number, keyLen: number): boolean {
    const number = Math.floor(blockOffset / this.#unit)
    if (number >= this.#count) return true
    const at = this.#offsetsStart + 4 * number
    const start = this.#view.getUint32(at, true)
    const length = this.#view.getUint32(at + 4, true) - start
    return length > 0 && this.#policy.keyMayMatch(key, keyOff, keyLen, this.#bytes, start, length)
  }

  /** The filters of the data blocks that begin at the first `count` of these offsets, by number; in memory of their own. */
  forBlocks(offsets: Float64Array, count: number): FilterState {
    return { bytes: this.#bytes.slice(0, this.#offsetsStart), spans: this.#spans(offsets, count) }
  }

  #spans(offsets: Float64Array, count: number): Int32Array {
    const view = this.#view
    const spans = new Int32Array(2 * count)
    for (let i = 0; i < count; i++) {
      const number = Math.floor(offsets[i] / this.#unit)
      const at = this.#offsetsStart + 4 * number
      const isThere = number < this.#count
      spans[2 * i] = isThere ? view.getUint32(at, true) : 0
      spans[2 * i + 1] = isThere ? view.getUint32(at + 4, true) - spans[2 * i] : NO_FILTER
    }
    return spans
  }
}

const NO_FILTER = -1

/** The filters of a table's data blocks: a lookup finds where one is, and how long, in one place. */
export class BlockFilters {
  readonly #policy: FilterPolicy
  readonly #bytes: Bytes
  readonly #spans: Int32Array

  constructor(policy: FilterPolicy, { bytes, spans }: FilterState) {
    this.#policy = policy
    this.#bytes = bytes
    this.#spans = spans
  }

  /** False only if data block `index` certainly lacks the user key. Allocates nothing. */
  keyMayMatch(index: number, key: Bytes, keyOff: number, keyLen: number): boolean {
    const start = this.#spans[2 * index]
    const length = this.#spans[2 * index + 1]
    if (length === NO_FILTER) return true
    return length > 0 && this.#policy.keyMayMatch(key, keyOff, keyLen, this.#bytes, start, length)
  }
}

/**
 * TableSketch: what opening a table reads of it, as it lies: index and filter, their checksums verified, nothing decoded. Decoding
 * thousands of entries is most of the first lookup of a process, by code that never ran before (docs/performance.md): so lookups search the
 * index by its restart points first, of which writers of LevelDB's format make one for each entry.
 *
 * Checked  Of each entry that is looked at: it takes up all there is from its restart point to the next, and has a tag. Where a search ends: the
 *          keys around ascend; the block lies between those before and after it, before the metaindex block. What is not as it should be is
 *          DOUBTFUL: decoding checks all of it (table-outline.ts), and finds the damage, or that it is only unusual.
 * Threads  belongs to its table's thread
 */
import { getFixed32, Reader } from '../base/coding.ts'
import type { Comparator } from '../base/comparator.ts'
import { compareTags, TAG_BYTES } from '../base/internal-key.ts'
import type { Bytes } from '../base/types.ts'
import { Block } from './block.ts'
import type { FilterBlockReader } from './filter-block.ts'
import { BLOCK_TRAILER_BYTES, type BlockHandle, blockEnd, readHandle } from './table-format.ts'
import { readIndex } from './table-index.ts'
import type { TableOutline } from './table-outline.ts'

/** The table is to be decoded first. */
export const DOUBTFUL = -1

const U32_BYTES = 4
const NO_BLOCK: BlockHandle = { offset: 0, bytes: -BLOCK_TRAILER_BYTES }
/** What decoding makes of each entry at most, beside its key, and of all together. */
const DECODED_BYTES = 40
const TERMS_BYTES = 8192
/** Fewer are decoded at once. */
const MIN_COUNT = 64
/** By as much as decoding some forty entries takes, a lookup takes longer in a sketch (docs/performance.md): at worst, what is put off costs half more. */
const ENTRIES_A_LOOKUP = 64

export class TableSketch {
  readonly metaindexOffset: number
  readonly filterIsDamaged: boolean
  /** Entries of the index, which number the data blocks, if there is no doubt. */
  readonly count: number
  /** The block that was found last. */
  handle: BlockHandle
  readonly #comparator: Comparator
  readonly #index: Bytes
  readonly #file: string
  readonly #offset: number
  readonly #filter: FilterBlockReader | undefined
  readonly #entriesEnd: number
  /** In the entry looked at last. */
  readonly #reader: Reader
  #keyAt: number
  #tagAt: number

  /**
   * @param index  verified contents of the index block, which is at `offset` of `file`; kept
   * @param filter undefined if there is none of use
   */
  constructor(
    comparator: Comparator,
    index: Bytes,
    file: string,
    offset: number,
    metaindexOffset: number,
    filter: FilterBlockReader | undefined,
    filterIsDamaged: boolean,
  ) {
    this.metaindexOffset = metaindexOffset
    this.filterIsDamaged = filterIsDamaged
    const countAt = index.length - U32_BYTES
    this.count = countAt < 0 ? 0 : getFixed32(index, countAt)
    this.handle = NO_BLOCK
    this.#comparator = comparator
    this.#index = index
    this.#file = file
    this.#offset = offset
    this.#filter = filter
    this.#entriesEnd = countAt - this.count * U32_BYTES
    this.#reader = new Reader(index)
    this.#keyAt = 0
    this.#tagAt = 0
  }

  /** After so many lookups it is time to decode; 0 if that is so at once. */
  get lookupsMax(): number {
    return this.count < MIN_COUNT || this.#entriesEnd < 0 ? 0 : Math.ceil(this.count / ENTRIES_A_LOOKUP)
  }

  /** Bytes of memory that the outline is going to take at most, which are more than the sketch takes. */
  get outlineBytesMax(): number {
    return this.#entriesEnd + DECODED_BYTES * this.count + TERMS_BYTES + (this.#filter?.byteLength ?? 0)
  }

  /** @throws CorruptionError if the index is damaged */
  outline(): TableOutline {
    const { metaindexOffset, filterIsDamaged } = this
    const index = readIndex(this.#comparator, new Block(this.#index, this.#file, this.#offset), metaindexOffset)
    return { metaindexOffset, index, filters: this.#filter?.forBlocks(index.offsets, index.count), filterIsDamaged }
  }

  /** Number of the first data block that may hold an entry ≥ the internal key, and its handle; `count` if none does; or DOUBTFUL. */
  find(key: Bytes, keyOff: number, keyLen: number, low: number, high: number): number {
    let begin = 0
    let limit = this.count
    while (begin < limit) {
      const middle = (begin + limit) >>> 1
      if (!this.#lookAt(middle)) return DOUBTFUL
      if (this.#compare(key, keyOff, keyLen, low, high) < 0) begin = middle + 1
      else limit = middle
    }
    const isSound = this.#ascendsAround(begin) && (begin === this.count || this.#readHandle(begin))
    return isSound ? begin : DOUBTFUL
  }

  /** False only if the block that was found last certainly lacks the user key. */
  keyMayMatch(key: Bytes, keyOff: number, keyLen: number): boolean {
    return this.#filter?.keyMayMatch(this.handle.offset, key, keyOff, keyLen) ?? true
  }

  /** @returns whether the entry at a restart point is as it should be; then the reader is at its value */
  #lookAt(at: number): boolean {
    const begin = this.#restart(at)
    const end = at + 1 < this.count ? this.#restart(at + 1) : this.#entriesEnd
    if (begin >= end || end > this.#entriesEnd) return false
    const reader = this.#reader.reset(this.#index, begin, end)
    const shared = reader.varint32()
    const unshared = reader.varint32()
    const valueLength = reader.varint32()
    this.#keyAt = reader.offset
    reader.offset += unshared
    this.#tagAt = reader.offset - TAG_BYTES
    return !reader.failed && shared === 0 && unshared >= TAG_BYTES && reader.remaining === valueLength
  }

  #restart(at: number): number {
    return getFixed32(this.#index, this.#entriesEnd + at * U32_BYTES)
  }

  #compare(key: Bytes, keyOff: number, keyLen: number, low: number, high: number): number {
    const bytes = this.#index
    const tag = this.#tagAt
    const order = this.#comparator.compare(bytes, this.#keyAt, tag - this.#keyAt, key, keyOff, keyLen)
    if (order !== 0) return order
    return compareTags(getFixed32(bytes, tag), getFixed32(bytes, tag + 4), low, high)
  }

  /** A key that is out of order leads a search to itself or to the entry behind it. */
  #ascendsAround(at: number): boolean {
    const bytes = this.#index
    const first = Math.max(at - 2, 0)
    for (let i = first; i <= at + 1 && i < this.count; i++) {
      const keyAt = this.#keyAt
      const tag = this.#tagAt
      if (!this.#lookAt(i)) return false
      if (
        i > first &&
        this.#compare(bytes, keyAt, tag - keyAt, getFixed32(bytes, tag), getFixed32(bytes, tag + 4)) <= 0
      )
        return false
    }
    return true
  }

  /** @returns whether there is one whose block lies between those before and after it */
  #readHandle(at: number): boolean {
    const before = at === 0 ? NO_BLOCK : this.#handleAt(at - 1)
    const after = at + 1 === this.count ? { offset: this.metaindexOffset, bytes: 0 } : this.#handleAt(at + 1)
    const handle = this.#handleAt(at)
    if (before === undefined || handle === undefined || after === undefined) return false
    this.handle = handle
    return handle.offset >= blockEnd(before) && blockEnd(handle) <= after.offset && after.offset <= this.metaindexOffset
  }

  #handleAt(at: number): BlockHandle | undefined {
    if (!this.#lookAt(at)) return undefined
    const handle = readHandle(this.#reader)
    return this.#reader.failed || this.#reader.remaining > 0 ? undefined : handle
  }
}

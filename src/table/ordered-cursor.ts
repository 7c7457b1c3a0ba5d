/**
 * OrderedCursor: the entries of data blocks that follow one another, of one table or of several that do not overlap, from the first
 * to the last, for whoever reads all of them: a compaction. It knows how many bytes each key has in common with the one before,
 * which orders most of a merge (jobs/compaction-inputs.ts), and finds what does not ascend.
 *
 * Checked  as by a BlockIterator; and that keys ascend strictly, if their order is that of bytes. Any other order is its user's to check.
 * Threads  belongs to one thread; allocates only for a block, and to grow its key buffer
 */
import { EMPTY, viewOf } from '../base/bytes.ts'
import { getFixed32 } from '../base/coding.ts'
import { compareTags, TAG_BYTES, tagIsValid } from '../base/internal-key.ts'
import type { Bytes } from '../base/types.ts'
import type { Block } from './block.ts'
import { BlockCursor } from './block-cursor.ts'

const NOTHING_BEFORE = -1

export class OrderedCursor {
  /** The user key is keyBuf[0, keyLen); overwritten by the next one. */
  keyBuf: Bytes
  keyLen: number
  tagLow: number
  tagHigh: number
  /** The value is valBuf[valOff, valOff + valLen), `view` a view of valBuf; good while nobody enters another block. */
  valBuf: Bytes
  view: DataView
  valOff: number
  valLen: number
  /** How many bytes the user key has in common with the one before it; 0 if there is none, or the order is another one. */
  common: number

  readonly #cursor: BlockCursor
  readonly #isBytewise: boolean

  constructor(isBytewise: boolean) {
    this.#cursor = new BlockCursor()
    this.#isBytewise = isBytewise
    this.keyBuf = this.#cursor.key
    this.keyLen = NOTHING_BEFORE
    this.tagLow = 0
    this.tagHigh = 0
    this.valBuf = EMPTY
    this.view = viewOf(EMPTY)
    this.valOff = 0
    this.valLen = 0
    this.common = 0
  }

  /** Whether there is no further entry in the block. */
  get isAtEnd(): boolean {
    return this.#cursor.isAtEnd
  }

  /** Go on in the block after the one before. */
  enter(block: Block): void {
    this.#cursor.reset(block)
    this.valBuf = block.bytes
    this.view = viewOf(block.bytes)
  }

  /**
   * Go to the next entry.
   * @requires not isAtEnd
   * @throws CorruptionError
   */
  next(): void {
    const cursor = this.#cursor
    cursor.readLengths()
    const keyLen = cursor.shared + cursor.unshared - TAG_BYTES
    if (keyLen < 0) cursor.block.damaged('a key is shorter than a tag')
    const tagAt = cursor.valueOffset - TAG_BYTES
    const isTagWhole = cursor.unshared >= TAG_BYTES
    const common = this.#isBytewise ? this.#commonWithLast(keyLen) : 0
    cursor.completeKey(common > cursor.shared ? common : cursor.shared)
    const low = isTagWhole ? getFixed32(this.valBuf, tagAt) : getFixed32(cursor.key, keyLen)
    const high = isTagWhole ? getFixed32(this.valBuf, tagAt + 4) : getFixed32(cursor.key, keyLen + 4)
    if (!tagIsValid(low, high)) cursor.block.damaged('an entry of unknown type or impossible sequence number')
    const isSameKey = common === keyLen && keyLen === this.keyLen
    if (isSameKey && this.#isBytewise && compareTags(this.tagLow, this.tagHigh, low, high) >= 0) this.outOfOrder()
    this.keyBuf = cursor.key
    this.keyLen = keyLen
    this.tagLow = low
    this.tagHigh = high
    this.valOff = cursor.valueOffset
    this.valLen = cursor.valueLength
    this.common = common
  }

  /** @throws CorruptionError, always: the entry does not come after the one before it */
  outOfOrder(): never {
    return this.#cursor.block.damaged('entries of a table do not ascend')
  }

  /** How many bytes the user key whose lengths have been read has in common with the last one, which may not come after it. */
  #commonWithLast(keyLen: number): number {
    const lastLen = this.keyLen
    const { key, shared, valueOffset, unshared } = this.#cursor
    const bytes = this.valBuf
    const limit = keyLen < lastLen ? keyLen : lastLen
    if (limit < 0) return 0
    // Where byte 0 of the key would be, had it been stored whole.
    const start = valueOffset - unshared - shared
    let common = shared < limit ? shared : limit
    while (common < limit && bytes[start + common] === key[common]) common++
    const isAscending = common < limit ? key[common] < bytes[start + common] : lastLen <= keyLen
    if (!isAscending) this.outOfOrder()
    return common
  }
}

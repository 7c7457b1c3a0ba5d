/**
 * EntryOrder: sees that the entries of a MemTable ascend as they are written, and that their values lie within its memory. That
 * memory is shared and lives long; what has been damaged there must not become a table that looks sound.
 */
import { commonPrefixLength, compareBeyond, EMPTY } from '../base/bytes.ts'
import { bytewiseComparator, type Comparator } from '../base/comparator.ts'
import { CorruptionError } from '../base/errors.ts'
import { compareTags } from '../base/internal-key.ts'
import type { InternalIterator } from '../base/iterator.ts'
import type { Bytes } from '../base/types.ts'

export class EntryOrder {
  readonly #comparator: Comparator
  readonly #isBytewise: boolean
  #isFirst = true
  #keyBuf: Bytes = EMPTY
  #keyOff = 0
  #keyLen = 0
  #tagLow = 0
  #tagHigh = 0

  constructor(comparator: Comparator) {
    this.#comparator = comparator
    this.#isBytewise = comparator === bytewiseComparator
  }

  /**
   * @returns how many bytes its user key has in common with that of the one before
   * @throws CorruptionError unless the entry, in the memory of the one before it, comes after that one and lies in it whole
   */
  check(at: InternalIterator): number {
    const { keyBuf, keyOff, keyLen, tagLow, tagHigh, valOff, valLen } = at
    if (valLen < 0 || valLen > at.valBuf.length - valOff) {
      throw new CorruptionError('a value of a MemTable reaches beyond its memory, which is damaged')
    }
    const common = commonPrefixLength(this.#keyBuf, this.#keyOff, this.#keyLen, keyBuf, keyOff, keyLen)
    if (!this.#isFirst) {
      const order = this.#compareLast(keyBuf, keyOff, keyLen, common)
      if (order > 0 || (order === 0 && compareTags(this.#tagLow, this.#tagHigh, tagLow, tagHigh) >= 0)) {
        throw new CorruptionError('the entries of a MemTable are not in order: its memory is damaged')
      }
    }
    this.#isFirst = false
    this.#keyBuf = keyBuf
    this.#keyOff = keyOff
    this.#keyLen = keyLen
    this.#tagLow = tagLow
    this.#tagHigh = tagHigh
    return common
  }

  /** @param common how many bytes the keys have in common */
  #compareLast(key: Bytes, keyOff: number, keyLen: number, common: number): number {
    return this.#isBytewise
      ? compareBeyond(this.#keyBuf, this.#keyOff, this.#keyLen, key, keyOff, keyLen, common)
      : this.#comparator.compare(this.#keyBuf, this.#keyOff, this.#keyLen, key, keyOff, keyLen)
  }
}

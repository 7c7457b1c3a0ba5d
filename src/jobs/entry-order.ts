/**
 * EntryOrder: sees that the entries of a MemTable ascend as they are written. Its memory is shared and lives long; what has
 * been damaged there must not become a table that looks sound.
 */
import { EMPTY } from '../base/bytes.ts'
import type { Comparator } from '../base/comparator.ts'
import { CorruptionError } from '../base/errors.ts'
import { compareTags } from '../base/internal-key.ts'
import type { InternalIterator } from '../base/iterator.ts'
import type { Bytes } from '../base/types.ts'

export class EntryOrder {
  readonly #comparator: Comparator
  #isFirst = true
  #keyBuf: Bytes = EMPTY
  #keyOff = 0
  #keyLen = 0
  #tagLow = 0
  #tagHigh = 0

  constructor(comparator: Comparator) {
    this.#comparator = comparator
  }

  /** @throws CorruptionError unless the entry, in the memory of the one before it, comes after that one */
  check(at: InternalIterator): void {
    const { keyBuf, keyOff, keyLen, tagLow, tagHigh } = at
    if (!this.#isFirst) {
      const order = this.#comparator.compare(this.#keyBuf, this.#keyOff, this.#keyLen, keyBuf, keyOff, keyLen)
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
  }
}

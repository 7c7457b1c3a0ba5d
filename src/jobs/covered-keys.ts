/**
 * CoveredKeys: the keys of the tables below a MemTable that its range tombstones delete: those that lie in a range, and whose
 * newest entry is a value. Ascending, each once. What lies between the ranges is passed over by seeks.
 *
 * Threads  as the entries and the cover
 */
import type { Comparator } from '../base/comparator.ts'
import { MAX_TAG_HIGH, MAX_TAG_LOW, tagType } from '../base/internal-key.ts'
import type { InternalIterator } from '../base/iterator.ts'
import { KeyCopy } from '../base/key-copy.ts'
import type { RangeCover } from '../base/range-cover.ts'
import * as ValueType from '../base/value-type.ts'

export class CoveredKeys {
  valid = false
  /** Until the next move. */
  readonly key: KeyCopy = new KeyCopy()

  readonly #entries: InternalIterator
  readonly #cover: RangeCover
  readonly #comparator: Comparator
  /** `key` is the one whose versions are being passed over. */
  #hasKey = false
  #isInStretch = false

  /** @param cover the newest range tombstones of the MemTable; only this seeks in it */
  constructor(entries: InternalIterator, cover: RangeCover, comparator: Comparator) {
    this.#entries = entries
    this.#cover = cover
    this.#comparator = comparator
  }

  /** Position at the first key. @throws CorruptionError, IOError from the tables, as next does */
  start(): void {
    this.#entries.seekToFirst()
    this.#find()
  }

  next(): void {
    this.#entries.next()
    this.#find()
  }

  #find(): void {
    const e = this.#entries
    this.valid = false
    while (e.valid && this.#isCovered()) {
      if (!this.#isSameKey()) {
        this.key.take(e.keyBuf, e.keyOff, e.keyLen)
        this.#hasKey = true
        // Of a key's entries the newest comes first, and decides.
        this.valid = tagType(e.tagLow) === ValueType.VALUE
        if (this.valid) return
      }
      e.next()
    }
  }

  /** Whether the entry lies in a range, or the next one after it that does has been sought. */
  #isCovered(): boolean {
    const e = this.#entries
    const cover = this.#cover
    while (e.valid) {
      if (!this.#isInStretch || this.#isPastStretch()) {
        cover.seek(e.keyBuf, e.keyOff, e.keyLen)
        this.#isInStretch = true
      }
      if (cover.sequence > 0) return true
      if (!cover.hasEnd) return false
      e.seek(cover.endBuf, cover.endOff, cover.endLen, MAX_TAG_LOW, MAX_TAG_HIGH)
    }
    return false
  }

  #isPastStretch(): boolean {
    const e = this.#entries
    const { hasEnd, endBuf, endOff, endLen } = this.#cover
    return hasEnd && this.#comparator.compare(e.keyBuf, e.keyOff, e.keyLen, endBuf, endOff, endLen) >= 0
  }

  #isSameKey(): boolean {
    const e = this.#entries
    const { bytes, length } = this.key
    return this.#hasKey && this.#comparator.compare(e.keyBuf, e.keyOff, e.keyLen, bytes, 0, length) === 0
  }
}

/**
 * CoveredKeys: the keys of the tables below a MemTable that its range tombstones delete: those that lie in a range, and whose
 * newest entry is a value. Ascending, each once. What lies between the ranges is passed over by seeks.
 *
 * Threads  as the entries and the cover
 */
import { copyBytes } from '../base/bytes.ts'
import type { Comparator } from '../base/comparator.ts'
import { MAX_TAG_HIGH, MAX_TAG_LOW, tagType } from '../base/internal-key.ts'
import type { InternalIterator } from '../base/iterator.ts'
import type { RangeCover } from '../base/range-cover.ts'
import * as ValueType from '../base/value-type.ts'

const FIRST_KEY_BYTES = 64

export class CoveredKeys {
  valid = false
  /** The key is keyBuf[0, keyLen), until the next move. */
  keyBuf: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST_KEY_BYTES)
  keyLen = 0

  readonly #entries: InternalIterator
  readonly #cover: RangeCover
  readonly #comparator: Comparator
  /** keyBuf holds the key whose versions are being passed over. */
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
        this.#keep()
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
    return this.#hasKey && this.#comparator.compare(e.keyBuf, e.keyOff, e.keyLen, this.keyBuf, 0, this.keyLen) === 0
  }

  #keep(): void {
    const { keyBuf, keyOff, keyLen } = this.#entries
    if (keyLen > this.keyBuf.length) this.keyBuf = new Uint8Array(keyLen * 2)
    copyBytes(keyBuf, keyOff, this.keyBuf, 0, keyLen)
    this.keyLen = keyLen
    this.#hasKey = true
  }
}

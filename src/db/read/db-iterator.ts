/**
 * DBIterator: the user's view of the merged layers: of every key the newest version at or below one sequence, if it is not a
 * tombstone, within bounds, in either direction.
 *
 * A move leaves the entry in fields, borrowed until the next move, and allocates nothing but what larger keys and values
 * need. Forwards, an entry is the first visible one of its key, and the older ones behind it are stepped over. Backwards, a
 * key's versions come oldest first, so an entry is known only once the key before it is reached: it is kept in a buffer.
 * Source   google/leveldb db/db_iter.cc
 */
import { copyBytes, EMPTY } from '../../base/bytes.ts'
import { bytewiseComparator, type Comparator } from '../../base/comparator.ts'
import { MAX_TAG_HIGH, MAX_TAG_LOW, tagHigh, tagLow } from '../../base/internal-key.ts'
import type { InternalIterator } from '../../base/iterator.ts'
import { KeyCopy } from '../../base/key-copy.ts'
import type { Bytes, SequenceNumber } from '../../base/types.ts'
import * as ValueType from '../../base/value-type.ts'

/** Told of long runs of tombstones that a scan stepped over, with nothing visible in between. The keys are borrowed. */
export interface TombstoneSink {
  steppedOver(smallest: Bytes, largest: Bytes): void
}

/** A run that is worth telling: about what reading a block of small entries costs, many times over. */
const TOMBSTONES_MIN = 1000
/** In a tag, not below any type: every entry of the sequence is visible. */
const MAX_TYPE = 0xff

/** Which keys: from `lower` to `upper`; undefined for no bound. */
export interface KeyBounds {
  readonly lower: Bytes | undefined
  readonly includeLower: boolean
  readonly upper: Bytes | undefined
  readonly includeUpper: boolean
}

export class DBIterator {
  valid = false
  keyBuf: Bytes = EMPTY
  keyOff = 0
  keyLen = 0
  valBuf: Bytes = EMPTY
  valOff = 0
  valLen = 0

  readonly #entries: InternalIterator
  readonly #comparator: Comparator
  readonly #isBytewise: boolean
  /** The largest tag that is visible. */
  readonly #tagLow: number
  readonly #tagHigh: number
  readonly #bounds: KeyBounds
  readonly #isReverse: boolean
  /** Forwards: the key whose versions are done. Backwards: the key of the entry in #value. */
  #key: Uint8Array<ArrayBuffer> = new Uint8Array(64)
  #keyLen = 0
  #value: Uint8Array<ArrayBuffer> = new Uint8Array(64)
  #valueLen = 0
  #hasKey = false
  /** Where a run of tombstones began. */
  readonly #runStart: KeyCopy = new KeyCopy()
  readonly #sink: TombstoneSink | undefined

  constructor(
    entries: InternalIterator,
    comparator: Comparator,
    sequence: SequenceNumber,
    bounds: KeyBounds,
    isReverse: boolean,
    sink?: TombstoneSink,
  ) {
    this.#entries = entries
    this.#comparator = comparator
    this.#isBytewise = comparator === bytewiseComparator
    this.#tagLow = tagLow(sequence, MAX_TYPE)
    this.#tagHigh = tagHigh(sequence)
    this.#bounds = bounds
    this.#isReverse = isReverse
    this.#sink = sink
  }

  /** Position at the first entry of the scan. */
  start(): void {
    const { lower, includeLower, upper, includeUpper } = this.#bounds
    if (this.#isReverse) this.#startBackwards(upper, includeUpper)
    else this.#startForwards(lower, includeLower)
  }

  /** Position at the first entry of the scan that `key` does not come after. */
  seek(key: Bytes): void {
    const { lower, upper } = this.#bounds
    const bound = this.#isReverse ? upper : lower
    const order = bound === undefined ? 0 : this.#comparator.compare(key, 0, key.length, bound, 0, bound.length)
    // At the bound itself, whether it is included is the bound's to say.
    if (bound !== undefined && (this.#isReverse ? order >= 0 : order <= 0)) this.start()
    else if (this.#isReverse) this.#startBackwards(key, true)
    else this.#startForwards(key, true)
  }

  /** Position at the next entry of the scan; needs `valid`. */
  advance(): void {
    if (this.#isReverse) {
      this.#findBackwards()
    } else {
      this.#entries.next()
      this.#findForwards()
    }
  }

  #startForwards(lower: Bytes | undefined, includeLower: boolean): void {
    this.#hasKey = false
    if (lower === undefined) this.#entries.seekToFirst()
    else this.#entries.seek(lower, 0, lower.length, MAX_TAG_LOW, MAX_TAG_HIGH)
    if (lower !== undefined && !includeLower) {
      // As if all versions of the bound had been passed over already.
      this.#keep(lower, 0, lower.length)
      this.#hasKey = true
    }
    this.#findForwards()
  }

  #startBackwards(upper: Bytes | undefined, includeUpper: boolean): void {
    const entries = this.#entries
    if (upper === undefined) {
      entries.seekToLast()
    } else {
      // The smallest tag sorts last: the seek lands behind every version of an included bound.
      if (includeUpper) entries.seek(upper, 0, upper.length, 0, 0)
      else entries.seek(upper, 0, upper.length, MAX_TAG_LOW, MAX_TAG_HIGH)
      if (!entries.valid) entries.seekToLast()
      else if (!includeUpper || !this.#isAt(upper)) entries.prev()
    }
    this.#findBackwards()
  }

  #isAt(key: Bytes): boolean {
    const e = this.#entries
    return this.#comparator.compare(e.keyBuf, e.keyOff, e.keyLen, key, 0, key.length) === 0
  }

  #findForwards(): void {
    const e = this.#entries
    let tombstones = 0
    while (e.valid) {
      const isVisible = this.#isVisible(e)
      if (isVisible && !(this.#hasKey && this.#isKept(e))) {
        if (this.#isPastUpper()) break
        const isTombstone = (e.tagLow & 0xff) === ValueType.DELETION
        if (!isTombstone && tombstones >= TOMBSTONES_MIN) this.#sink?.steppedOver(this.#run(), this.#kept())
        this.#keep(e.keyBuf, e.keyOff, e.keyLen)
        this.#hasKey = true
        if (!isTombstone) {
          this.#show(e.keyBuf, e.keyOff, e.keyLen, e.valBuf, e.valOff, e.valLen)
          return
        }
        if (tombstones++ === 0) this.#beginRun()
      }
      e.next()
    }
    this.valid = false
    if (tombstones >= TOMBSTONES_MIN) this.#sink?.steppedOver(this.#run(), this.#kept())
  }

  #findBackwards(): void {
    const e = this.#entries
    let found = false
    let tombstones = 0
    this.#hasKey = false
    while (e.valid && !this.#isPastLower()) {
      const isVisible = this.#isVisible(e)
      if (isVisible) {
        const isSameKey = this.#hasKey && this.#isKept(e)
        if (found && !isSameKey) break
        // The key before is deleted: its newest version was a tombstone.
        if (!isSameKey && this.#hasKey && tombstones++ === 0) this.#beginRun()
        if (!isSameKey) this.#keep(e.keyBuf, e.keyOff, e.keyLen)
        this.#hasKey = true
        found = (e.tagLow & 0xff) !== ValueType.DELETION
        if (found) this.#keepValue()
      }
      e.prev()
    }
    this.valid = false
    if (tombstones >= TOMBSTONES_MIN) this.#sink?.steppedOver(this.#kept(), this.#run())
    if (found) this.#show(this.#key, 0, this.#keyLen, this.#value, 0, this.#valueLen)
  }

  #isVisible({ tagLow, tagHigh }: InternalIterator): boolean {
    return tagHigh === this.#tagHigh ? tagLow <= this.#tagLow : tagHigh < this.#tagHigh
  }

  #show(key: Bytes, keyOff: number, keyLen: number, value: Bytes, valOff: number, valLen: number): void {
    this.valid = true
    this.keyBuf = key
    this.keyOff = keyOff
    this.keyLen = keyLen
    this.valBuf = value
    this.valOff = valOff
    this.valLen = valLen
  }

  #isPastUpper(): boolean {
    const { upper, includeUpper } = this.#bounds
    if (upper === undefined) return false
    const e = this.#entries
    const order = this.#comparator.compare(e.keyBuf, e.keyOff, e.keyLen, upper, 0, upper.length)
    return order > 0 || (order === 0 && !includeUpper)
  }

  #isPastLower(): boolean {
    const { lower, includeLower } = this.#bounds
    if (lower === undefined) return false
    const e = this.#entries
    const order = this.#comparator.compare(e.keyBuf, e.keyOff, e.keyLen, lower, 0, lower.length)
    return order < 0 || (order === 0 && !includeLower)
  }

  #keep(key: Bytes, keyOff: number, keyLen: number): void {
    if (keyLen > this.#key.length) this.#key = new Uint8Array(keyLen * 2)
    copyBytes(key, keyOff, this.#key, 0, keyLen)
    this.#keyLen = keyLen
  }

  /** Whether the entry is a version of the key that was kept. */
  #isKept({ keyBuf, keyOff, keyLen }: InternalIterator): boolean {
    const key = this.#key
    if (!this.#isBytewise) return this.#comparator.compare(keyBuf, keyOff, keyLen, key, 0, this.#keyLen) === 0
    if (keyLen !== this.#keyLen) return false
    // Neighbours begin alike, and differ at their ends.
    for (let i = keyLen - 1; i >= 0; i--) if (keyBuf[keyOff + i] !== key[i]) return false
    return true
  }

  #kept(): Bytes {
    return this.#key.subarray(0, this.#keyLen)
  }

  /** A run of tombstones begins at the key that was kept. */
  #beginRun(): void {
    this.#runStart.take(this.#key, 0, this.#keyLen)
  }

  #run(): Bytes {
    return this.#runStart.bytes.subarray(0, this.#runStart.length)
  }

  #keepValue(): void {
    const e = this.#entries
    if (e.valLen > this.#value.length) this.#value = new Uint8Array(e.valLen * 2)
    copyBytes(e.valBuf, e.valOff, this.#value, 0, e.valLen)
    this.#valueLen = e.valLen
  }
}

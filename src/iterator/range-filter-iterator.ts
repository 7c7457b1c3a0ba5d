/**
 * RangeFilterIterator: a layer's entries without those that range tombstones delete: the tombstones of newer MemTables, and
 * of the layer itself if it is one. Made only where there are such tombstones.
 *
 * Stretches   The covers' answers are combined once for a stretch of keys, between the nearest ends of all of them; while
 *             moves stay inside, an entry costs one comparison with the end that it moves towards.
 * Jumps       Where the newest tombstone is newer than everything in the layer, nothing in the stretch is shown: after a few
 *             steps, which are cheaper than a seek, the child is moved to the far end of the stretch by one seek. So a scan passes
 *             over a large range delete at the cost of a seek. Elsewhere each entry's sequence decides.
 * Invariant   an entry is hidden if and only if a range tombstone covers its key that is newer than the entry, and at or
 *             below the sequence that the covers were made at; so a reader of that sequence misses nothing
 * Threads     as its child and its covers
 */
import { EMPTY } from '../base/bytes.ts'
import type { Comparator } from '../base/comparator.ts'
import { MAX_TAG_HIGH, MAX_TAG_LOW, tagSequence } from '../base/internal-key.ts'
import type { InternalIterator } from '../base/iterator.ts'
import type { RangeCover } from '../base/range-cover.ts'
import type { Bytes, SequenceNumber } from '../base/types.ts'

/** Hidden entries that are stepped over before a jump; a seek costs about ten steps. */
const STEPS_BEFORE_JUMP = 8

export class RangeFilterIterator implements InternalIterator {
  valid: boolean
  keyBuf: Bytes
  keyOff: number
  keyLen: number
  tagLow: number
  tagHigh: number
  valBuf: Bytes
  valOff: number
  valLen: number

  readonly #child: InternalIterator
  readonly #comparator: Comparator
  readonly #covers: readonly RangeCover[]
  readonly #newestEntry: SequenceNumber
  /** The stretch is known, and holds the child's key or the one before its last move. */
  #hasStretch: boolean
  /** Newest range tombstone over the stretch; 0 if there is none. */
  #sequence: number
  #hasStart: boolean
  #startBuf: Bytes
  #startOff: number
  #startLen: number
  #hasEnd: boolean
  #endBuf: Bytes
  #endOff: number
  #endLen: number

  /**
   * @param child in any state; from here on only this iterator moves it
   * @param covers only this iterator seeks in them
   * @param newestEntry a range tombstone above this sequence is newer than every entry of the child
   */
  constructor(
    child: InternalIterator,
    comparator: Comparator,
    covers: readonly RangeCover[],
    newestEntry: SequenceNumber,
  ) {
    this.valid = false
    this.keyBuf = EMPTY
    this.keyOff = 0
    this.keyLen = 0
    this.tagLow = 0
    this.tagHigh = 0
    this.valBuf = EMPTY
    this.valOff = 0
    this.valLen = 0
    this.#child = child
    this.#comparator = comparator
    this.#covers = covers
    this.#newestEntry = newestEntry
    this.#hasStretch = false
    this.#sequence = 0
    this.#hasStart = false
    this.#startBuf = EMPTY
    this.#startOff = 0
    this.#startLen = 0
    this.#hasEnd = false
    this.#endBuf = EMPTY
    this.#endOff = 0
    this.#endLen = 0
  }

  seekToFirst(): void {
    this.#begin()
    this.#child.seekToFirst()
    this.#findForwards()
  }

  seekToLast(): void {
    this.#begin()
    this.#child.seekToLast()
    this.#findBackwards()
  }

  seek(key: Bytes, keyOff: number, keyLen: number, tagLow: number, tagHigh: number): void {
    this.#begin()
    this.#child.seek(key, keyOff, keyLen, tagLow, tagHigh)
    this.#findForwards()
  }

  next(): void {
    this.valid = false
    this.#child.next()
    this.#findForwards()
  }

  prev(): void {
    this.valid = false
    this.#child.prev()
    this.#findBackwards()
  }

  #begin(): void {
    this.valid = false
    this.#hasStretch = false
  }

  #findForwards(): void {
    const child = this.#child
    let steps = 0
    while (child.valid) {
      if (!this.#hasStretch || this.#isPastEnd()) this.#enterStretch()
      if (this.#isShown()) {
        this.#show()
        return
      }
      if (this.#sequence <= this.#newestEntry || steps++ < STEPS_BEFORE_JUMP) {
        child.next()
      } else {
        // What hides something has both ends, and so has the stretch.
        child.seek(this.#endBuf, this.#endOff, this.#endLen, MAX_TAG_LOW, MAX_TAG_HIGH)
        steps = 0
      }
    }
  }

  #findBackwards(): void {
    const child = this.#child
    let steps = 0
    while (child.valid) {
      if (!this.#hasStretch || this.#isBeforeStart()) this.#enterStretch()
      if (this.#isShown()) {
        this.#show()
        return
      }
      if (this.#sequence <= this.#newestEntry || steps++ < STEPS_BEFORE_JUMP) {
        child.prev()
      } else {
        // The first entry at or after the start is in the stretch, if only the one that the child is at.
        child.seek(this.#startBuf, this.#startOff, this.#startLen, MAX_TAG_LOW, MAX_TAG_HIGH)
        child.prev()
        steps = 0
      }
    }
  }

  #isShown(): boolean {
    return tagSequence(this.#child.tagLow, this.#child.tagHigh) >= this.#sequence
  }

  #isPastEnd(): boolean {
    return this.#hasEnd && this.#compareKeyWith(this.#endBuf, this.#endOff, this.#endLen) >= 0
  }

  #isBeforeStart(): boolean {
    return this.#hasStart && this.#compareKeyWith(this.#startBuf, this.#startOff, this.#startLen) < 0
  }

  #compareKeyWith(key: Bytes, keyOff: number, keyLen: number): number {
    const child = this.#child
    return this.#comparator.compare(child.keyBuf, child.keyOff, child.keyLen, key, keyOff, keyLen)
  }

  /** Find the stretch that holds the child's key. */
  #enterStretch(): void {
    const child = this.#child
    this.#hasStretch = true
    this.#sequence = 0
    this.#hasStart = false
    this.#hasEnd = false
    for (let i = 0; i < this.#covers.length; i++) {
      const cover = this.#covers[i]
      cover.seek(child.keyBuf, child.keyOff, child.keyLen)
      if (cover.sequence > this.#sequence) this.#sequence = cover.sequence
      this.#narrow(cover)
    }
  }

  /** Of all starts the last, of all ends the first. */
  #narrow({ hasStart, startBuf, startOff, startLen, hasEnd, endBuf, endOff, endLen }: RangeCover): void {
    const comparator = this.#comparator
    if (
      hasStart &&
      (!this.#hasStart ||
        comparator.compare(startBuf, startOff, startLen, this.#startBuf, this.#startOff, this.#startLen) > 0)
    ) {
      this.#hasStart = true
      this.#startBuf = startBuf
      this.#startOff = startOff
      this.#startLen = startLen
    }
    if (
      hasEnd &&
      (!this.#hasEnd || comparator.compare(endBuf, endOff, endLen, this.#endBuf, this.#endOff, this.#endLen) < 0)
    ) {
      this.#hasEnd = true
      this.#endBuf = endBuf
      this.#endOff = endOff
      this.#endLen = endLen
    }
  }

  #show(): void {
    const child = this.#child
    this.keyBuf = child.keyBuf
    this.keyOff = child.keyOff
    this.keyLen = child.keyLen
    this.tagLow = child.tagLow
    this.tagHigh = child.tagHigh
    this.valBuf = child.valBuf
    this.valOff = child.valOff
    this.valLen = child.valLen
    this.valid = true
  }
}

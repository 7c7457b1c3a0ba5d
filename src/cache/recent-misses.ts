/**
 * RecentMisses: which blocks a full cache was lately asked for in vain. A block that is asked for once, by chance or in passing, is not
 * worth the place of another one; a block that is asked for again is.
 *
 * Format     mark u32 := a hash of a block's table and number; its first bits say where it is kept, over the mark that was there
 * Invariant  a hint: marks are forgotten as others take their places, about as many misses later as there are places, and two
 *            blocks in four billion share a mark
 * Threads    belongs to one thread
 */
import type { FileNumber } from '../base/types.ts'

const PLACES_MIN_BITS = 8
const PLACES_MAX_BITS = 22
/** An odd number without a pattern, so that tables lie anywhere. */
const SPREAD_FILE = 0x85ebca6b
/** 2^32 divided by the golden ratio: multiples of it lie evenly, so that blocks in a row take all places (Knuth 6.4). */
const SPREAD_MARK = 0x9e3779b1

export class RecentMisses {
  readonly #marks: Int32Array
  readonly #shift: number

  /** @param count how many to remember, about: at least 2^8 and at most 2^22, four bytes each */
  constructor(count: number) {
    const bits = Math.min(Math.max(32 - Math.clz32(count), PLACES_MIN_BITS), PLACES_MAX_BITS)
    this.#marks = new Int32Array(2 ** bits)
    this.#shift = 32 - bits
  }

  /** Remember a miss of data block `at` of a table. @returns whether it was remembered already */
  add(file: FileNumber, at: number): boolean {
    // Never 0, as a place is that nobody has marked.
    const mark = Math.imul(Math.imul(file, SPREAD_FILE) ^ at, SPREAD_MARK) | 1
    const place = mark >>> this.#shift
    if (this.#marks[place] === mark) return true
    this.#marks[place] = mark
    return false
  }
}

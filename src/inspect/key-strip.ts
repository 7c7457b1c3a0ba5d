/**
 * KeyStrip: where the key ranges of tables lie against one another, as bars on one scale. The scale is by rank: it has one
 * mark for each first and last key of any table, in byte order, so that what overlaps is seen to overlap, however the keys
 * are spread.
 */
import { compareWhole } from '../base/bytes.ts'
import type { Bytes } from '../base/types.ts'

export interface KeyRange {
  readonly smallest: Bytes
  readonly largest: Bytes
}

export class KeyStrip {
  /** The marks of the scale, ascending. */
  readonly #marks: readonly Bytes[]

  constructor(ranges: readonly KeyRange[]) {
    const sorted = ranges.flatMap(({ smallest, largest }) => [smallest, largest]).sort(compareWhole)
    this.#marks = sorted.filter((key, i) => i === 0 || compareWhole(key, sorted[i - 1]) !== 0)
  }

  /**
   * The range as three lengths that add up to `columns`: what lies before it, the range, what lies after it.
   * @param range one of those that the strip was made of
   */
  place(range: KeyRange, columns: number): readonly [before: number, inside: number, after: number] {
    const last = Math.max(1, this.#marks.length - 1)
    const first = Math.min(columns - 1, Math.floor((this.#rank(range.smallest) / last) * columns))
    const end = Math.max(first + 1, Math.round((this.#rank(range.largest) / last) * columns))
    return [first, end - first, columns - end]
  }

  #rank(key: Bytes): number {
    let low = 0
    let high = this.#marks.length - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareWhole(this.#marks[middle], key) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}

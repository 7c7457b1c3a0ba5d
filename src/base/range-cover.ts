/**
 * RangeCover: the range tombstones of a MemTable as of one sequence, asked key by key: which deletion, if any, covers a
 * key, and how far around it that answer holds. Whoever walks keys in order asks anew only when it leaves that stretch.
 *
 * Threads  belongs to one thread; what it leads to may be shared
 */
import type { Comparator } from './comparator.ts'
import type { Bytes, SequenceNumber } from './types.ts'

export interface RangeCover {
  /** After `seek`: the newest range tombstone over the key, at or below the sequence of this cover; 0 if there is none. */
  readonly sequence: SequenceNumber
  /**
   * After `seek`: the answer holds for all keys of [start, end); without a start or an end, for all on that side.
   * Where a range tombstone covers the key, there are both.
   */
  readonly hasStart: boolean
  readonly startBuf: Bytes
  readonly startOff: number
  readonly startLen: number
  readonly hasEnd: boolean
  readonly endBuf: Bytes
  readonly endOff: number
  readonly endLen: number

  /** Find the stretch that holds the key. Allocates nothing. @complexity O(log tombstones) */
  seek(key: Bytes, keyOff: number, keyLen: number): void
}

/** Whether a range tombstone covers every key from `first` to `last`, both included. */
export function coversAll(cover: RangeCover, comparator: Comparator, first: Bytes, last: Bytes): boolean {
  return !hasStretch(cover, comparator, first, last, false)
}

/** Whether a range tombstone covers a key from `first` to `last`, both included; without `last`, a key from `first` on. */
export function coversSome(cover: RangeCover, comparator: Comparator, first: Bytes, last: Bytes | undefined): boolean {
  return hasStretch(cover, comparator, first, last, true)
}

/** Whether some stretch of the keys is covered, or is not. */
function hasStretch(
  cover: RangeCover,
  comparator: Comparator,
  first: Bytes,
  last: Bytes | undefined,
  isCovered: boolean,
): boolean {
  cover.seek(first, 0, first.length)
  while (cover.sequence > 0 !== isCovered) {
    const { hasEnd, endBuf, endOff, endLen } = cover
    if (!hasEnd || (last !== undefined && comparator.compare(endBuf, endOff, endLen, last, 0, last.length) > 0))
      return false
    cover.seek(endBuf, endOff, endLen)
  }
  return true
}

/**
 * RangeCover: the range tombstones of a MemTable as of one sequence, asked key by key: which deletion, if any, covers a
 * key, and how far around it that answer holds. Whoever walks keys in order asks anew only when it leaves that stretch.
 *
 * Threads  belongs to one thread; what it leads to may be shared
 */
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

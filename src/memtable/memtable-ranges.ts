/**
 * MemTableRanges: what a MemTable tells of its range tombstones. How they are kept: range-tombstones.ts.
 */
import type { RangeCover } from '../base/range-cover.ts'
import { type Bytes, MAX_SEQUENCE, type SequenceNumber } from '../base/types.ts'
import type { MemTableRange } from './entry.ts'
import { checkedSequence } from './memtable-arguments.ts'
import { MemTableNumbers } from './memtable-numbers.ts'
import { fragments, type RangeTombstones, rangeBytesMax } from './range-tombstones.ts'
import { OVERHEAD_BYTES_MAX } from './representation.ts'

export abstract class MemTableRanges extends MemTableNumbers {
  protected abstract ranges(): RangeTombstones
  /** What this thread may see: memtable-rep.ts. */
  protected abstract limit(): number

  /** The most bytes that an entry can take, in any representation: for `hasRoom`. */
  static entryBytesMax(keyLen: number, valLen: number): number {
    return OVERHEAD_BYTES_MAX + keyLen + valLen
  }

  /**
   * The most bytes that a range delete can take, whatever it covers and whatever else is in the table; compare entryBytesMax.
   * Never more than for two empty keys, plus the lengths of start and end.
   */
  static rangeBytesMax(startLen: number, endLen: number): number {
    return rangeBytesMax(startLen, endLen)
  }

  /**
   * @internal The range tombstones as of a sequence; of an attached table, those that are published now.
   * @returns undefined if there are none; else a cover of its own, which stays as it is
   */
  rangeCover(sequence: SequenceNumber): RangeCover | undefined {
    const limit = this.limit()
    if (this.ranges().isEmpty) return undefined
    const cover = this.ranges().cursor(sequence, limit)
    return cover.isEmpty ? undefined : cover
  }

  /**
   * @internal The oldest range tombstone over a key whose sequence is greater than `above` and at most `atMost`.
   * @returns its sequence; 0 if there is none
   * @complexity O(log² range tombstones)
   */
  coverAfter(key: Bytes, keyOff: number, keyLen: number, above: number, atMost: SequenceNumber): SequenceNumber {
    return this.ranges().coverAfter(key, keyOff, keyLen, above, atMost, this.limit())
  }

  /** The stretches of keys that range tombstones cover as of `sequence`, in order, each with the newest one over it. */
  rangeTombstones(sequence: number = MAX_SEQUENCE): IterableIterator<MemTableRange> {
    const limit = this.limit()
    return fragments(this.ranges().cursor(checkedSequence(sequence, 0), limit))
  }
}

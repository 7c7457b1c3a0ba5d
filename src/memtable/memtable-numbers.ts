/**
 * MemTableNumbers: what a MemTable tells of itself in numbers. In an attached table they are those of the newest publication.
 */
import type { SequenceNumber } from '../base/types.ts'
import { dumpBytes, rangesHaveNoDump } from './dump.ts'
import type { TableCounters } from './table-counters.ts'

export abstract class MemTableNumbers {
  /** The counts as of now. */
  protected abstract counted(): TableCounters

  /** Versions of all keys. */
  get entryCount(): number {
    return this.counted().entries
  }

  /** Distinct keys, deleted ones included. */
  get length(): number {
    return this.counted().keys
  }

  /** Range tombstones; neither `entryCount` nor `length` counts them. */
  get rangeTombstoneCount(): number {
    return this.counted().rangeTombstones
  }

  /** Versions that are tombstones. */
  get tombstoneCount(): number {
    return this.counted().tombstones
  }

  /**
   * Bytes of the keys and of their newest values: an overwrite counts its value instead of the one before it. Range
   * tombstones add their start and end; what they cover stays, and is counted.
   */
  get sizeInBytes(): number {
    return this.counted().liveBytes
  }

  /** 0 when empty. */
  get smallestSequence(): SequenceNumber {
    return this.counted().smallest as SequenceNumber
  }

  /** 0 when empty. */
  get largestSequence(): SequenceNumber {
    return this.counted().largest as SequenceNumber
  }

  /** Bytes of `encode()`, known without encoding. O(1). @throws NotSupportedError if there are range tombstones */
  get encodedBytes(): number {
    const { keys, liveBytes, rangeTombstones } = this.counted()
    if (rangeTombstones > 0) throw rangesHaveNoDump()
    return dumpBytes(keys, liveBytes)
  }
}

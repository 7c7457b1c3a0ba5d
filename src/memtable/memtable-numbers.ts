/**
 * MemTableNumbers: what a MemTable tells of itself in numbers. In an attached table they are those of the newest publication.
 */
import type { SequenceNumber } from '../base/types.ts'
import { dumpBytes } from './dump.ts'
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

  /** Versions that are tombstones. */
  get tombstoneCount(): number {
    return this.counted().tombstones
  }

  /** Bytes of the keys and of their newest values: an overwrite counts its value instead of the one before it. */
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

  /** Bytes of `encode()`, known without encoding. O(1). */
  get encodedBytes(): number {
    const { keys, liveBytes } = this.counted()
    return dumpBytes(keys, liveBytes)
  }
}

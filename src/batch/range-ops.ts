/**
 * RangeOps: the range deletes of a batch: how many there are, and whether each ends after it starts. A batch does not know
 * the order of the keys, so whoever takes one for a database asks this first.
 *
 * Threads  belongs to one thread
 */
import { equalBytes } from '../base/bytes.ts'
import type { Comparator } from '../base/comparator.ts'
import type { Bytes, SequenceNumber } from '../base/types.ts'
import * as ValueType from '../base/value-type.ts'
import { type BatchSink, forEachOp } from './batch-format.ts'

export class RangeOps implements BatchSink {
  /** Range deletes of the batch read last. */
  count = 0
  /** What is wrong with one of them, or undefined. */
  fault: string | undefined = undefined
  readonly #comparator: Comparator

  constructor(comparator: Comparator) {
    this.#comparator = comparator
  }

  /** Read a well-formed batch. */
  read(bytes: Bytes, offset: number, length: number): this {
    this.count = 0
    this.fault = undefined
    forEachOp(bytes, offset, length, this)
    return this
  }

  add(
    _sequence: SequenceNumber,
    type: number,
    start: Bytes,
    startOff: number,
    startLen: number,
    end: Bytes,
    endOff: number,
    endLen: number,
  ): void {
    if (type !== ValueType.RANGE_DELETION) return
    this.count++
    const order = this.#comparator.compare(start, startOff, startLen, end, endOff, endLen)
    // Of ends that an order of the caller's own finds equal, no batch knows; it leaves out those that are the same.
    if (order > 0 || (order === 0 && equalBytes(start, startOff, startLen, end, endOff, endLen))) {
      this.fault = 'batch op deletes a range that does not start before its end'
    }
  }
}

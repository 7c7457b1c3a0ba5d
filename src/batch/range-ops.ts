/**
 * RangeOps: the range deletes of a batch: how many there are, and whether each ends after it starts. A batch does not know
 * the order of the keys, so whoever takes one for a database asks this first.
 *
 * Threads  belongs to one thread
 */
import type { Comparator } from '../base/comparator.ts'
import type { Bytes, SequenceNumber } from '../base/types.ts'
import * as ValueType from '../base/value-type.ts'
import { type BatchSink, forEachOp } from './batch-format.ts'

export class RangeOps implements BatchSink {
  /** Range deletes of the batch read last. */
  count = 0
  /** What is wrong with that batch, or with one of them; or undefined. */
  fault: string | undefined = undefined
  readonly #comparator: Comparator

  constructor(comparator: Comparator) {
    this.#comparator = comparator
  }

  /** Read a batch, which may not be well-formed. */
  read(bytes: Bytes, offset: number, length: number): this {
    this.count = 0
    this.fault = undefined
    const malformed = forEachOp(bytes, offset, length, this)
    if (malformed !== undefined) this.fault = malformed
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
    if (this.#comparator.compare(start, startOff, startLen, end, endOff, endLen) >= 0) {
      this.fault = 'batch op deletes a range that does not start before its end'
    }
  }
}

/**
 * What the database's comparator has to say before anything is logged: whether a range ends after it starts, and, of an order of
 * the caller's own, whether it takes the key at all. Writes that may delete ranges join the queue here.
 */
import { bytewiseComparator, type Comparator, checkComparable, compareKeys } from '../../base/comparator.ts'
import { InvalidArgumentError } from '../../base/errors.ts'
import type { Bytes, Durability, SequenceNumber } from '../../base/types.ts'
import * as ValueType from '../../base/value-type.ts'
import { type BatchSink, batchCount, forEachOp } from '../../batch/batch-format.ts'
import { RangeOps } from '../../batch/range-ops.ts'
import { NO_OPS, toBatch, type WriteBatch } from '../../batch/write-batch.ts'
import type { Engine } from '../engine.ts'
import { arenaBytesMax, BATCH_ARENA_BYTES_MAX, type WriteGroup } from './write-group.ts'

/** @throws InvalidArgumentError as checkComparable, or if the range ends before it starts. @returns whether it holds no key */
export function checkRange(comparator: Comparator, start: Bytes, end: Bytes): boolean {
  checkComparable(comparator, start, 0, start.length)
  checkComparable(comparator, end, 0, end.length)
  const order = compareKeys(comparator, start, end)
  if (order > 0) throw new InvalidArgumentError('the start of deleteRange must not sort after its end')
  return order === 0
}

/** Checks the keys of a batch. */
class KeyCheck implements BatchSink {
  readonly #comparator: Comparator

  constructor(comparator: Comparator) {
    this.#comparator = comparator
  }

  add(
    _sequence: SequenceNumber,
    type: number,
    key: Bytes,
    keyOff: number,
    keyLen: number,
    end: Bytes,
    endOff: number,
    endLen: number,
  ): void {
    checkComparable(this.#comparator, key, keyOff, keyLen)
    if (type === ValueType.RANGE_DELETION) checkComparable(this.#comparator, end, endOff, endLen)
  }
}

/** @throws InvalidArgumentError if the range ends before it starts */
export function joinDeleteRange(
  { queue, options }: Engine,
  start: Bytes,
  end: Bytes,
  durability: Durability,
): WriteGroup {
  // An empty range is an empty batch: nothing is written, but what was asked of the log is done.
  if (checkRange(options.comparator, start, end)) return queue.write(NO_OPS.encoded(), 0, durability)
  return queue.deleteRange(start, end, durability)
}

/** @throws InvalidArgumentError if it is no batch, has too many ops, or a range in it does not end after it starts */
export function joinBatch(engine: Engine, batch: WriteBatch, durability: Durability): WriteGroup {
  const own = toBatch(batch)
  return joinEncoded(engine, own.encoded(), own.rangeCount, durability)
}

/** As joinBatch, of the bytes of a batch with so many range deletes. */
export function joinEncoded(
  { queue, options }: Engine,
  encoded: Bytes,
  rangeCount: number,
  durability: Durability,
): WriteGroup {
  const { comparator } = options
  const count = batchCount(encoded, 0)
  if (arenaBytesMax(count, rangeCount, encoded.length) > BATCH_ARENA_BYTES_MAX)
    throw new InvalidArgumentError(`a batch of ${count} operations does not fit into a MemTable: write several batches`)
  if (comparator !== bytewiseComparator) forEachOp(encoded, 0, encoded.length, new KeyCheck(comparator))
  const ranges = new RangeOps(comparator)
  if (rangeCount > 0) ranges.read(encoded, 0, encoded.length)
  if (ranges.fault !== undefined) throw new InvalidArgumentError(ranges.fault)
  return queue.write(encoded, rangeCount, durability)
}

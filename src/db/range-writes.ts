/**
 * Writes that may delete ranges join the queue here: whether a range ends after it starts is for the database's comparator
 * to say, and has to be known before anything is logged.
 */
import type { Comparator } from '../base/comparator.ts'
import { InvalidArgumentError } from '../base/errors.ts'
import type { Bytes, Durability } from '../base/types.ts'
import { RangeOps } from '../batch/range-ops.ts'
import { WriteBatch } from '../batch/write-batch.ts'
import type { Engine } from './engine.ts'
import type { WriteGroup } from './write-group.ts'

/** @throws InvalidArgumentError if the range ends before it starts. @returns whether it holds no key */
export function checkRange(comparator: Comparator, start: Bytes, end: Bytes): boolean {
  const order = comparator.compare(start, 0, start.length, end, 0, end.length)
  if (order > 0) throw new InvalidArgumentError('deleteRange takes a start that does not sort after the end')
  return order === 0
}

/** @throws InvalidArgumentError unless it is a batch */
export function checkBatch(batch: WriteBatch): void {
  if (!(batch instanceof WriteBatch)) throw new InvalidArgumentError('write takes a WriteBatch')
}

/** @throws InvalidArgumentError if the range ends before it starts */
export function joinDeleteRange(
  { queue, options }: Engine,
  start: Bytes,
  end: Bytes,
  durability: Durability,
): WriteGroup {
  // An empty range is an empty batch: nothing is written, but what was asked of the log is done.
  if (checkRange(options.comparator, start, end)) return queue.write(new WriteBatch().encoded(), 0, durability)
  return queue.deleteRange(start, end, durability)
}

/** @throws InvalidArgumentError if it is no batch, or a range in it does not end after it starts */
export function joinBatch(engine: Engine, batch: WriteBatch, durability: Durability): WriteGroup {
  checkBatch(batch)
  return joinEncoded(engine, batch.encoded(), batch.rangeCount, durability)
}

/** As joinBatch, of the bytes of a batch with so many range deletes. */
export function joinEncoded(
  { queue, options }: Engine,
  encoded: Bytes,
  rangeCount: number,
  durability: Durability,
): WriteGroup {
  const ranges = new RangeOps(options.comparator)
  if (rangeCount > 0) ranges.read(encoded, 0, encoded.length)
  if (ranges.fault !== undefined) throw new InvalidArgumentError(ranges.fault)
  return queue.write(encoded, rangeCount, durability)
}

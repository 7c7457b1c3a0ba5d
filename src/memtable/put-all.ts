/**
 * putAll: many writes of a caller at once: all are looked at first, and then all are made, and published together.
 */
import { type Comparator, checkComparable } from '../base/comparator.ts'
import { InvalidArgumentError } from '../base/errors.ts'
import { toBytes, toOwnBytes } from '../base/text.ts'
import type { Bytes, SequenceNumber } from '../base/types.ts'
import * as ValueType from '../base/value-type.ts'
import type { MemTable } from './memtable.ts'
import { checkedSequence } from './memtable-arguments.ts'
import { MemTableFullError } from './memtable-full-error.ts'
import { KEY_BYTES_MAX } from './memtable-rep.ts'
import { OVERHEAD_BYTES_MAX } from './representation.ts'

/** @see MemTable.putMany */
export function putAll(
  table: MemTable,
  comparator: Comparator,
  entries: Iterable<readonly [unknown, unknown]>,
): SequenceNumber {
  const { list, bytes, longestKey } = batchOf(entries, table.capacityBytes)
  let sequence = table.largestSequence
  if (!table.hasRoom(bytes)) {
    if (!table.hasRoom(0)) throw new InvalidArgumentError('the MemTable takes no writes: it is frozen, or attached')
    throw new MemTableFullError(bytes, table.capacityBytes - table.memoryUsage)
  }
  if (longestKey > KEY_BYTES_MAX) throw new InvalidArgumentError(`key of ${longestKey} bytes exceeds ${KEY_BYTES_MAX}`)
  checkedSequence(sequence + list.length, 0)
  for (const { key } of list) checkComparable(comparator, key, 0, key.length)
  table.beginBatch()
  for (const { key, value } of list) {
    const type = value === undefined ? ValueType.DELETION : ValueType.VALUE
    sequence = (sequence + 1) as SequenceNumber
    table.add(sequence, type, key, 0, key.length, value ?? key, 0, value?.length ?? 0)
  }
  table.endBatch()
  return sequence
}

/** Writes that belong together, with the most that they can take. */
interface BatchOfWrites {
  readonly list: readonly { readonly key: Bytes; readonly value: Bytes | undefined }[]
  readonly bytes: number
  readonly longestKey: number
}

/**
 * All entries of an argument, read before any is used; no further than to the first that is more than `bytesMax` with those before it.
 * @throws InvalidArgumentError if one is not of its form
 */
function batchOf(entries: Iterable<readonly [unknown, unknown]>, bytesMax: number): BatchOfWrites {
  if (typeof entries !== 'object' || typeof entries?.[Symbol.iterator] !== 'function') {
    throw new InvalidArgumentError('entries must be an iterable of pairs of a key and a value')
  }
  // Whoever makes entries as they are asked for may make each in the same memory.
  const bytesOf = Array.isArray(entries) ? toBytes : toOwnBytes
  const list: { key: Bytes; value: Bytes | undefined }[] = []
  let bytes = 0
  let longestKey = 0
  for (const entry of entries) {
    if (!Array.isArray(entry)) throw new InvalidArgumentError('an entry must be a pair of a key and a value')
    const key = bytesOf(entry[0], 'key')
    const value = entry[1] === undefined ? undefined : bytesOf(entry[1], 'value')
    bytes += OVERHEAD_BYTES_MAX + key.length + (value?.length ?? 0)
    longestKey = Math.max(longestKey, key.length)
    list.push({ key, value })
    // Whoever makes entries as they are asked for may have no end of them.
    if (bytes > bytesMax) break
  }
  return { list, bytes, longestKey }
}

/**
 * What callers pass to a MemTable, checked: its comparator, sequence numbers, batches.
 */
import { bytewiseComparator, type Comparator, customComparator } from '../base/comparator.ts'
import { InvalidArgumentError } from '../base/errors.ts'
import { toBytes } from '../base/text.ts'
import type { Bytes, SequenceNumber } from '../base/types.ts'
import { CHECKSUMS } from './arena-layout.ts'
import type { MemTableOptions } from './memtable-options.ts'
import { OVERHEAD_BYTES_MAX } from './representation.ts'

/** Names of comparators that users cannot give to theirs. */
const RESERVED_NAME = /^(leveldb|rocksdb|varve)\.|^$/

/** The comparator of these options. @throws InvalidArgumentError if it is none, or has a name that is not a user's */
export function comparatorOf({ comparator = bytewiseComparator }: Pick<MemTableOptions, 'comparator'>): Comparator {
  if (typeof comparator?.compare !== 'function' || typeof comparator.name !== 'string') {
    throw new InvalidArgumentError('comparator must have a name and a function compare')
  }
  if ('shortestSeparator' in comparator) return comparator
  if (RESERVED_NAME.test(comparator.name)) {
    throw new InvalidArgumentError(`a comparator needs a name of its own, not '${comparator.name}'`)
  }
  return customComparator(comparator)
}

/** @throws InvalidArgumentError unless `sequence` is an integer from `min` to 2^53 − 1 */
export function checkedSequence(sequence: number, min: number): SequenceNumber {
  if (Number.isSafeInteger(sequence) && sequence >= min) return sequence as SequenceNumber
  throw new InvalidArgumentError(`sequence must be an integer from ${min} to 2^53 − 1, not ${String(sequence)}`)
}

/** What else these options want of an arena. @throws InvalidArgumentError if they are not of their form */
export function featuresOf({ checksums = false }: Pick<MemTableOptions, 'checksums'>): number {
  if (typeof checksums === 'boolean') return checksums ? CHECKSUMS : 0
  throw new InvalidArgumentError(`checksums must be true or false, not ${String(checksums)}`)
}

/** Writes that belong together, with the most that they can take. */
export interface BatchOfWrites {
  readonly list: readonly { readonly key: Bytes; readonly value: Bytes | undefined }[]
  readonly bytes: number
  readonly longestKey: number
}

/** All entries of an argument, read before any is used. @throws InvalidArgumentError if one is not of its form */
export function batchOf(entries: Iterable<readonly [unknown, unknown]>): BatchOfWrites {
  if (typeof entries !== 'object' || typeof entries?.[Symbol.iterator] !== 'function') {
    throw new InvalidArgumentError('entries must be an iterable of pairs of a key and a value')
  }
  const list: { key: Bytes; value: Bytes | undefined }[] = []
  let bytes = 0
  let longestKey = 0
  for (const entry of entries) {
    if (!Array.isArray(entry)) throw new InvalidArgumentError('an entry must be a pair of a key and a value')
    const key = toBytes(entry[0], 'key')
    const value = entry[1] === undefined ? undefined : toBytes(entry[1], 'value')
    bytes += OVERHEAD_BYTES_MAX + key.length + (value?.length ?? 0)
    longestKey = Math.max(longestKey, key.length)
    list.push({ key, value })
  }
  return { list, bytes, longestKey }
}

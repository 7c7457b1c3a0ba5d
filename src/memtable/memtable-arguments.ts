/**
 * What callers pass to a MemTable, checked: its comparator and representation, and sequence numbers.
 */
import { bytewiseComparator, type Comparator, customComparator } from '../base/comparator.ts'
import { InvalidArgumentError } from '../base/errors.ts'
import type { SequenceNumber } from '../base/types.ts'
import type { MemTableOptions } from './memtable.ts'
import { RADIX, SKIPLIST } from './memtable-rep.ts'

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

/** The id of what an option asks for. @throws InvalidArgumentError if it is none, or cannot order by the comparator */
export function representationId(option: unknown, comparator: Comparator): number {
  const isBytewise = comparator === bytewiseComparator
  if (option === undefined) return isBytewise ? RADIX : SKIPLIST
  if (option === 'skiplist') return SKIPLIST
  if (option !== 'radix') {
    throw new InvalidArgumentError(`representation must be 'radix' or 'skiplist', not ${String(option)}`)
  }
  if (!isBytewise) throw new InvalidArgumentError(`a 'radix' MemTable cannot be ordered by ${comparator.name}`)
  return RADIX
}

/** @throws InvalidArgumentError unless `sequence` is an integer from `min` to 2^53 − 1 */
export function checkedSequence(sequence: number, min: number): SequenceNumber {
  if (Number.isSafeInteger(sequence) && sequence >= min) return sequence as SequenceNumber
  throw new InvalidArgumentError(`sequence must be an integer from ${min} to 2^53 − 1, not ${String(sequence)}`)
}

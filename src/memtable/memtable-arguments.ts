/**
 * What callers pass to a MemTable, checked: its options, comparator, sequence numbers, features.
 */

import { bytewiseComparator, type Comparator, customComparator, isReservedName } from '../base/comparator.ts'
import { InvalidArgumentError } from '../base/errors.ts'
import { checkCallOptions } from '../base/known-options.ts'
import type { SequenceNumber } from '../base/types.ts'
import { CHECKSUMS } from './arena-layout.ts'
import type { MemTableOptions } from './memtable-options.ts'

const KNOWN = new Set(['capacityBytes', 'representation', 'comparator', 'checksums', 'seed'])

/** @throws InvalidArgumentError unless they are an object of options that there are: a misspelt one would be another table */
function checkOptions(options: MemTableOptions): void {
  checkCallOptions('a MemTable', options, KNOWN)
  const { seed = 0 } = options
  if (!Number.isInteger(seed)) throw new InvalidArgumentError(`seed must be an integer, not ${String(seed)}`)
}

/** The comparator of these options. @throws InvalidArgumentError as checkOptions; if it is none, or has a name that is not a user's */
export function comparatorOf(options: MemTableOptions): Comparator {
  checkOptions(options)
  const { comparator = bytewiseComparator } = options
  if (typeof comparator?.compare !== 'function' || typeof comparator.name !== 'string') {
    throw new InvalidArgumentError('comparator must have a name and a function compare')
  }
  if ('shortestSeparator' in comparator) return comparator
  if (isReservedName(comparator.name)) {
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

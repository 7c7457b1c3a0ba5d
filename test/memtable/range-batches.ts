/**
 * The batches of the range threads test. Batch b deletes a wide range, puts one key of it anew and one key outside, and
 * deletes a range of its own, among those of other batches, which nest and overlap. A value is its sequence in words.
 */
import { Prng } from '../../src/base/prng.ts'
import { sequenceNumber } from '../../src/base/types.ts'
import * as ValueType from '../../src/base/value-type.ts'
import type { MemTable } from '../../src/memtable/memtable.ts'
import { bytesOf } from '../table/entries.ts'

/** Of a batch. */
export const SEQUENCES = 4
/** Keys of the wide range; batch b puts the one of number b modulo this. */
export const WIDE_KEYS = 6
const SPACE = 60

/** The first sequence of a batch is its wide range's. */
export function wideSequence(batch: number): number {
  return batch * SEQUENCES
}

export function wideKey(slot: number): Uint8Array<ArrayBuffer> {
  return bytesOf(`w${slot % WIDE_KEYS}`)
}

export const OUTER_KEY: Uint8Array<ArrayBuffer> = bytesOf('outer')

/** Add a batch, published or not. */
export function addRangeBatch(table: MemTable, batch: number): void {
  const first = wideSequence(batch)
  add(table, first, ValueType.RANGE_DELETION, bytesOf('w'), bytesOf('x'))
  add(table, first + 1, ValueType.VALUE, wideKey(batch), bytesOf(`${first + 1}`))
  const prng = new Prng(batch)
  const start = prng.below(SPACE)
  const end = start + 1 + prng.below(SPACE - start)
  add(table, first + 2, ValueType.RANGE_DELETION, bytesOf(`r${100 + start}`), bytesOf(`r${100 + end}`))
  add(table, first + 3, ValueType.VALUE, OUTER_KEY, bytesOf(`${first + 3}`))
}

function add(table: MemTable, sequence: number, type: number, key: Uint8Array, value: Uint8Array): void {
  table.add(sequenceNumber(sequence), type, key, 0, key.length, value, 0, value.length)
}

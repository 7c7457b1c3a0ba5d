/**
 * Random walks of an InternalIterator beside a sorted array, which says what each move must find. Shared by the tests of
 * every iterator.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { InternalIterator } from '../../src/base/iterator.ts'
import { compareEntries, current, deleteEntry, describe, type Entry, putEntry } from './entries.ts'

export type Move =
  | { readonly kind: 'first' | 'last' | 'next' | 'prev' }
  | { readonly kind: 'seek'; readonly target: Entry }

/** Keys that share prefixes, end in one another and hold extreme bytes. */
const anyKey: fc.Arbitrary<Uint8Array> = fc
  .array(fc.constantFrom(0, 1, 97, 98, 254, 255), { maxLength: 5 })
  .map((bytes) => Uint8Array.from(bytes))

const anyEntry: fc.Arbitrary<Entry> = fc
  .tuple(
    anyKey,
    fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constant(2 ** 52)),
    fc.boolean(),
    fc.integer({ max: 300, min: 0 }),
  )
  .map(([key, sequence, isPut, valueBytes]) =>
    isPut ? putEntry(key, sequence, new Uint8Array(valueBytes).fill(sequence)) : deleteEntry(key, sequence),
  )

/** Sorted entries with distinct internal keys. */
export const anyEntries: fc.Arbitrary<readonly Entry[]> = fc
  .uniqueArray(anyEntry, {
    maxLength: 60,
    comparator: (a, b) => compareEntries({ ...a, low: a.low | 1 }, { ...b, low: b.low | 1 }) === 0,
  })
  .map((entries) => entries.toSorted((a, b) => compareEntries(a, b)))

const anyMove: fc.Arbitrary<Move> = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom<Move>({ kind: 'first' }, { kind: 'last' }) },
  { weight: 2, arbitrary: anyEntry.map((target): Move => ({ kind: 'seek', target })) },
  { weight: 6, arbitrary: fc.constantFrom<Move>({ kind: 'next' }, { kind: 'prev' }) },
)

export const anyMoves: fc.Arbitrary<readonly Move[]> = fc.array(anyMove, { maxLength: 60 })

/** Make the moves; after each, the iterator must be where the array says. */
export function checkWalk(iterator: InternalIterator, entries: readonly Entry[], moves: readonly Move[]): void {
  assert.equal(iterator.valid, false, 'a new iterator is not valid')
  let at = -1
  for (const move of moves) {
    if ((move.kind === 'next' || move.kind === 'prev') && !iterator.valid) continue
    at = expectedPlace(entries, at, move)
    make(iterator, move)
    const found = current(iterator)
    const expected = entries[at]
    assert.equal(found && describe(found), expected && describe(expected), `after ${move.kind}`)
  }
}

function expectedPlace(entries: readonly Entry[], at: number, move: Move): number {
  if (move.kind === 'seek') {
    const found = entries.findIndex((entry) => compareEntries(entry, move.target) >= 0)
    return found < 0 ? entries.length : found
  }
  return { first: 0, last: entries.length - 1, next: at + 1, prev: at - 1 }[move.kind]
}

function make(iterator: InternalIterator, move: Move): void {
  if (move.kind === 'seek') {
    const { key, low, high } = move.target
    iterator.seek(key, 0, key.length, low, high)
  } else if (move.kind === 'first') iterator.seekToFirst()
  else if (move.kind === 'last') iterator.seekToLast()
  else if (move.kind === 'next') iterator.next()
  else iterator.prev()
}

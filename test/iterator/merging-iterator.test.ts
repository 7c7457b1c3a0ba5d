/**
 * MergingIterator: its children are BlockIterator-like arrays, so that only the merge is under test.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { EMPTY } from '../../src/base/bytes.ts'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { CorruptionError } from '../../src/base/errors.ts'
import type { InternalIterator } from '../../src/base/iterator.ts'
import type { Bytes } from '../../src/base/types.ts'
import { MergingIterator } from '../../src/iterator/merging-iterator.ts'
import { bytesOf, compareEntries, type Entry, listBackwards, listForwards, putEntry } from '../table/entries.ts'
import { anyEntries, anyMoves, checkWalk } from '../table/walks.ts'

/** Iterates over a sorted array; throws when it comes to the entry number `damagedAt`. */
class ArrayIterator implements InternalIterator {
  valid = false
  keyBuf: Bytes = EMPTY
  keyOff = 0
  keyLen = 0
  tagLow = 0
  tagHigh = 0
  valBuf: Bytes = EMPTY
  valOff = 0
  valLen = 0
  readonly #entries: readonly Entry[]
  readonly #damagedAt: number
  #at = 0

  constructor(entries: readonly Entry[], damagedAt: number = Number.NaN) {
    this.#entries = entries
    this.#damagedAt = damagedAt
  }

  seekToFirst(): void {
    this.#go(0)
  }

  seekToLast(): void {
    this.#go(this.#entries.length - 1)
  }

  seek(key: Bytes, keyOff: number, keyLen: number, low: number, high: number): void {
    const target = { key: key.slice(keyOff, keyOff + keyLen), low, high, value: EMPTY }
    const found = this.#entries.findIndex((entry) => compareEntries(entry, target) >= 0)
    this.#go(found < 0 ? this.#entries.length : found)
  }

  next(): void {
    assert.ok(this.valid, 'next needs a valid iterator')
    this.#go(this.#at + 1)
  }

  prev(): void {
    assert.ok(this.valid, 'prev needs a valid iterator')
    this.#go(this.#at - 1)
  }

  #go(at: number): void {
    this.valid = false
    if (at === this.#damagedAt) throw new CorruptionError('damaged')
    this.#at = at
    const entry = this.#entries[at]
    if (entry === undefined) return
    this.valid = true
    // Borrowed bytes: the next move overwrites them, as a block iterator's key buffer.
    this.keyBuf.fill(0xee)
    this.keyBuf = entry.key.slice()
    this.keyLen = entry.key.length
    this.tagLow = entry.low
    this.tagHigh = entry.high
    this.valBuf = entry.value
    this.valLen = entry.value.length
  }
}

function merge(children: readonly (readonly Entry[])[]): MergingIterator {
  return new MergingIterator(
    bytewiseComparator,
    children.map((entries) => new ArrayIterator(entries)),
  )
}

test('walks over a merge find what one sorted array holds', () => {
  const anyDeal = fc.infiniteStream(fc.nat())
  fc.assert(
    fc.property(anyEntries, anyMoves, fc.integer({ min: 0, max: 9 }), anyDeal, (entries, moves, childCount, deal) => {
      const children: Entry[][] = Array.from({ length: childCount }, () => [])
      // Runs in one child as well as changes at every entry.
      for (const entry of entries) children[deal.next().value % Math.max(1, childCount)]?.push(entry)
      checkWalk(merge(children), childCount === 0 ? [] : entries, moves)
    }),
    { numRuns: 500 },
  )
})

test('a merge of nothing is empty', () => {
  for (const children of [[], [[]], [[], [], []]]) {
    assert.deepEqual(listForwards(merge(children)), [])
    assert.deepEqual(listBackwards(merge(children)), [])
  }
})

test('equal internal keys come lower child first, in both directions and after every turn', () => {
  const tied = [0, 1, 2].map((child) => [putEntry(bytesOf('k'), 5, bytesOf(`child ${child}`))])
  const expected = tied.map((_, child) => `"k"#5=child ${child}`)
  const iterator = merge(tied)
  assert.deepEqual(listForwards(iterator), expected)
  assert.deepEqual(listBackwards(iterator), expected.toReversed())
  const valueNow = (): string => Buffer.from(iterator.valBuf).toString()
  iterator.seekToFirst()
  const seen = [valueNow()]
  for (const move of ['next', 'prev', 'next', 'next', 'prev', 'prev', 'next', 'next'] as const) {
    iterator[move]()
    seen.push(valueNow())
  }
  assert.deepEqual(seen.join(), [0, 1, 0, 1, 2, 1, 0, 1, 2].map((child) => `child ${child}`).join())
})

test('damage in a child ends the move, leaves the merge not valid, and does not spoil a later seek', () => {
  const entries = ['a', 'b', 'c', 'd'].map((key, i) => putEntry(bytesOf(key), i + 1, EMPTY))
  const iterator = new MergingIterator(bytewiseComparator, [
    new ArrayIterator([entries[0], entries[2]], 1),
    new ArrayIterator([entries[1], entries[3]]),
  ])
  iterator.seekToFirst()
  assert.throws(() => iterator.next(), CorruptionError)
  assert.equal(iterator.valid, false)
  iterator.seekToFirst()
  assert.equal(iterator.valid, true)
  assert.equal(Buffer.from(iterator.keyBuf).toString(), 'a')
})

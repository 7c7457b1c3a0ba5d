/**
 * MergingIterator: its children are BlockIterator-like arrays, so that only the merge is under test.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { EMPTY } from '../../src/base/bytes.ts'
import { bytewiseComparator, customComparator } from '../../src/base/comparator.ts'
import { CorruptionError } from '../../src/base/errors.ts'
import { MergingIterator } from '../../src/iterator/merging-iterator.ts'
import { bytesOf, current, describe, type Entry, listBackwards, listForwards, putEntry } from '../table/entries.ts'
import { anyEntries, anyMoves, checkWalk } from '../table/walks.ts'
import { ArrayIterator } from './array-iterator.ts'

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
      const merged = childCount === 0 ? [] : entries
      const iterator = merge(children)
      checkWalk(iterator, merged, moves)
      // What is known of the children from one walk is of no use in the next.
      for (let round = 0; round < 2; round++) {
        assert.deepEqual(listForwards(iterator), merged.map(describe))
        assert.deepEqual(listBackwards(iterator), merged.map(describe).toReversed())
      }
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
  // Every walk of so many moves that does not leave the three.
  for (let walk = 0; walk < 2 ** 8; walk++) {
    for (const start of ['seekToFirst', 'seekToLast'] as const) {
      iterator[start]()
      let at = start === 'seekToFirst' ? 0 : 2
      for (let step = 0; step < 8 && at >= 0 && at < 3; step++) {
        assert.equal(describe(current(iterator)!), expected[at], `walk ${walk}, step ${step}`)
        const move = (walk >> step) & 1
        at += move === 1 ? 1 : -1
        iterator[move === 1 ? 'next' : 'prev']()
      }
      assert.equal(iterator.valid, at >= 0 && at < 3)
    }
  }
})

test('while one child gives entry after entry a move costs one comparison, and moves no other child', () => {
  let comparisons = 0
  const counting = customComparator({
    name: 'counting',
    compare: (a, b) => {
      comparisons++
      return Buffer.compare(a, b)
    },
  })
  const run = Array.from({ length: 100 }, (_, i) => putEntry(bytesOf(`m${1000 + i}`), 1, EMPTY))
  const others = ['a', 'n', 'o', 'p', 'q', 'r', 's'].map((key) => [putEntry(bytesOf(key), 1, EMPTY)])
  const children = [...others, run].map((entries) => new ArrayIterator(entries))
  const iterator = new MergingIterator(counting, children)
  for (const [move, start] of [
    ['next', run[0]],
    ['prev', run[99]],
  ] as const) {
    iterator.seek(start.key, 0, start.key.length, start.low, start.high)
    // The first move may be a turn, and the next one has to look for the child that comes second.
    for (let i = 0; i < 3; i++) iterator[move]()
    const before = comparisons
    const moves = children.map(({ moveCount }) => moveCount)
    for (let i = 0; i < 90; i++) iterator[move]()
    assert.ok(iterator.valid)
    assert.equal(comparisons - before, 90, move)
    assert.deepEqual(
      children.map(({ moveCount }, i) => moveCount - moves[i]),
      [...others.map(() => 0), 90],
    )
  }
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
  assert.equal(describe(current(iterator)!), '"a"#1=')
})

test('a merge is not valid after any move that damage ended', () => {
  const entries = ['a', 'b', 'c'].map((key, i) => putEntry(bytesOf(key), i + 1, EMPTY))
  const moves: readonly (readonly [damagedAt: number, move: (iterator: MergingIterator) => void])[] = [
    [0, (iterator) => iterator.seekToFirst()],
    [2, (iterator) => iterator.seekToLast()],
    [0, (iterator) => iterator.seek(bytesOf('a'), 0, 1, entries[0].low, entries[0].high)],
    [2, (iterator) => iterator.next()],
    [0, (iterator) => iterator.prev()],
  ]
  for (const [i, [damagedAt, move]] of moves.entries()) {
    const damaged = new ArrayIterator(entries, damagedAt)
    const iterator = new MergingIterator(bytewiseComparator, [new ArrayIterator([]), damaged])
    iterator.seek(bytesOf('b'), 0, 1, entries[1].low, entries[1].high)
    assert.equal(iterator.valid, true)
    assert.throws(() => move(iterator), CorruptionError)
    assert.equal(iterator.valid, false, `move ${i}`)
  }
})

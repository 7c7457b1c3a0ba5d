/**
 * A MemTable beside a sorted array, over random histories.
 * Strategy    every property runs with each representation; the skip list and the vector with the bytewise comparator, by which keys are
 *             compared as words, and with one of the same order that compares whole keys.
 * Invariants  lookups and walks at every moment find what the array holds; an attached table finds what was published
 *             when it looked, whatever the writer has done since; the numbers are those that counting the array gives
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bytewiseComparator, type Comparator, customComparator } from '../../src/base/comparator.ts'
import * as Lookup from '../../src/base/lookup.ts'
import { MAX_SEQUENCE, sequenceNumber } from '../../src/base/types.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import type { MemTableCursor } from '../../src/memtable/memtable-cursor.ts'
import { describe, type Entry, listBackwards, listForwards } from '../table/entries.ts'
import { checkWalk, type Move } from '../table/walks.ts'
import { addTo, anyHistory, anyKey, isDeletion, newestAt, sequenceOf, sorted } from './histories.ts'
import type { Representation } from './representations.ts'

/** How a table finds its keys. */
interface Kind {
  readonly representation: Representation
  readonly comparator: Comparator
}

const anyKind: fc.Arbitrary<Kind> = fc.constantFrom<Kind>(
  { representation: 'radix', comparator: bytewiseComparator },
  { representation: 'skiplist', comparator: bytewiseComparator },
  {
    representation: 'skiplist',
    comparator: customComparator({ name: 'test.bytes', compare: (a, b) => Buffer.compare(a, b) }),
  },
  { representation: 'vector', comparator: bytewiseComparator },
  {
    representation: 'vector',
    comparator: customComparator({ name: 'test.bytes', compare: (a, b) => Buffer.compare(a, b) / 2 }),
  },
)
/** Kinds that other threads read while they are written. */
const anyLiveKind = anyKind.filter(({ representation }) => representation !== 'vector')
const anySeed = fc.nat()

function create(kind: Kind, seed: number): MemTable {
  return MemTable.create({ capacityBytes: 1 << 16, ...kind, seed })
}

function newestWords(cursor: MemTableCursor): string {
  const { key, type, sequence } = cursor
  return `${Buffer.from(key).toString('hex')} ${type} ${sequence} ${cursor.value?.join()}`
}

function entryWords(entry: Entry): string {
  const value = isDeletion(entry) ? undefined : entry.value.join()
  const type = isDeletion(entry) ? 'tombstone' : 'value'
  return `${Buffer.from(entry.key).toString('hex')} ${type} ${sequenceOf(entry)} ${value}`
}

test('walks over all versions find what a sorted array holds', () => {
  const anyMove: fc.Arbitrary<Move> = fc.oneof(
    { weight: 1, arbitrary: fc.constantFrom<Move>({ kind: 'first' }, { kind: 'last' }) },
    { weight: 2, arbitrary: anyHistory.filter((h) => h.length > 0).map((h): Move => ({ kind: 'seek', target: h[0] })) },
    { weight: 2, arbitrary: fc.nat().map((n): Move => ({ kind: 'seek', target: { ...anchor, low: n } })) },
    { weight: 8, arbitrary: fc.constantFrom<Move>({ kind: 'next' }, { kind: 'prev' }) },
  )
  const anchor: Entry = { key: Uint8Array.of(97), low: 0, high: 0, value: new Uint8Array(0) }
  fc.assert(
    fc.property(anyHistory, fc.array(anyMove, { maxLength: 80 }), anyKind, anySeed, (history, moves, kind, seed) => {
      const table = create(kind, seed)
      for (const entry of history) addTo(table, entry)
      // Targets that are in the table: a seek to a key with versions on both sides of the tag.
      const inside = moves.map((move, i): Move => {
        if (move.kind !== 'seek' || history.length === 0 || i % 2 === 0) return move
        const near = history[i % history.length]
        return { kind: 'seek', target: i % 3 === 0 ? near : { ...near, low: near.low ^ 1 } }
      })
      checkWalk(table.iterator(), sorted(history), inside)
    }),
    { numRuns: 300 },
  )
})

test('a lookup finds the newest version at or below its sequence', () => {
  fc.assert(
    fc.property(anyHistory, anyKind, anySeed, fc.array(anyKey), (history, kind, seed, others) => {
      const table = create(kind, seed)
      for (const entry of history) addTo(table, entry)
      const keys = [...history.map((entry) => entry.key), ...others]
      for (const sequence of [0, ...history.map(sequenceOf), MAX_SEQUENCE]) {
        const newest = newestAt(history, sequence)
        for (const key of keys) {
          const expected = newest.find((entry) => Buffer.compare(entry.key, key) === 0)
          const found = table.lookup(key, 0, key.length, sequenceNumber(sequence))
          if (expected === undefined) {
            assert.equal(found, Lookup.ABSENT)
            continue
          }
          assert.equal(found, isDeletion(expected) ? Lookup.DELETED : Lookup.FOUND)
          assert.deepEqual([table.foundTagLow, table.foundTagHigh], [expected.low, expected.high])
          if (found === Lookup.DELETED) continue
          const value = table.valBuf.slice(table.valOff, table.valOff + table.valLen)
          assert.deepEqual(value, expected.value)
        }
      }
    }),
    { numRuns: 60 },
  )
})

test('an attached table finds the batches that were published when it looked, and nothing of later ones', () => {
  fc.assert(
    fc.property(anyHistory, fc.nat(120), fc.nat(120), anyLiveKind, anySeed, (history, a, b, kind, seed) => {
      const [published, added] = [Math.min(a, b), Math.max(a, b)]
      const table = create(kind, seed)
      const attached = MemTable.attach(table.share(), kind)
      for (const entry of history.slice(0, published)) addTo(table, entry)
      table.publish()
      for (const entry of history.slice(published, added)) addTo(table, entry)
      const before = history.slice(0, published)
      const early = attached.iterator()
      const cursor = attached.cursor()
      assert.deepEqual(listForwards(early), sorted(before).map(describe))
      assert.equal(attached.entryCount, before.length)
      for (const { key } of history) {
        const expected = newestAt(before, MAX_SEQUENCE).find((entry) => Buffer.compare(entry.key, key) === 0)
        assert.equal(attached.lookup(key, 0, key.length, MAX_SEQUENCE) === Lookup.ABSENT, expected === undefined)
        if (expected !== undefined) assert.deepEqual(attached.foundTagLow, expected.low)
      }
      for (const entry of history.slice(added)) addTo(table, entry)
      table.freeze()
      assert.deepEqual(listForwards(early), sorted(before).map(describe), 'an iterator stays where it began')
      assert.deepEqual(listBackwards(early), sorted(before).map(describe).reverse())
      checkNewest(cursor, newestAt(before, MAX_SEQUENCE))
      assert.deepEqual(listForwards(attached.iterator()), sorted(history).map(describe))
      assert.deepEqual(listBackwards(attached.iterator()), sorted(history).map(describe).reverse())
    }),
    { numRuns: 200 },
  )
})

function checkNewest(cursor: MemTableCursor, newest: readonly Entry[]): void {
  const forwards: string[] = []
  for (cursor.first(); cursor.valid; cursor.next()) forwards.push(newestWords(cursor))
  assert.deepEqual(forwards, newest.map(entryWords))
  const backwards: string[] = []
  for (cursor.last(); cursor.valid; cursor.prev()) backwards.push(newestWords(cursor))
  assert.deepEqual(backwards, newest.map(entryWords).reverse())
}

test('cursors and range scans yield the newest version of each key', () => {
  fc.assert(
    fc.property(anyHistory, anyKey, anyKey, anyKind, anySeed, (history, from, to, kind, seed) => {
      const table = create(kind, seed)
      for (const entry of history) addTo(table, entry)
      const newest = newestAt(history, MAX_SEQUENCE)
      const cursor = table.cursor()
      checkNewest(cursor, newest)

      const least = newest.find((entry) => Buffer.compare(entry.key, from) >= 0)
      assert.equal(cursor.seek(from), least !== undefined)
      if (least !== undefined) assert.equal(newestWords(cursor), entryWords(least))
      const greatest = newest.findLast((entry) => Buffer.compare(entry.key, from) <= 0)
      assert.equal(cursor.seekForPrev(from), greatest !== undefined)
      if (greatest !== undefined) assert.equal(newestWords(cursor), entryWords(greatest))

      const inRange = newest.filter((e) => Buffer.compare(e.key, from) >= 0 && Buffer.compare(e.key, to) <= 0)
      const found = [...table.rangeScan(from, to)]
      assert.deepEqual(
        found.map(({ key, sequence }) => [...key, sequence]),
        inRange.map((entry) => [...entry.key, sequenceOf(entry)]),
      )
      assert.equal([...table.entries()].length, newest.length)
    }),
    { numRuns: 150 },
  )
})

test('the numbers are what counting the history gives', () => {
  fc.assert(
    fc.property(anyHistory, anyKind, anySeed, (history, kind, seed) => {
      const table = create(kind, seed)
      for (const entry of history) addTo(table, entry)
      const used = table.memoryUsage
      table.freeze()
      assert.equal(table.memoryUsage, used, 'freezing takes no room that was not counted')
      const newest = newestAt(history, MAX_SEQUENCE)
      const sequences = history.map(sequenceOf)
      for (const view of [table, MemTable.attach(table.share(), kind)]) {
        assert.equal(view.entryCount, history.length)
        assert.equal(view.length, newest.length)
        assert.equal(view.tombstoneCount, history.filter(isDeletion).length)
        assert.equal(
          view.sizeInBytes,
          newest.reduce((sum, entry) => sum + entry.key.length + entry.value.length, 0),
        )
        assert.equal(view.smallestSequence, sequences[0] ?? 0)
        assert.equal(view.largestSequence, sequences.at(-1) ?? 0)
        assert.ok(view.memoryUsage <= view.capacityBytes)
      }
      const most = history.reduce((sum, e) => sum + MemTable.entryBytesMax(e.key.length, e.value.length), 0)
      assert.ok(table.memoryUsage <= most, 'no entry takes more than was reserved for it')
    }),
    { numRuns: 150 },
  )
})

/**
 * RangeFilterIterator: over an array, with the range tombstones of MemTables.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { EMPTY } from '../../src/base/bytes.ts'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { CorruptionError } from '../../src/base/errors.ts'
import { MAX_TAG_HIGH, MAX_TAG_LOW } from '../../src/base/internal-key.ts'
import type { RangeCover } from '../../src/base/range-cover.ts'
import { MAX_SEQUENCE, sequenceNumber } from '../../src/base/types.ts'
import { RangeFilterIterator } from '../../src/iterator/range-filter-iterator.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import { sequenceOf } from '../jobs/flushing.ts'
import { bytesOf, describe, type Entry, listBackwards, listForwards, putEntry } from '../table/entries.ts'
import { anyEntries, anyMoves, checkWalk } from '../table/walks.ts'
import { ArrayIterator } from './array-iterator.ts'

interface Range {
  readonly start: Uint8Array
  readonly end: Uint8Array
  readonly sequence: number
}

const anyBound: fc.Arbitrary<Uint8Array> = fc
  .array(fc.constantFrom(0, 1, 97, 98, 254, 255), { maxLength: 4 })
  .map((bytes) => Uint8Array.from(bytes))

/** Range deletes with ascending sequences, some older and some newer than the entries. */
const anyRanges: fc.Arbitrary<readonly Range[]> = fc
  .array(fc.tuple(anyBound, anyBound, fc.integer({ min: 1, max: 3 })), { maxLength: 12 })
  .map((drawn) => {
    let sequence = 0
    return drawn.map(([a, b, gap]) => {
      sequence += gap
      const [start, end] = Buffer.compare(a, b) <= 0 ? [a, b] : [b, a]
      return { start, end, sequence }
    })
  })

/** The ranges dealt out to MemTables in runs, as covers as of a sequence; newest MemTable first. */
function coversOf(ranges: readonly Range[], tables: number, sequence: number): RangeCover[] {
  const covers: RangeCover[] = []
  const run = Math.ceil(ranges.length / tables)
  for (let i = tables - 1; i >= 0; i--) {
    const table = MemTable.create({ capacityBytes: 1024 * 1024 })
    for (const range of ranges.slice(i * run, (i + 1) * run)) table.deleteRange(range.start, range.end, range.sequence)
    const cover = table.rangeCover(sequenceNumber(sequence))
    if (cover !== undefined) covers.push(cover)
  }
  return covers
}

function isHidden(entry: Entry, ranges: readonly Range[], readAt: number): boolean {
  return ranges.some(
    ({ start, end, sequence }) =>
      sequence <= readAt &&
      sequenceOf(entry) < sequence &&
      Buffer.compare(start, entry.key) <= 0 &&
      Buffer.compare(entry.key, end) < 0,
  )
}

for (const jumps of [true, false]) {
  test(`walks find what no newer range tombstone covers, ${jumps ? 'jumping' : 'stepping'} over the rest`, () => {
    const anyTables = fc.integer({ min: 1, max: 3 })
    const anySequence = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.constant(MAX_SEQUENCE))
    fc.assert(
      fc.property(anyEntries, anyRanges, anyTables, anySequence, anyMoves, (entries, ranges, tables, readAt, moves) => {
        const newest = jumps ? Math.max(0, ...entries.map(sequenceOf)) : MAX_SEQUENCE
        const filter = new RangeFilterIterator(
          new ArrayIterator(entries),
          bytewiseComparator,
          coversOf(ranges, tables, readAt),
          sequenceNumber(newest),
        )
        const shown = entries.filter((entry) => !isHidden(entry, ranges, readAt))
        checkWalk(filter, shown, moves)
        assert.equal(listForwards(filter).length, shown.length)
        assert.equal(listBackwards(filter).length, shown.length)
      }),
      { numRuns: 600 },
    )
  })
}

function numbered(count: number): Entry[] {
  return Array.from({ length: count }, (_, i) => putEntry(bytesOf(String(i).padStart(5, '0')), i + 1, EMPTY))
}

function filtered(child: ArrayIterator, ranges: readonly Range[], newestEntry: number): RangeFilterIterator {
  const covers = coversOf(ranges, 1, MAX_SEQUENCE)
  return new RangeFilterIterator(child, bytewiseComparator, covers, sequenceNumber(newestEntry))
}

test('a scan behind a large range delete costs a few moves, in either direction', () => {
  const entries = numbered(10_000)
  const ranges = [{ start: bytesOf('00002'), end: bytesOf('09998'), sequence: 20_000 }]
  for (const list of [listForwards, listBackwards]) {
    const child = new ArrayIterator(entries)
    assert.equal(list(filtered(child, ranges, 10_000)).length, 4)
    assert.ok(child.moveCount < 20, `${child.moveCount} moves`)
  }
})

test('entries that are newer than a range over them are found, however many it hides beside them', () => {
  const ascending = numbered(100)
  // The newest entry first, last and in the middle of what is hidden.
  const orders = [ascending, ascending.toReversed(), [...ascending.slice(50), ...ascending.slice(0, 50)]]
  for (const order of orders) {
    const entries = ascending.map(({ key }, i) => ({ ...order[i], key }))
    for (const sequence of [50, 99, 100, 101]) {
      const ranges = [{ start: bytesOf('00000'), end: bytesOf('00100'), sequence }]
      const shown = entries.filter((entry) => sequenceOf(entry) >= sequence).map(describe)
      assert.deepEqual(listForwards(filtered(new ArrayIterator(entries), ranges, 100)), shown)
      assert.deepEqual(listBackwards(filtered(new ArrayIterator(entries), ranges, 100)), shown.toReversed())
    }
  }
})

test('a scan over several large range deletes jumps over each, and shows what is between them once', () => {
  const entries = numbered(10_000)
  const ranges = ['1', '3', '5', '7'].map((digit, i) => ({
    start: bytesOf(`0${digit}005`),
    end: bytesOf(`0${Number(digit) + 2}000`),
    sequence: 20_000 + i,
  }))
  const keys = [...Array(1005).keys(), ...[3000, 5000, 7000].flatMap((from) => [0, 1, 2, 3, 4].map((i) => from + i))]
  const shown = [...keys, ...Array.from({ length: 1000 }, (_, i) => 9000 + i)].map((i) => describe(entries[i]))
  for (const list of [listForwards, listBackwards]) {
    const child = new ArrayIterator(entries)
    const found = list(filtered(child, ranges, 10_000))
    assert.deepEqual(list === listForwards ? found : found.reverse(), shown)
    assert.ok(child.moveCount < shown.length + 60, `${child.moveCount} moves for ${shown.length} entries`)
  }
})

test('an entry of the sequence 0 is shown where no range covers it, and hidden where one does', () => {
  const entries = ['a', 'b', 'c'].map((key) => putEntry(bytesOf(key), 0, EMPTY))
  const ranges = [{ start: bytesOf('b'), end: bytesOf('c'), sequence: 1 }]
  for (const newestEntry of [0, 9])
    assert.deepEqual(listForwards(filtered(new ArrayIterator(entries), ranges, newestEntry)), ['"a"#0=', '"c"#0='])
})

test('a range without end on its side ends a scan at once', () => {
  const entries = numbered(10_000)
  const ranges = [{ start: bytesOf(''), end: bytesOf('1'), sequence: 20_000 }]
  for (const list of [listForwards, listBackwards]) {
    const child = new ArrayIterator(entries)
    assert.deepEqual(list(filtered(child, ranges, 10_000)), [])
    assert.ok(child.moveCount < 20, `${child.moveCount} moves`)
  }
})

test('a turn in the middle of a jump finds the entries on either side of the range', () => {
  const child = new ArrayIterator(numbered(100))
  const filter = filtered(child, [{ start: bytesOf('00010'), end: bytesOf('00090'), sequence: 200 }], 100)
  const key = (): string => Buffer.from(filter.keyBuf.subarray(filter.keyOff, filter.keyOff + filter.keyLen)).toString()
  filter.seek(bytesOf('00009'), 0, 5, MAX_TAG_LOW, MAX_TAG_HIGH)
  const seen = [key()]
  for (const move of ['next', 'prev', 'prev', 'next', 'next', 'next', 'prev'] as const) {
    filter[move]()
    seen.push(key())
  }
  assert.deepEqual(seen, ['00009', '00090', '00009', '00008', '00009', '00090', '00091', '00090'])
})

test('damage in the child ends the move and leaves the filter not valid', () => {
  const child = new ArrayIterator(numbered(4), 2)
  const filter = filtered(child, [{ start: bytesOf('00001'), end: bytesOf('00003'), sequence: 9 }], 4)
  filter.seekToFirst()
  assert.equal(filter.valid, true)
  assert.throws(() => filter.next(), CorruptionError)
  assert.equal(filter.valid, false)
})

/**
 * Range tombstones of a MemTable beside a list of them, over random histories with sequences in any order.
 * Invariants  at every sequence, every way to ask gives what the list gives: lookups, covers, fragments, scans; an attached
 *             table gives what was published when it looked; maps stay balanced, and what they cost stays below its bound
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { InvalidArgumentError, NotSupportedError } from '../../src/base/errors.ts'
import { tagSequence, tagType } from '../../src/base/internal-key.ts'
import * as Lookup from '../../src/base/lookup.ts'
import { Prng } from '../../src/base/prng.ts'
import type { RangeCover } from '../../src/base/range-cover.ts'
import { type Bytes, MAX_SEQUENCE, sequenceNumber } from '../../src/base/types.ts'
import * as ValueType from '../../src/base/value-type.ts'
import * as Layout from '../../src/memtable/arena-layout.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import { MemTableFullError } from '../../src/memtable/memtable-full-error.ts'
import { NO_LIMIT } from '../../src/memtable/memtable-rep.ts'
import { BOUNDARY, COVER, HEIGHT, leftOf, NODE_BYTES, rightOf, rootOf } from '../../src/memtable/range-map.ts'
import { paintingBytesMax } from '../../src/memtable/range-painter.ts'
import { LINK_BYTES, VERSION_BYTES } from '../../src/memtable/version-record.ts'
import { bytesOf } from '../table/entries.ts'
import { answerOf, anyRangeHistory, apply, fragmentWords, type History, KINDS, type Kind, Model } from './ranges.ts'
import { testEach, testEachLive } from './representations.ts'

function create(kind: Kind): MemTable {
  return MemTable.create({ capacityBytes: 1 << 17, ...kind })
}

/** The history in a table and in the model, without what a table refuses; each refusal is checked. */
function play(history: History, kind: Kind, each: (table: MemTable, model: Model) => void = () => {}): void {
  const table = create(kind)
  const model = new Model(kind)
  for (const op of history.ops) {
    if (model.takes(op)) {
      apply(table, kind, op)
      model.add(op)
    } else {
      const before = table.memoryUsage
      assert.throws(() => apply(table, kind, op), InvalidArgumentError)
      assert.equal(table.memoryUsage, before)
    }
  }
  each(table, model)
}

/** Every sequence at which something changes, the one before it, and both ends. */
function moments({ ops }: History): number[] {
  return [...new Set([0, ...ops.flatMap(({ sequence }) => [sequence - 1, sequence]), MAX_SEQUENCE])]
}

test('lookups, covers and fragments at every sequence are those of the list', () => {
  fc.assert(
    fc.property(anyRangeHistory, fc.constantFrom(...KINDS), (history, kind) => {
      play(history, kind, (table, model) => {
        for (const sequence of moments(history)) {
          for (const key of history.keys) assert.equal(answerOf(table, key, sequence), model.answer(key, sequence))
          assert.deepEqual([...table.rangeTombstones(sequence)].map(fragmentWords), model.fragments(sequence))
          checkCover(table.rangeCover(sequenceNumber(sequence)), model, history.keys, sequence)
        }
      })
    }),
    { numRuns: 250 },
  )
})

/** The cover of each key, and that it is that of all keys of the stretch, which ends where the answer changes. */
function checkCover(cover: RangeCover | undefined, model: Model, keys: readonly Bytes[], sequence: number): void {
  assert.equal(
    cover === undefined,
    model.ranges.every((op) => op.sequence > sequence),
  )
  if (cover === undefined) return
  for (const key of keys) {
    cover.seek(key, 0, key.length)
    assert.equal(cover.sequence, model.covers(key, sequence).at(-1) ?? 0)
    const start = cover.startBuf.slice(cover.startOff, cover.startOff + cover.startLen)
    const end = cover.endBuf.slice(cover.endOff, cover.endOff + cover.endLen)
    assert.ok(!cover.hasStart || model.compare(start, key) <= 0)
    assert.ok(!cover.hasEnd || model.compare(key, end) < 0)
    if (cover.hasEnd) assert.notEqual(model.covers(end, sequence).at(-1) ?? 0, cover.sequence)
    assert.ok(cover.sequence === 0 || (cover.hasStart && cover.hasEnd))
    for (const other of keys) {
      const isInside =
        (!cover.hasStart || model.compare(start, other) <= 0) && (!cover.hasEnd || model.compare(other, end) < 0)
      if (isInside) assert.equal(model.covers(other, sequence).at(-1) ?? 0, cover.sequence)
    }
  }
}

test('the oldest cover above a sequence is that of the list', () => {
  fc.assert(
    fc.property(anyRangeHistory, fc.constantFrom(...KINDS), (history, kind) => {
      play(history, kind, (table, model) => {
        const bounds = moments(history)
        for (const key of history.keys.slice(0, 6)) {
          for (const above of bounds) {
            for (const atMost of bounds.filter((_, i) => i % 3 === 0)) {
              const oldest = model.covers(key, atMost).find((sequence) => sequence > above) ?? 0
              assert.equal(table.coverAfter(key, 0, key.length, above, sequenceNumber(atMost)), oldest)
            }
          }
        }
      })
    }),
    { numRuns: 60 },
  )
})

test('the oldest cover is found among thousands', () => {
  const table = MemTable.create({ capacityBytes: 1 << 24 })
  const key = bytesOf('m')
  const covering: number[] = []
  const prng = new Prng(7)
  for (let sequence = 1; sequence <= 5000; sequence++) {
    const isOver = prng.below(3) === 0
    if (isOver) covering.push(sequence)
    table.deleteRange(isOver ? 'a' : 'n', 'z', sequence)
  }
  for (let above = 0; above <= 5000; above += 7) {
    const oldest = covering.find((sequence) => sequence > above) ?? 0
    assert.equal(table.coverAfter(key, 0, 1, above, MAX_SEQUENCE), oldest)
  }
})

test('what is asked of thousands of range tombstones, and one more of them, takes few comparisons', () => {
  let comparisons = 0
  const order = {
    name: 'test.counted',
    compare(a: Uint8Array, b: Uint8Array): number {
      comparisons++
      return Buffer.compare(a, b)
    },
  }
  const table = MemTable.create({ capacityBytes: 1 << 25, comparator: order })
  const prng = new Prng(3)
  let most = 0
  for (let i = 0; i < 8000; i++) {
    const [start, end] = span(prng.below(900_000), 1 + prng.below(i % 50 === 0 ? 90_000 : 40)).map(keyOf)
    comparisons = 0
    table.deleteRange(start, end)
    most = Math.max(most, comparisons)
  }
  const { height } = checkMap(table)
  // Both ends on their ways, in a map that may have been higher; the order of the two, twice; and each end beside itself.
  assert.ok(most <= 2 * (height + 2) + 4, `${most} comparisons in a map of height ${height}`)
  for (let i = 0; i < 300; i++) {
    const key = bytesOf(keyOf(prng.below(1_000_000)))
    comparisons = 0
    table.get(key)
    assert.ok(comparisons <= height, `${comparisons} comparisons of a lookup`)
    comparisons = 0
    table.coverAfter(key, 0, key.length, prng.below(8000), MAX_SEQUENCE)
    assert.ok(comparisons <= 4 * Math.log2(8000) * height, `${comparisons} comparisons of a search for the oldest`)
  }
})

test('cursors and scans show a covered key as a tombstone of the range', () => {
  fc.assert(
    fc.property(anyRangeHistory, fc.constantFrom(...KINDS), (history, kind) => {
      play(history, kind, (table, model) => {
        const held = history.keys
          .filter((key, i, all) => all.findIndex((other) => Buffer.compare(key, other) === 0) === i)
          .filter((key) => model.point(key, MAX_SEQUENCE) !== undefined)
          .toSorted((a, b) => model.compare(a, b))
        const expected = held.map((key) => `${Buffer.from(key).toString('hex')} ${model.answer(key, MAX_SEQUENCE)}`)
        for (const view of [table, MemTable.attach(table.share(), kind)]) {
          const scanned = [...view.entries()].map(
            (e) => `${Buffer.from(e.key).toString('hex')} ${e.type} ${e.sequence}`,
          )
          assert.deepEqual(scanned, expected)
          const cursor = view.cursor()
          const forwards: string[] = []
          const words = (): string => `${Buffer.from(cursor.key).toString('hex')} ${cursor.type} ${cursor.sequence}`
          for (cursor.first(); cursor.valid; cursor.next()) {
            forwards.push(words())
            assert.equal(cursor.value === undefined, cursor.type === 'tombstone')
          }
          assert.deepEqual(forwards, expected)
          const backwards: string[] = []
          for (cursor.last(); cursor.valid; cursor.prev()) backwards.push(words())
          assert.deepEqual(backwards, expected.toReversed())
        }
        if (held.length === 0) return
        assert.equal([...table.rangeScan(held[0], held.at(-1)!)].length, held.length)
      })
    }),
    { numRuns: 100 },
  )
})

test('an attached table sees the range tombstones of what was published when it looked', () => {
  fc.assert(
    fc.property(anyRangeHistory, fc.nat(40), fc.constantFrom(...KINDS), (history, cut, kind) => {
      const table = create(kind)
      const attached = MemTable.attach(table.share(), kind)
      const model = new Model(kind)
      const add = (ops: History['ops']): void => {
        for (const op of ops) {
          if (!model.takes(op)) continue
          const isForwards = model.compare(op.key, op.end) <= 0
          const key = op.kind === 'range' && !isForwards ? op.end : op.key
          const other = op.kind === 'range' && isForwards ? op.end : op.key
          const value = op.kind === 'range' ? other : bytesOf(`${op.sequence}`)
          const type = TYPES[op.kind]
          table.add(sequenceNumber(op.sequence), type, key, 0, key.length, value, 0, value.length)
          model.add(op)
        }
      }
      const check = (): void => {
        for (const key of history.keys) {
          assert.equal(answerOf(attached, key, MAX_SEQUENCE), model.answer(key, MAX_SEQUENCE))
        }
        assert.deepEqual([...attached.rangeTombstones()].map(fragmentWords), model.fragments(MAX_SEQUENCE))
        assert.equal(attached.rangeCover(MAX_SEQUENCE) === undefined, model.ranges.length === 0)
        assert.equal(attached.rangeTombstoneCount, model.ranges.length)
      }
      add(history.ops.slice(0, cut))
      table.publish()
      check()
      const cover = attached.rangeCover(MAX_SEQUENCE)
      const before = history.keys.map((key) => model.covers(key, MAX_SEQUENCE).at(-1) ?? 0)
      const answers = history.keys.map((key) => model.answer(key, MAX_SEQUENCE))
      add(history.ops.slice(cut))
      // Added and not published: nothing of it shows.
      assert.deepEqual(
        history.keys.map((key) => answerOf(attached, key, MAX_SEQUENCE)),
        answers,
      )
      table.freeze()
      check()
      for (const [i, key] of history.keys.entries()) {
        cover?.seek(key, 0, key.length)
        assert.equal(cover?.sequence ?? 0, before[i], 'a cover stays as it was')
      }
    }),
    { numRuns: 150 },
  )
})

const TYPES = { put: ValueType.VALUE, delete: ValueType.DELETION, range: ValueType.RANGE_DELETION }

test('the numbers include range tombstones where they say so', () => {
  fc.assert(
    fc.property(anyRangeHistory, fc.constantFrom(...KINDS), (history, kind) => {
      play(history, kind, (table, model) => {
        const sequences = [...model.points, ...model.ranges].map((op) => op.sequence)
        const rangeBytes = model.ranges.reduce((sum, op) => sum + op.key.length + op.end.length, 0)
        const keys = new Set(model.points.map((op) => op.key.join()))
        const newest = [...keys].map((joined) => model.points.filter((op) => op.key.join() === joined))
        const pointBytes = newest
          .map((ops) => ops.toSorted((a, b) => a.sequence - b.sequence).at(-1)!)
          .reduce((sum, op) => sum + op.key.length + (op.kind === 'put' ? `${op.sequence}`.length : 0), 0)
        for (const view of [table, MemTable.attach(table.share(), kind)]) {
          assert.equal(view.rangeTombstoneCount, model.ranges.length)
          assert.equal(view.entryCount, model.points.length)
          assert.equal(view.length, keys.size)
          assert.equal(view.sizeInBytes, pointBytes + rangeBytes)
          assert.equal(view.smallestSequence, sequences.length === 0 ? 0 : Math.min(...sequences))
          assert.equal(view.largestSequence, sequences.length === 0 ? 0 : Math.max(...sequences))
        }
      })
    }),
    { numRuns: 100 },
  )
})

/** The newest map of a table: its height and its boundaries, after checking that it is balanced and in order. */
function checkMap(table: MemTable): { readonly height: number; readonly boundaries: number } {
  const { buffer } = table.share()
  const words = new Int32Array(buffer)
  const bytes = new Uint8Array(buffer)
  const newest = words[Layout.RANGES]
  const keys: Uint8Array[] = []
  const covers: number[] = []
  const walk = (node: number): number => {
    if (node === 0) return 0
    const at = node >> 2
    const left = walk(leftOf(words, node, NO_LIMIT))
    const boundary = words[at + BOUNDARY]
    keys.push(bytes.slice(boundary + 4, boundary + 4 + words[boundary >> 2]))
    covers.push(words[at + COVER])
    const right = walk(rightOf(words, node, NO_LIMIT))
    assert.ok(Math.abs(left - right) <= 1, 'a node is balanced')
    assert.equal(words[at + HEIGHT], 1 + Math.max(left, right))
    return words[at + HEIGHT]
  }
  const height = newest === 0 ? 0 : walk(rootOf(words, newest))
  for (let i = 1; i < keys.length; i++) {
    assert.ok(Buffer.compare(keys[i - 1], keys[i]) < 0, 'boundaries ascend')
    assert.notEqual(covers[i - 1], covers[i], 'neighbours differ')
  }
  assert.equal(covers.at(-1) ?? 0, 0, 'nothing is covered behind the last boundary')
  return { height, boundaries: keys.length }
}

/** Ranges of different natures, by the number of their op. */
const SHAPES: Readonly<Record<string, (i: number, prng: Prng) => readonly [number, number]>> = {
  disjoint: (i) => [10 * i, 10 * i + 5],
  'disjoint, downwards': (i) => [10 * (99_999 - i), 10 * (99_999 - i) + 5],
  nested: (i) => [i, 999_999 - i],
  'nested, outwards': (i) => [500_000 - i, 500_000 + i + 1],
  adjacent: (i) => [10 * i, 10 * i + 10],
  'random, short': (_, prng) => span(prng.below(900_000), 1 + prng.below(100)),
  'random, long': (_, prng) => span(prng.below(900_000), 1 + prng.below(90_000)),
  'short ones, and at times a long one': (i, prng) =>
    i % 100 === 99 ? span(prng.below(500_000), 400_000) : span(prng.below(900_000), 1 + prng.below(50)),
}

function keyOf(n: number): string {
  return `key${1_000_000 + n}`
}

function span(start: number, length: number): readonly [number, number] {
  return [start, start + length]
}

for (const [name, shape] of Object.entries(SHAPES)) {
  test(`maps stay balanced, and range deletes within their bounds: ${name}`, () => {
    const table = MemTable.create({ capacityBytes: 1 << 26 })
    const prng = new Prng(5)
    let height = 0
    for (let i = 0; i < 5000; i++) {
      const [start, end] = shape(i, prng).map(keyOf)
      const before = table.memoryUsage
      table.deleteRange(start, end)
      const taken = table.memoryUsage - before
      assert.ok(taken <= paintingBytesMax(start.length, end.length, height) + LINK_BYTES + VERSION_BYTES + 4)
      assert.ok(taken <= MemTable.rangeBytesMax(start.length, end.length))
      if (i % 50 === 0 || i > 4950) height = checkMap(table).height
      else height += 2
    }
    const { boundaries } = checkMap(table)
    assert.ok(height <= 1.4405 * Math.log2(boundaries + 2), `height ${height} of ${boundaries} boundaries`)
    // Far below the bound of one: a node that is made anew more than once in an op would show here.
    const average = table.memoryUsage / 5000
    assert.ok(average <= (height + 8) * NODE_BYTES, `${average} bytes a range delete`)
  })
}

for (const [name, shape] of Object.entries(SHAPES)) {
  test(`maps of earlier sequences stay as they were: ${name}`, () => {
    const table = MemTable.create({ capacityBytes: 1 << 26 })
    const cover = new Map<number, string>()
    const prng = new Prng(6)
    for (let i = 0; i < 3000; i++) {
      const [start, end] = shape(i, prng).map(keyOf)
      const sequence = table.deleteRange(start, end)
      if (i < 100 || i % 100 === 0) cover.set(sequence, stretches(table, sequence))
    }
    const attached = MemTable.attach(table.share())
    for (const [sequence, before] of cover) {
      assert.equal(stretches(table, sequence), before, `as of ${sequence}`)
      assert.equal(stretches(attached, sequence), before, `attached, as of ${sequence}`)
    }
  })
}

/** What is covered as of a sequence, by which, as text. */
function stretches(table: MemTable, sequence: number): string {
  return [...table.rangeTombstones(sequence)]
    .map((range) => `${Buffer.from(range.start)} ${Buffer.from(range.end)} ${range.sequence}`)
    .join('\n')
}

test('ten thousand random writes and range deletes take no more than was reserved', () => {
  const table = MemTable.create({ capacityBytes: 1 << 26 })
  const prng = new Prng(11)
  for (let i = 0; i < 10_000; i++) {
    const key = new Uint8Array(prng.below(20)).map(() => prng.below(4))
    const other = new Uint8Array(prng.below(20)).map(() => prng.below(4))
    const before = table.memoryUsage
    if (i % 2 === 0) {
      const [start, end] = Buffer.compare(key, other) <= 0 ? [key, other] : [other, key]
      table.deleteRange(start, end)
      assert.ok(table.memoryUsage - before <= MemTable.rangeBytesMax(start.length, end.length))
    } else {
      table.put(key, other)
      assert.ok(table.memoryUsage - before <= MemTable.entryBytesMax(key.length, other.length))
    }
  }
  assert.ok(table.rangeTombstoneCount > 4000)
  checkMap(table)
})

testEach('the same operations make the same arena', (representation) => {
  const digest = (): Uint8Array => {
    const table = MemTable.create({ capacityBytes: 1 << 20, representation, seed: 3 })
    const prng = new Prng(9)
    for (let i = 0; i < 1000; i++) {
      const [start, end] = span(prng.below(800), prng.below(100)).map((n) => `k${1000 + n}`)
      if (i % 3 === 0) table.put(start, end)
      else table.deleteRange(start, end)
    }
    table.freeze()
    return new Uint8Array(table.share().buffer).slice()
  }
  assert.deepEqual(digest(), digest())
})

testEach('a write below the sequence of a range tombstone is covered by it, one above is not', (representation) => {
  const table = MemTable.create({ capacityBytes: 1 << 16, representation })
  table.put('k', 'old', 3)
  assert.equal(table.deleteRange('a', 'm', 10), 10)
  table.put('k', 'late', 7)
  table.put('new', 'v', 8)
  assert.equal(answerless(table, 'k'), 'tombstone 10')
  assert.equal(answerless(table, 'k', 9), 'value 7')
  assert.equal(answerless(table, 'new'), 'value 8')
  table.put('k', 'again')
  assert.equal(answerless(table, 'k'), 'value 11')
  table.put('same', 'v', 12)
  table.deleteRange('s', 't', 12)
  assert.equal(answerless(table, 'same'), 'value 12', 'a version of the same sequence is not covered')
})

function answerless(table: MemTable, key: string, sequence?: number): string {
  const found = table.get(key, sequence)
  return `${found?.type} ${found?.sequence}`
}

testEach('a lookup that a range tombstone answers tells its sequence and its type', (representation) => {
  const table = MemTable.create({ capacityBytes: 1 << 16, representation })
  table.deleteRange('a', 'c', 2 ** 40)
  for (const key of ['a', 'b']) {
    assert.equal(table.lookup(bytesOf(key), 0, 1, MAX_SEQUENCE), Lookup.DELETED)
    assert.equal(tagSequence(table.foundTagLow, table.foundTagHigh), 2 ** 40)
    assert.equal(tagType(table.foundTagLow), ValueType.RANGE_DELETION)
  }
  assert.equal(table.lookup(bytesOf('c'), 0, 1, MAX_SEQUENCE), Lookup.ABSENT)
  assert.equal(table.lookup(bytesOf('b'), 0, 1, sequenceNumber(2 ** 40 - 1)), Lookup.ABSENT)
})

testEach('a range without keys is not written', (representation) => {
  const table = MemTable.create({ capacityBytes: 1 << 16, representation })
  assert.equal(table.deleteRange('k', 'k'), 0)
  table.put('k', 'v', 5)
  const before = table.memoryUsage
  assert.equal(table.deleteRange('k', 'k'), 5)
  assert.equal(table.deleteRange('k', 'k', 9), 5)
  for (const [start, end] of [
    ['k', 'k'],
    ['k', 'a'],
  ].map((ends) => ends.map(bytesOf))) {
    table.add(sequenceNumber(8), ValueType.RANGE_DELETION, start, 0, start.length, end, 0, end.length)
  }
  table.publish()
  assert.deepEqual([table.memoryUsage, table.rangeTombstoneCount, table.largestSequence], [before, 0, 5])
  assert.equal(table.rangeCover(MAX_SEQUENCE), undefined)
})

testEachLive('a range delete that cannot be is refused, and changes nothing', (representation) => {
  const table = MemTable.create({ capacityBytes: 8192, representation })
  const attached = MemTable.attach(table.share())
  table.put('k', 'v', 5)
  table.deleteRange('a', 'b', 6)
  const before = new Uint8Array(table.share().buffer).slice()
  assert.throws(() => table.deleteRange('b', 'a'), /start of a range/)
  for (const sequence of [6, 1])
    assert.throws(() => table.deleteRange('a', 'b', sequence), /range tombstone of sequence 6/)
  for (const sequence of [0, -1, 1.5, 2 ** 53, Number.NaN]) {
    assert.throws(() => table.deleteRange('a', 'b', sequence), InvalidArgumentError)
  }
  const notKey = 7 as unknown as string
  assert.throws(() => table.deleteRange(notKey, 'b'), /start/)
  assert.throws(() => table.deleteRange('a', notKey), /end/)
  assert.throws(() => table.rangeTombstones(-1), InvalidArgumentError)
  assert.throws(() => table.deleteRange('a', new Uint8Array(8192).fill(255)), MemTableFullError)
  assert.throws(() => attached.deleteRange('a', 'b'), /attached/)
  assert.deepEqual(new Uint8Array(table.share().buffer), before)
  table.freeze()
  assert.throws(() => table.deleteRange('a', 'b'), /frozen/)
  assert.throws(() => table.deleteRange('a', 'a'), /frozen/)
})

testEach('range deletes fill a table up to what they were promised, and not beyond', (representation) => {
  const table = MemTable.create({ capacityBytes: 1 << 15, representation })
  const key = (i: number): string => `key${1000 + ((i * 7) % 997)}`
  let count = 0
  for (; table.hasRoom(MemTable.rangeBytesMax(7, 8)); count++) table.deleteRange(key(count), `${key(count)}x`)
  assert.ok(count > 30)
  assert.throws(() => {
    for (; count < 5000; count++) table.deleteRange(key(count), `${key(count)}x`)
  }, MemTableFullError)
  const before = new Uint8Array(table.share().buffer).slice()
  assert.throws(() => table.deleteRange('a', 'z'), MemTableFullError)
  assert.deepEqual(new Uint8Array(table.share().buffer), before)
  checkMap(table)
})

test('a table with range tombstones has no dump, but as of a sequence before them', () => {
  const table = MemTable.create({ capacityBytes: 1 << 16 })
  table.put('k', 'v', 4)
  const dump = table.encode()
  table.deleteRange('a', 'b', 9)
  assert.throws(() => table.encode(), NotSupportedError)
  assert.throws(() => [...table.encodeChunks()], NotSupportedError)
  assert.throws(() => table.encodedBytes, NotSupportedError)
  assert.deepEqual(table.encode(8), dump)
  table.clear()
  assert.equal(table.encodedBytes, 8)
})

testEachLive('clear forgets range tombstones; what was attached keeps them', (representation) => {
  const table = MemTable.create({ capacityBytes: 1 << 16, representation })
  table.deleteRange('a', 'c', 7)
  const attached = MemTable.attach(table.share())
  table.clear()
  assert.equal(table.rangeTombstoneCount, 0)
  assert.equal(table.get('b'), undefined)
  assert.deepEqual([...table.rangeTombstones()], [])
  assert.equal(table.deleteRange('b', 'c'), 1)
  assert.equal(answerless(attached, 'b'), 'tombstone 7')
})

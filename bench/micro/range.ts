/**
 * Range deletes in a MemTable: what one costs beside a put, over ranges of three natures, and what lookups cost in a table
 * with 10,000 of them. Keys of 16 digits, values of 100 bytes, 10,000 operations each.
 *
 *   node .build/bench/micro/range.js
 */
import { Prng } from '../../src/base/prng.ts'
import { MAX_SEQUENCE, sequenceNumber } from '../../src/base/types.ts'
import * as ValueType from '../../src/base/value-type.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import { type Candidate, compare } from './timing.ts'

const COUNT = 10_000
const KEY_BYTES = 16
const VALUE = new Uint8Array(100).fill(0x76)
/** Keys are numbers below this. */
const SPACE = 1_000_000

type Numbers = (i: number, prng: Prng) => number

/** Keys one after another in one buffer. */
function keysOf(numbers: Numbers): Uint8Array {
  const prng = new Prng(1)
  const keys = Array.from({ length: COUNT }, (_, i) => `${numbers(i, prng)}`.padStart(KEY_BYTES, '0'))
  return new TextEncoder().encode(keys.join(''))
}

const RANDOM = keysOf((_, prng) => prng.below(SPACE))

/** Each shape as its starts and its ends. */
const SHAPES: Readonly<Record<string, readonly [Uint8Array, Uint8Array]>> = {
  disjoint: [keysOf((i) => 100 * i), keysOf((i) => 100 * i + 50)],
  nested: [keysOf((i) => i), keysOf((i) => SPACE - i)],
  'random, up to 1 % of the keys': [
    RANDOM,
    keysOf((_, prng) => {
      const start = prng.below(SPACE)
      return start + 1 + ((start * 7919) % (SPACE / 100))
    }),
  ],
}

function addPuts(table: MemTable, keys: Uint8Array, count: number, first: number): void {
  for (let i = 0; i < count; i++) {
    const sequence = sequenceNumber(first + i)
    table.add(sequence, ValueType.VALUE, keys, i * KEY_BYTES, KEY_BYTES, VALUE, 0, VALUE.length)
    table.publish()
  }
}

function addRanges(table: MemTable, shape: string, count: number, first: number): void {
  const [starts, ends] = SHAPES[shape]
  for (let i = 0; i < count; i++) {
    const at = i * KEY_BYTES
    table.add(sequenceNumber(first + i), ValueType.RANGE_DELETION, starts, at, KEY_BYTES, ends, at, KEY_BYTES)
    table.publish()
  }
}

function create(representation: 'radix' | 'skiplist'): MemTable {
  return MemTable.create({ capacityBytes: 64 * 1024 * 1024, representation })
}

function puts(representation: 'radix' | 'skiplist'): Candidate {
  return {
    name: `put, random (${representation})`,
    count: COUNT,
    run(count) {
      const table = create(representation)
      addPuts(table, RANDOM, count, 1)
      return table.length
    },
  }
}

function rangeDeletes(shape: string): Candidate {
  return {
    name: `deleteRange, ${shape}`,
    count: COUNT,
    run(count) {
      const table = create('radix')
      addRanges(table, shape, count, 1)
      return table.rangeTombstoneCount
    },
  }
}

/** Lookups of 10,000 random keys that the table holds. */
function lookups(name: string, table: MemTable): Candidate {
  return {
    name,
    count: COUNT,
    run(count) {
      let found = 0
      for (let i = 0; i < count; i++) found += table.lookup(RANDOM, i * KEY_BYTES, KEY_BYTES, MAX_SEQUENCE)
      return found
    },
  }
}

/** 10,000 puts and, before or after them, the range deletes of a shape. */
function tableOf(shape: string | undefined, isRangesFirst: boolean): MemTable {
  const table = create('radix')
  if (isRangesFirst && shape !== undefined) addRanges(table, shape, COUNT, 1)
  addPuts(table, RANDOM, COUNT, COUNT + 1)
  if (!isRangesFirst && shape !== undefined) addRanges(table, shape, COUNT, 2 * COUNT + 1)
  return table
}

compare('range deletes beside puts', [puts('radix'), puts('skiplist'), ...Object.keys(SHAPES).map(rangeDeletes)])
for (const shape of Object.keys(SHAPES)) {
  const table = create('radix')
  addRanges(table, shape, COUNT, 1)
  const bytes = Math.round(table.memoryUsage / COUNT)
  console.log(`  ${bytes} bytes a range delete, ${[...table.rangeTombstones()].length} stretches: ${shape}`)
}
compare('lookups among 10,000 keys', [
  lookups('no range deletes', tableOf(undefined, false)),
  ...Object.keys(SHAPES).map((shape) => lookups(`puts newer than all: ${shape}`, tableOf(shape, true))),
  ...Object.keys(SHAPES).map((shape) => lookups(`puts older than all: ${shape}`, tableOf(shape, false))),
])

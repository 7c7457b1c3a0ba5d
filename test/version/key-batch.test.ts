/**
 * Many keys at once: the answers are those of lookups one by one, and each table is visited once.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bytewiseComparator, type Comparator, customComparator } from '../../src/base/comparator.ts'
import { encodeInternalKey } from '../../src/base/internal-key.ts'
import * as Lookup from '../../src/base/lookup.ts'
import { type Bytes, type FileNumber, fileNumber, type SequenceNumber, sequenceNumber } from '../../src/base/types.ts'
import { Table } from '../../src/table/table.ts'
import type { FileMetadata } from '../../src/version/file-metadata.ts'
import { KeyBatch } from '../../src/version/key-batch.ts'
import { Version } from '../../src/version/version.ts'
import { MemoryFile } from '../support/memory-file.ts'
import { buildTable, bytesOf, compareEntries, deleteEntry, type Entry, putEntry } from '../table/entries.ts'

const reversed = customComparator({ name: 'reversed', compare: (a, b) => Buffer.compare(b, a) })

class Tables {
  readonly visits: FileNumber[] = []
  readonly #tables: Map<FileNumber, Table> = new Map()
  readonly #comparator: Comparator

  constructor(comparator: Comparator) {
    this.#comparator = comparator
  }

  add(entries: readonly Entry[]): FileMetadata {
    const comparator = this.#comparator
    const sorted = [...entries].sort((a, b) => compareEntries(a, b, comparator))
    const bytes = buildTable(sorted, { comparator, blockBytes: 40, restartInterval: 2, filterPolicy: undefined })
    const number = fileNumber(this.#tables.size + 1)
    const options = { comparator, filterPolicy: undefined, blockCache: undefined, codecs: undefined }
    this.#tables.set(number, Table.open(new MemoryFile(bytes), number, options))
    const [smallest, largest] = [sorted[0], sorted[sorted.length - 1]].map(({ key, low, high }) =>
      encodeInternalKey(key, 0, key.length, low, high),
    )
    return { number, bytes: bytes.length, smallest, largest }
  }

  find(number: FileNumber): Table {
    this.visits.push(number)
    return this.#tables.get(number) as Table
  }
}

const anyKey = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 10 }).map(bytesOf)
const anyTable = fc.uniqueArray(fc.tuple(anyKey, fc.boolean()), {
  minLength: 1,
  maxLength: 25,
  selector: ([key]) => Buffer.from(key).toString(),
})

/** Tables of level 0, oldest first, and one sorted run for each of two levels, cut into tables of four. */
function makeVersion(comparator: Comparator, runs: readonly (readonly [Bytes, boolean][])[], tables: Tables): Version {
  const levels: FileMetadata[][] = Array.from({ length: 7 }, () => [])
  for (const [i, run] of runs.entries()) {
    const sequence = i + 1
    const entries = run
      .map(([key, isPut]) => (isPut ? putEntry(key, sequence, bytesOf(`${sequence}`)) : deleteEntry(key, sequence)))
      .sort((a, b) => compareEntries(a, b, comparator))
    if (i >= 2) levels[0].push(tables.add(entries))
    else for (let at = 0; at < entries.length; at += 4) levels[2 - i].push(tables.add(entries.slice(at, at + 4)))
  }
  return new Version(comparator, levels)
}

class Answers {
  readonly values: Map<number, string> = new Map()

  takeOne(number: number, bytes: Bytes, offset: number, length: number): void {
    this.values.set(number, Buffer.from(bytes.slice(offset, offset + length)).toString())
  }
}

function lookupOne(version: Version, tables: Tables, key: Bytes, sequence: SequenceNumber): string | undefined {
  let value: string | undefined
  const sink = {
    take: (bytes: Bytes, offset: number, length: number): void => {
      value = Buffer.from(bytes.slice(offset, offset + length)).toString()
    },
  }
  const answer = version.lookup(tables, key, 0, key.length, sequence, sink)
  return answer === Lookup.FOUND ? value : undefined
}

for (const comparator of [bytewiseComparator, reversed]) {
  test(`many keys get the answers of lookups one by one, in the order ${comparator.name}`, () => {
    const anyRuns = fc.array(anyTable, { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(anyRuns, fc.array(anyKey, { maxLength: 40 }), fc.nat(7), (runs, keys, at) => {
        const tables = new Tables(comparator)
        const version = makeVersion(comparator, runs, tables)
        const sequence = sequenceNumber(at)
        const answers = new Answers()
        // Only the keys of even number are asked for.
        const asked = Int32Array.from(keys.keys()).filter((number) => number % 2 === 0)
        version.lookupMany(tables, new KeyBatch(comparator, keys, asked), sequence, answers)
        assert.equal(new Set(tables.visits).size, tables.visits.length, 'a table is visited once')
        for (const [number, key] of keys.entries()) {
          const expected = number % 2 === 0 ? lookupOne(version, tables, key, sequence) : undefined
          assert.equal(answers.values.get(number), expected)
        }
      }),
      { numRuns: 300 },
    )
  })
}

test('a batch without keys asks nothing', () => {
  const tables = new Tables(bytewiseComparator)
  const version = makeVersion(bytewiseComparator, [[[bytesOf('a'), true]]], tables)
  const batch = new KeyBatch(bytewiseComparator, [], new Int32Array(0))
  version.lookupMany(tables, batch, sequenceNumber(9), new Answers())
  assert.deepEqual(tables.visits, [])
})

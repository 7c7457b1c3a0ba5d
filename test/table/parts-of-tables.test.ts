/**
 * What is done with a part of a table: its end, which is read when it is opened, and blocks of it, which are counted.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import * as Lookup from '../../src/base/lookup.ts'
import { fileNumber, MAX_SEQUENCE } from '../../src/base/types.ts'
import { BloomFilter } from '../../src/table/bloom-filter.ts'
import { Table } from '../../src/table/table.ts'
import type { TableOptions } from '../../src/table/table-builder.ts'
import { outlineBytes, readOutline } from '../../src/table/table-outline.ts'
import { MemoryFile } from '../support/memory-file.ts'
import { buildTable, bytesOf, deleteEntry, type Entry, putEntry } from './entries.ts'

const OPTIONS: TableOptions = {
  comparator: bytewiseComparator,
  blockBytes: 256,
  restartInterval: 16,
  filterPolicy: undefined,
}

function openEntries(entries: readonly Entry[], filterPolicy?: BloomFilter): Table {
  const options = { comparator: bytewiseComparator, filterPolicy, blockCache: undefined, codecs: {} }
  return Table.open(new MemoryFile(buildTable(entries, { ...OPTIONS, filterPolicy })), fileNumber(7), options)
}

/** Every fifth entry is a tombstone. */
function numbered(count: number): Entry[] {
  return Array.from({ length: count }, (_, i) => {
    const key = bytesOf(`key${1000 + i}`)
    return i % 5 === 0 ? deleteEntry(key, i + 1) : putEntry(key, i + 1, bytesOf(`value ${i}`))
  })
}

test('all blocks of a table together have all its entries and tombstones', () => {
  const table = openEntries(numbered(200))
  const { blockCount } = table
  assert.ok(blockCount > 10)
  const all = { blocks: blockCount, entries: 200, tombstones: 40, next: blockCount }
  assert.deepEqual(table.count(0, 1, Number.MAX_SAFE_INTEGER), all)
})

test('a count of every third block ends with the block that takes it to so many bytes, and goes on from there', () => {
  const table = openEntries(numbered(200))
  const { blockCount } = table
  const file = table.file as MemoryFile
  const { readCount } = file
  const sum = { blocks: 0, entries: 0, tombstones: 0 }
  let next = 1
  let turns = 0
  for (; next < blockCount; turns++) {
    // A block and its trailer are some 250 bytes: 300 end behind the second.
    const count = table.count(next, 3, 300)
    assert.deepEqual([count.blocks, count.next], next + 3 < blockCount ? [2, next + 6] : [1, next + 3])
    for (const what of ['blocks', 'entries', 'tombstones'] as const) sum[what] += count[what]
    next = count.next
  }
  assert.ok(turns > 1)
  assert.equal(file.readCount - readCount, sum.blocks)
  const whole = table.count(1, 3, Number.MAX_SAFE_INTEGER)
  assert.deepEqual({ ...sum, next }, whole)
  assert.deepEqual(table.count(next, 3, 300), { blocks: 0, entries: 0, tombstones: 0, next })
  assert.equal(table.count(0, 3, 1).blocks, 1)
  assert.deepEqual(table.count(0, 3, 0), { blocks: 0, entries: 0, tombstones: 0, next: 0 })
})

test('the memory of an open table grows with its index and its filter', () => {
  const memoryOf = (count: number, filterPolicy: BloomFilter | undefined): number =>
    openEntries(numbered(count), filterPolicy).memoryBytes
  const [few, many] = [memoryOf(1, undefined), memoryOf(1000, undefined)]
  assert.ok(few > 0 && many > few + 1000, `${few}, ${many}`)
  const filtered = memoryOf(1000, new BloomFilter(10))
  assert.ok(filtered >= many + 1000 && filtered < many + 3000, `${filtered} with a filter, ${many} without`)
})

test('an open table takes what its outline does, and a place for each block that may be kept', () => {
  const options = { comparator: bytewiseComparator, filterPolicy: undefined, blockCache: undefined, codecs: {} }
  const [few, many] = [100, 1000].map((count) => {
    const file = new MemoryFile(buildTable(numbered(count), OPTIONS))
    const outline = readOutline(file, options)
    const { memoryBytes, blockCount } = Table.open(file, fileNumber(7), options, outline)
    return { blockCount, besideOutline: memoryBytes - outlineBytes(outline) }
  })
  assert.ok(many.blockCount > few.blockCount + 50)
  assert.equal(many.besideOutline - few.besideOutline, (many.blockCount - few.blockCount) * 8)
})

test('a large table is opened by a read of its end, a small part of it', () => {
  const lengths: number[] = []
  class WatchedFile extends MemoryFile {
    override read(offset: number, into: Uint8Array, intoOffset: number, length: number): void {
      lengths.push(length)
      super.read(offset, into, intoOffset, length)
    }
  }
  const value = new Uint8Array(10_000)
  const entries = numbered(400).map((entry) => ({ ...entry, low: entry.low | 1, value }))
  const file = new WatchedFile(buildTable(entries, OPTIONS))
  const options = { comparator: bytewiseComparator, filterPolicy: undefined, blockCache: undefined, codecs: {} }
  assert.equal(Table.open(file, fileNumber(7), options).blockCount, 400)
  assert.equal(lengths.length, 1)
  assert.ok(lengths[0] < file.bytes / 20, `${lengths[0]} of ${file.bytes} bytes`)
})

test('a table whose end is too long to be kept opens as others do, in one read', () => {
  const value = new Uint8Array(17 * 1024 * 1024).fill(7)
  const table = openEntries([putEntry(bytesOf('a'), 1, value), putEntry(bytesOf('b'), 2, bytesOf('small'))])
  assert.equal((table.file as MemoryFile).readCount, 1)
  assert.equal(table.lookup(bytesOf('b'), 0, 1, MAX_SEQUENCE), Lookup.FOUND)
  assert.equal(table.lookup(bytesOf('a'), 0, 1, MAX_SEQUENCE), Lookup.FOUND)
  assert.equal(table.valLen, value.length)
})

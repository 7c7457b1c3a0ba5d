import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { IOError } from '../../src/base/errors.ts'
import { type FileNumber, fileNumber } from '../../src/base/types.ts'
import { TableCache } from '../../src/cache/table-cache.ts'
import { Table } from '../../src/table/table.ts'
import { MemoryFile } from '../support/memory-file.ts'
import { buildTable, bytesOf, putEntry } from '../table/entries.ts'

const options = { comparator: bytewiseComparator, filterPolicy: undefined, blockCache: undefined, codecs: {} }
const bytes = buildTable([], {
  comparator: bytewiseComparator,
  blockBytes: 4096,
  restartInterval: 16,
  filterPolicy: undefined,
})

/** A cache that opens empty tables, and what it opened: number and file, in order. */
function makeCache(maxOpenFiles: number): { cache: TableCache; opened: { number: FileNumber; file: MemoryFile }[] } {
  const opened: { number: FileNumber; file: MemoryFile }[] = []
  const cache = new TableCache(
    (number, fileBytes) => {
      assert.equal(fileBytes, bytes.length)
      const file = new MemoryFile(bytes)
      opened.push({ number, file })
      return Table.open(file, number, options)
    },
    maxOpenFiles,
    4 * 1024 * 1024,
  )
  return { cache, opened }
}

function acquire(cache: TableCache, number: number): Table {
  return cache.acquire(fileNumber(number), bytes.length)
}

/** Open a table and give it back. */
function use(cache: TableCache, number: number): void {
  cache.release(acquire(cache, number))
}

function openNumbers(opened: readonly { number: FileNumber; file: MemoryFile }[]): number[] {
  return opened.filter(({ file }) => !file.isClosed).map(({ number }) => number)
}

test('a table is opened once, and stays open when it is released', () => {
  const { cache, opened } = makeCache(2)
  const first = acquire(cache, 1)
  assert.equal(acquire(cache, 1), first)
  cache.release(first)
  cache.release(first)
  assert.equal(acquire(cache, 1), first)
  assert.equal(opened.length, 1)
  assert.equal(opened[0].file.isClosed, false)
})

test('the least recently acquired table is closed first', () => {
  const { cache, opened } = makeCache(2)
  use(cache, 1)
  use(cache, 2)
  use(cache, 1)
  use(cache, 3)
  assert.deepEqual(openNumbers(opened), [1, 3])
  assert.equal(cache.openCount, 2)
})

test('a table in use is not closed, and is closed when released if too many are open', () => {
  const { cache, opened } = makeCache(1)
  const first = acquire(cache, 1)
  const second = acquire(cache, 2)
  assert.deepEqual(openNumbers(opened), [1, 2])
  cache.release(first)
  assert.deepEqual(openNumbers(opened), [2])
  cache.release(second)
  assert.deepEqual(openNumbers(opened), [2])
})

test('a table that is used twice is in use until both have released it', () => {
  const { cache, opened } = makeCache(1)
  const table = acquire(cache, 1)
  acquire(cache, 1)
  cache.release(table)
  use(cache, 2)
  assert.ok(openNumbers(opened).includes(1))
  cache.release(table)
  use(cache, 2)
  assert.ok(!openNumbers(opened).includes(1))
})

test('a table that is evicted is closed at once, or by its last user', () => {
  const { cache, opened } = makeCache(5)
  use(cache, 1)
  cache.evict(fileNumber(1))
  assert.deepEqual(openNumbers(opened), [])
  const table = acquire(cache, 2)
  cache.evict(fileNumber(2))
  assert.deepEqual(openNumbers(opened), [2])
  cache.release(table)
  assert.deepEqual(openNumbers(opened), [])
  cache.evict(fileNumber(2))
  assert.equal(cache.openCount, 0)
})

test('a number that is evicted while in use and acquired again has two tables, each released by itself', () => {
  const { cache, opened } = makeCache(5)
  const older = acquire(cache, 1)
  cache.evict(fileNumber(1))
  const newer = acquire(cache, 1)
  assert.notEqual(older, newer)
  cache.release(older)
  assert.deepEqual(
    opened.map(({ file }) => file.isClosed),
    [true, false],
  )
  cache.release(newer)
  assert.equal(cache.openCount, 1)
})

test('closing the cache closes every table, those in use when they are released', () => {
  const { cache, opened } = makeCache(5)
  use(cache, 1)
  const table = acquire(cache, 2)
  cache.close()
  assert.deepEqual(openNumbers(opened), [2])
  cache.release(table)
  assert.deepEqual(openNumbers(opened), [])
})

test('a table that does not open leaves nothing behind, and is tried again', () => {
  let attempts = 0
  const cache = new TableCache(
    () => {
      attempts++
      throw new IOError('no such file')
    },
    5,
    4 * 1024 * 1024,
  )
  assert.throws(() => acquire(cache, 1), IOError)
  assert.throws(() => acquire(cache, 1), IOError)
  assert.deepEqual([attempts, cache.openCount], [2, 0])
})

test('releasing what was not acquired is an error', () => {
  const { cache } = makeCache(5)
  const table = acquire(cache, 1)
  cache.release(table)
  assert.throws(() => cache.release(table), /acquired/)
  assert.throws(() => cache.release(Table.open(new MemoryFile(bytes), fileNumber(9), options)), /acquired/)
})

test('tables are closed when their indexes and filters take more than their share, the least recently used first', () => {
  const entries = Array.from({ length: 4000 }, (_, i) => putEntry(bytesOf(`key${10_000 + i}`), 1, bytesOf('')))
  const large = buildTable(entries, {
    comparator: bytewiseComparator,
    blockBytes: 1,
    restartInterval: 16,
    filterPolicy: undefined,
  })
  const closed: number[] = []
  const open = (number: FileNumber): Table => {
    const file = new MemoryFile(large)
    const close = file.close.bind(file)
    file.close = () => {
      closed.push(number)
      close()
    }
    return Table.open(file, number, options)
  }
  const cache = new TableCache(open, 1000, 6 * 1024 * 1024)
  const held = cache.acquire(fileNumber(1), large.length)
  assert.ok(held.memoryBytes > 100_000)
  const fits = Math.floor(cache.bytesMax / held.memoryBytes)
  for (let number = 2; number <= fits; number++) cache.find(fileNumber(number), large.length)
  cache.find(fileNumber(2), large.length)
  assert.deepEqual([cache.openCount, closed], [fits, []])
  for (let number = fits + 1; number < fits + 3; number++) cache.find(fileNumber(number), large.length)
  assert.deepEqual(closed, [3, 4])
  assert.equal(cache.bytes, fits * held.memoryBytes)
  cache.release(held)
  cache.close()
  assert.deepEqual([cache.bytes, cache.openCount], [0, 0])
})

test('a table that is found is not held, and counts as used', () => {
  const { cache, opened } = makeCache(2)
  const first = cache.find(fileNumber(1), bytes.length)
  use(cache, 2)
  assert.equal(cache.find(fileNumber(1), bytes.length), first)
  cache.find(fileNumber(3), bytes.length)
  assert.deepEqual(openNumbers(opened), [1, 3])
})

import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { IOError } from '../../src/base/errors.ts'
import { type FileNumber, fileNumber } from '../../src/base/types.ts'
import { type OpenTable, TableCache } from '../../src/cache/table-cache.ts'
import { Table } from '../../src/table/table.ts'
import { outlineBytes, readOutline } from '../../src/table/table-outline.ts'
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

test('a table that is found while it is in use stays open', () => {
  const { cache, opened } = makeCache(1)
  const first = acquire(cache, 1)
  use(cache, 2)
  assert.equal(cache.find(fileNumber(1), bytes.length), first)
  use(cache, 3)
  assert.deepEqual(openNumbers(opened), [1])
  cache.release(first)
  use(cache, 4)
  assert.deepEqual(openNumbers(opened), [4])
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

test('a table that alone is larger than the budget stays open until another one is used', () => {
  const { memoryBytes } = Table.open(new MemoryFile(bytes), fileNumber(1), options)
  const opened: number[] = []
  const open: OpenTable = (number) => {
    opened.push(number)
    return Table.open(new MemoryFile(bytes), number, options)
  }
  const cache = new TableCache(open, 2, memoryBytes / 2)
  for (let i = 0; i < 3; i++) {
    use(cache, 1)
    cache.find(fileNumber(1), bytes.length)
  }
  assert.deepEqual([opened, cache.openCount], [[1], 1])
  use(cache, 2)
  assert.deepEqual([opened, cache.openCount, cache.bytesOf(fileNumber(1))], [[1, 2], 1, 0])
  const held = acquire(cache, 2)
  for (let i = 0; i < 2; i++) use(cache, 3)
  assert.deepEqual([opened, cache.openCount], [[1, 2, 3], 2])
  cache.release(held)
  assert.deepEqual([cache.openCount, cache.bytes, cache.bytesOf(fileNumber(2))], [1, memoryBytes, memoryBytes])
})

test('a table that is found is not held, and counts as used', () => {
  const { cache, opened } = makeCache(2)
  const first = cache.find(fileNumber(1), bytes.length)
  use(cache, 2)
  assert.equal(cache.find(fileNumber(1), bytes.length), first)
  cache.find(fileNumber(3), bytes.length)
  assert.deepEqual(openNumbers(opened), [1, 3])
  use(cache, 4)
  assert.deepEqual(openNumbers(opened), [3, 4])
})

test('of tables in use, as many as are released are closed if too many are open', () => {
  const { cache, opened } = makeCache(1)
  const [first] = [1, 2, 3].map((number) => acquire(cache, number))
  cache.release(first)
  assert.deepEqual([openNumbers(opened), cache.openCount], [[2, 3], 2])
})

test('tables that fill their budget to the byte all stay open', () => {
  const { memoryBytes } = Table.open(new MemoryFile(bytes), fileNumber(1), options)
  for (const [bytesMax, count] of [
    [3 * memoryBytes, 3],
    [3 * memoryBytes - 1, 2],
  ]) {
    const cache = new TableCache((number) => Table.open(new MemoryFile(bytes), number, options), 5, bytesMax)
    for (const number of [1, 2, 3]) cache.find(fileNumber(number), bytes.length)
    assert.equal(cache.openCount, count)
  }
})

const outline = readOutline(new MemoryFile(bytes), options)
const one = outlineBytes(outline)

/** A cache with room for so many bytes, and what it was given to open tables with. */
function expecting(bytesMax: number): { cache: TableCache; given: [number, boolean][] } {
  const given: [number, boolean][] = []
  const open: OpenTable = (number, _bytes, known) => {
    given.push([number, known === outline])
    return Table.open(new MemoryFile(bytes), number, options, known)
  }
  return { cache: new TableCache(open, 2, bytesMax), given }
}

test('what is known of a table is handed over when it is opened, once', () => {
  const { cache, given } = expecting(1e6)
  cache.expect(fileNumber(1), outline)
  assert.deepEqual([cache.openCount, cache.bytes, cache.bytesOf(fileNumber(1))], [0, one, one])
  const { memoryBytes } = cache.find(fileNumber(1), bytes.length)
  assert.deepEqual([cache.openCount, cache.bytes, cache.bytesOf(fileNumber(1))], [1, memoryBytes, memoryBytes])
  cache.expect(fileNumber(1), outline)
  assert.equal(cache.bytes, memoryBytes, 'it is open')
  cache.evict(fileNumber(1))
  cache.find(fileNumber(1), bytes.length)
  assert.deepEqual(given, [
    [1, true],
    [1, false],
  ])
})

test('no table is closed for what is known of another, which is not kept where there is no room', () => {
  const open = expecting(1e6)
  const { memoryBytes } = open.cache.find(fileNumber(1), bytes.length)
  const { cache } = expecting(memoryBytes + one)
  cache.find(fileNumber(1), bytes.length)
  for (const number of [2, 3]) cache.expect(fileNumber(number), outline)
  assert.deepEqual([cache.openCount, cache.bytes], [1, memoryBytes + one])
  assert.deepEqual([cache.bytesOf(fileNumber(2)), cache.bytesOf(fileNumber(3))], [one, 0])
})

test('what nobody has looked for goes before what is open, the oldest first', () => {
  const { memoryBytes } = expecting(1e6).cache.find(fileNumber(1), bytes.length)
  const { cache, given } = expecting(memoryBytes + 2 * one)
  const count = Math.floor(cache.bytesMax / one)
  assert.ok(count > 10)
  for (let number = 1; number <= count; number++) cache.expect(fileNumber(number), outline)
  cache.find(fileNumber(count + 1), bytes.length)
  const kept = Array.from({ length: count }, (_, i) => i + 1).filter((number) => cache.bytesOf(fileNumber(number)) > 0)
  assert.deepEqual([kept, cache.openCount, cache.bytes], [[count - 1, count], 1, memoryBytes + 2 * one])
  assert.deepEqual(given, [[count + 1, false]])
})

test('descriptors that run out close tables, and nothing that is known of others goes', () => {
  const { cache } = expecting(1e6)
  cache.expect(fileNumber(9), outline)
  for (const number of [1, 2, 3]) cache.find(fileNumber(number), bytes.length)
  assert.deepEqual([cache.openCount, cache.bytesOf(fileNumber(9)), cache.bytesOf(fileNumber(1))], [2, one, 0])
})

test('what is known of a table goes when it is evicted, when the cache closes, and when the table cannot be opened', () => {
  const { cache } = expecting(1e6)
  for (const number of [1, 2]) cache.expect(fileNumber(number), outline)
  cache.evict(fileNumber(1))
  assert.equal(cache.bytes, one)
  cache.close()
  assert.equal(cache.bytes, 0)
  const failing = new TableCache(() => assert.fail('no such file'), 2, 1e6)
  failing.expect(fileNumber(1), outline)
  assert.throws(() => failing.find(fileNumber(1), bytes.length))
  assert.equal(failing.bytes, 0)
})

test('what is expected twice is kept once', () => {
  const { cache } = expecting(1e6)
  for (let i = 0; i < 2; i++) cache.expect(fileNumber(1), outline)
  assert.equal(cache.bytes, one)
})

test('after a closing that ended where the stack does, the cache goes on, and closes what is too many', () => {
  const { cache, opened } = makeCache(3)
  for (const number of [1, 2, 3]) use(cache, number)
  const remove = mock.method(Map.prototype, 'delete', function (this: Map<unknown, unknown>, key: unknown) {
    remove.mock.restore()
    this.delete(key)
    throw new RangeError('Maximum call stack size exceeded')
  })
  assert.throws(() => use(cache, 4), RangeError)
  for (const number of [5, 1, 2, 3, 4, 5]) use(cache, number)
  assert.deepEqual(openNumbers(opened).slice(-2), [4, 5])
})

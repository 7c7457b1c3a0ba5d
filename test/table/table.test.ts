/**
 * Table and TableBuilder: what is written is read back; the filter and the block store are used as they should be;
 * hostile files are refused.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { EMPTY } from '../../src/base/bytes.ts'
import { putFixed32 } from '../../src/base/coding.ts'
import { bytewiseComparator, customComparator } from '../../src/base/comparator.ts'
import { crc32c, maskCrc } from '../../src/base/crc32c.ts'
import { CorruptionError, NotSupportedError } from '../../src/base/errors.ts'
import { encodeInternalKey, MAX_TAG_HIGH, MAX_TAG_LOW } from '../../src/base/internal-key.ts'
import * as Lookup from '../../src/base/lookup.ts'
import { fileNumber, MAX_SEQUENCE, sequenceNumber } from '../../src/base/types.ts'
import { BlockCache } from '../../src/cache/block-cache.ts'
import type { Block } from '../../src/table/block.ts'
import { BlockBuilder } from '../../src/table/block-builder.ts'
import { BlockMemory } from '../../src/table/block-memory.ts'
import type { BlockStore, Shelf } from '../../src/table/block-store.ts'
import { BlockWriter } from '../../src/table/block-writer.ts'
import { BloomFilter } from '../../src/table/bloom-filter.ts'
import { shortestSeparator, shortSuccessor } from '../../src/table/index-key.ts'
import { LookupCursor } from '../../src/table/lookup-cursor.ts'
import { filterKey } from '../../src/table/metaindex.ts'
import { Table } from '../../src/table/table.ts'
import { TableBuilder, type TableOptions } from '../../src/table/table-builder.ts'
import { type BlockHandle, encodeFooter, FOOTER_BYTES, putHandle } from '../../src/table/table-format.ts'
import { MemoryFile, MemoryWritableFile } from '../support/memory-file.ts'
import { buildTable, bytesOf, deleteEntry, type Entry, listBackwards, listForwards, putEntry } from './entries.ts'
import { anyEntries, anyMoves, checkWalk } from './walks.ts'

const bloom = new BloomFilter(10)
const defaults: TableOptions = {
  comparator: bytewiseComparator,
  blockBytes: 4096,
  restartInterval: 16,
  filterPolicy: bloom,
}

function openBytes(bytes: Uint8Array, store?: BlockStore): Table {
  const options = { comparator: bytewiseComparator, filterPolicy: bloom, blockCache: store, codecs: {} }
  return Table.open(new MemoryFile(bytes, 'f.ldb'), fileNumber(7), options)
}

function numbered(count: number): Entry[] {
  return Array.from({ length: count }, (_, i) => putEntry(bytesOf(`key${1000 + i}`), i + 1, bytesOf(`value ${i}`)))
}

function lookup(table: Table, key: string, sequence: number = MAX_SEQUENCE): number {
  return table.lookup(bytesOf(`_${key}_`), 1, key.length, sequenceNumber(sequence))
}

test('walks over a table find what a sorted array holds, for all block sizes', () => {
  const anyShape = fc.tuple(fc.integer({ min: 1, max: 600 }), fc.integer({ min: 1, max: 20 }), fc.boolean())
  fc.assert(
    fc.property(anyEntries, anyMoves, anyShape, (entries, moves, [blockBytes, restartInterval, hasFilter]) => {
      const filterPolicy = hasFilter ? bloom : undefined
      const bytes = buildTable(entries, { ...defaults, blockBytes, restartInterval, filterPolicy })
      checkWalk(openBytes(bytes).iterator(), entries, moves)
    }),
    { numRuns: 300 },
  )
})

test('a lookup answers as a search of the sorted entries does', () => {
  const anySequence = fc.integer({ min: 0, max: 13 })
  fc.assert(
    fc.property(anyEntries, fc.integer({ min: 1, max: 200 }), anySequence, (entries, blockBytes, sequence) => {
      const table = openBytes(buildTable(entries, { ...defaults, blockBytes }))
      for (const { key } of entries) {
        const newest = entries.find(
          (e) => Buffer.compare(e.key, key) === 0 && e.high * 2 ** 24 + (e.low >>> 8) <= sequence,
        )
        const expected = newest === undefined ? Lookup.ABSENT : (newest.low & 255) === 0 ? Lookup.DELETED : Lookup.FOUND
        assert.equal(table.lookup(key, 0, key.length, sequenceNumber(sequence)), expected)
        if (expected !== Lookup.FOUND) continue
        assert.deepEqual(table.valBuf.slice(table.valOff, table.valOff + table.valLen), newest?.value)
      }
    }),
    { numRuns: 200 },
  )
})

test('an empty table has no entries', () => {
  const table = openBytes(buildTable([], defaults))
  assert.deepEqual(listForwards(table.iterator()), [])
  assert.deepEqual(listBackwards(table.iterator()), [])
  assert.equal(lookup(table, 'a'), Lookup.ABSENT)
  assert.equal(table.approximateOffset(bytesOf('a'), 0, 1), 10, 'the filter block alone')
})

test('the builder tells the range, the count and the size of its table', () => {
  const file = new MemoryWritableFile()
  const builder = new TableBuilder(file, { ...defaults, blockBytes: 100 })
  assert.deepEqual([builder.entryCount, builder.fileBytes], [0, 0])
  const entries = numbered(50)
  for (const { key, low, high, value } of entries) {
    builder.add(key, 0, key.length, low, high, value, 0, value.length)
    assert.deepEqual(builder.largest, encodeInternalKey(key, 0, key.length, low, high))
  }
  builder.finish()
  assert.deepEqual(builder.smallest, encodeInternalKey(entries[0].key, 0, 7, entries[0].low, entries[0].high))
  assert.equal(builder.entryCount, 50)
  assert.equal(builder.fileBytes, file.contents().length)
  assert.deepEqual([file.appendCount, file.syncCount, file.isClosed], [1, 0, false])
})

test('a large table is written in few appends', () => {
  const file = new MemoryWritableFile()
  const builder = new TableBuilder(file, defaults)
  const value = new Uint8Array(1000)
  for (const { key, low, high } of numbered(2000)) builder.add(key, 0, key.length, low, high, value, 0, 1000)
  builder.add(bytesOf('z'), 0, 1, 1, 0, new Uint8Array(600_000), 0, 600_000)
  builder.finish()
  assert.ok(file.appendCount < 15, `${file.appendCount} appends of ${builder.fileBytes} bytes`)
  const table = openBytes(file.contents())
  assert.equal(listForwards(table.iterator()).length, 2001)
  assert.equal(lookup(table, 'z'), Lookup.FOUND)
  assert.equal(table.valLen, 600_000)
})

test('entries that do not ascend are refused', () => {
  const key = bytesOf('k')
  const cases: readonly (readonly [string, number])[] = [
    ['k', 5],
    ['k', 6],
    ['j', 9],
    ['', 1],
  ]
  for (const [next, sequence] of cases) {
    const builder = new TableBuilder(new MemoryWritableFile(), defaults)
    builder.add(key, 0, 1, sequenceLow(5), 0, EMPTY, 0, 0)
    assert.throws(() => builder.add(bytesOf(next), 0, next.length, sequenceLow(sequence), 0, EMPTY, 0, 0), /ascend/)
  }
})

function sequenceLow(sequence: number): number {
  return sequence * 256 + 1
}

test('an order of the user decides where a lookup looks', () => {
  const reverse = customComparator({ name: 'reverse', compare: (a, b) => Buffer.compare(b, a) })
  const entries = numbered(300).toReversed()
  const bytes = buildTable(entries, { ...defaults, comparator: reverse, blockBytes: 128 })
  const table = Table.open(new MemoryFile(bytes), fileNumber(1), {
    comparator: reverse,
    filterPolicy: bloom,
    blockCache: undefined,
    codecs: {},
  })
  for (const { key } of entries) assert.equal(table.lookup(key, 0, key.length, MAX_SEQUENCE), Lookup.FOUND)
  assert.equal(lookup(table, 'key1'), Lookup.ABSENT)
  assert.equal(listForwards(table.iterator())[0], '"key1299"#300=value 299')
})

test('a filter of another policy is not asked', () => {
  const table = Table.open(new MemoryFile(buildTable(numbered(20), defaults)), fileNumber(1), {
    comparator: bytewiseComparator,
    filterPolicy: {
      name: 'other',
      hash: () => 0,
      filterBytes: () => 0,
      makeFilter: () => {},
      keyMayMatch: () => assert.fail('asked'),
    },
    blockCache: undefined,
    codecs: {},
  })
  assert.equal(table.filterIsDamaged, false)
  assert.equal(lookup(table, 'key1003'), Lookup.FOUND)
})

/** Keeps everything that it admits. */
class EverythingStore implements BlockStore {
  /** Misses that it was asked about. */
  readonly asked: string[] = []
  readonly #admits: boolean

  constructor(admits: boolean = true) {
    this.#admits = admits
  }

  get(shelf: Shelf, at: number): Block | undefined {
    return shelf[at]
  }

  getForScan(shelf: Shelf, at: number): Block | undefined {
    return shelf[at]
  }

  admits(file: number, at: number): boolean {
    this.asked.push(`${file}/${at}`)
    return this.#admits
  }

  put(shelf: Shelf, at: number, block: Block): void {
    assert.ok(this.#admits && shelf[at] === undefined, 'a block that is admitted is read once')
    shelf[at] = block
    block.holders++
  }

  drop(shelf: Shelf): void {
    shelf.fill(undefined)
  }
}

test('blocks are read once and then kept in the store', () => {
  const store = new EverythingStore()
  const bytes = buildTable(numbered(200), { ...defaults, blockBytes: 256 })
  const table = openBytes(bytes, store)
  lookup(table, 'key1000')
  assert.deepEqual(store.asked, ['7/0'])
  assert.equal(listForwards(table.iterator()).length, 200)
  assert.deepEqual(
    store.asked,
    Array.from({ length: table.blockCount }, (_, at) => `7/${at}`),
  )
  const { readCount } = table.file as MemoryFile
  assert.equal(listBackwards(table.iterator()).length, 200)
  assert.equal((table.file as MemoryFile).readCount, readCount)
})

test('a block that the store does not admit is read again, and is right each time', () => {
  const store = new EverythingStore(false)
  const table = openBytes(buildTable(numbered(200), { ...defaults, blockBytes: 256 }), store)
  for (const key of ['key1000', 'key1199', 'key1000']) assert.equal(lookup(table, key), Lookup.FOUND)
  assert.deepEqual([...new Set(store.asked)].length, 2)
  assert.equal(store.asked.length, 3)
  assert.equal(listForwards(table.iterator()).length, 200)
  assert.equal(listBackwards(table.iterator()).length, 200)
})

test('a lookup takes its block from the store, if it is kept there', () => {
  const table = openBytes(buildTable(numbered(200), { ...defaults, blockBytes: 256 }), new EverythingStore())
  const file = table.file as MemoryFile
  const readsOf = (key: string): number => {
    const before = file.readCount
    assert.equal(lookup(table, key), Lookup.FOUND)
    return file.readCount - before
  }
  assert.deepEqual(['key1000', 'key1199', 'key1000', 'key1199', 'key1100'].map(readsOf), [1, 1, 0, 0, 1])
})

test('the filter saves the read of a block that lacks the key', () => {
  const bytes = buildTable(numbered(200), { ...defaults, blockBytes: 256 })
  const readsWith = (filterPolicy: BloomFilter | undefined): number => {
    const options = { comparator: bytewiseComparator, filterPolicy, blockCache: undefined, codecs: {} }
    const table = Table.open(new MemoryFile(bytes, 'f.ldb'), fileNumber(7), options)
    const { readCount } = table.file as MemoryFile
    for (let i = 0; i < 199; i++) assert.equal(lookup(table, `key${1000 + i}x`), Lookup.ABSENT)
    return (table.file as MemoryFile).readCount - readCount
  }
  assert.ok(readsWith(undefined) >= 10)
  assert.ok(readsWith(bloom) <= 4)
})

test('a table that is closed leaves the lookups that it shares, if it was the last that was asked', () => {
  const lookups = new LookupCursor(bytewiseComparator, new BlockMemory())
  const bytes = buildTable(numbered(3), defaults)
  const options = { comparator: bytewiseComparator, filterPolicy: bloom, blockCache: undefined, codecs: {}, lookups }
  const [a, b] = [1, 2].map((number) => Table.open(new MemoryFile(bytes), fileNumber(number), options))
  for (const table of [a, b]) assert.equal(lookup(table, 'key1000'), Lookup.FOUND)
  a.close()
  assert.equal(lookups.owner, b)
  b.close()
  assert.deepEqual([lookups.owner, lookups.valBuf.length], [undefined, 4])
})

test('opening a table is one read', () => {
  assert.equal((openBytes(buildTable(numbered(200), defaults)).file as MemoryFile).readCount, 1)
})

test('approximate offsets ascend with the keys, and end with the data', () => {
  const entries = numbered(200)
  const table = openBytes(buildTable(entries, { ...defaults, blockBytes: 256 }))
  const offsets = entries.map(({ key }) => table.approximateOffset(key, 0, key.length))
  assert.equal(offsets[0], 0)
  assert.ok(offsets.every((offset, i) => i === 0 || offset >= offsets[i - 1]))
  assert.ok(table.approximateOffset(bytesOf('zz'), 0, 2) > offsets[199])
})

test('closing a table closes its file, and takes its blocks out of the store', () => {
  const cache = new BlockCache(1024 * 1024, bytewiseComparator)
  const [table, other] = [1, 2].map(() => openBytes(buildTable(numbered(200), { ...defaults, blockBytes: 256 }), cache))
  assert.equal(listForwards(other.iterator()).length, 200)
  const { bytes } = cache
  assert.equal(listForwards(table.iterator()).length, 200)
  assert.equal(cache.bytes, 2 * bytes)
  table.close()
  assert.equal((table.file as MemoryFile).isClosed, true)
  assert.equal(cache.bytes, bytes)
  assert.equal(lookup(other, 'key1100'), Lookup.FOUND)
})

test('keys that are looked up in ascending order read each block once, without a cache, too', () => {
  const table = openBytes(buildTable(numbered(200), { ...defaults, blockBytes: 256 }))
  const { readCount } = table.file as MemoryFile
  for (let i = 0; i < 200; i++) assert.equal(lookup(table, `key${1000 + i}`), Lookup.FOUND)
  assert.equal((table.file as MemoryFile).readCount - readCount, table.blockCount)
})

test('tables that share their lookups find their own entries, when asked in turn', () => {
  const lookups = new LookupCursor(bytewiseComparator, new BlockMemory())
  const options = { comparator: bytewiseComparator, filterPolicy: bloom, blockCache: undefined, codecs: {}, lookups }
  const tables = ['red', 'blue'].map((value, number) => {
    const entries = numbered(50).map((entry) => ({ ...entry, value: bytesOf(value) }))
    const bytes = buildTable(entries, { ...defaults, blockBytes: 256 })
    return { value, table: Table.open(new MemoryFile(bytes), fileNumber(number), options) }
  })
  for (let i = 0; i < 50; i++) {
    for (const { table, value } of tables) {
      assert.equal(lookup(table, `key${1000 + i}`), Lookup.FOUND)
      assert.deepEqual(table.valBuf.slice(table.valOff, table.valOff + table.valLen), bytesOf(value))
    }
  }
})

test('a table that is open is none the worse for those that are opened after it', () => {
  const first = openBytes(buildTable(numbered(500), { ...defaults, blockBytes: 256 }))
  const others = Array.from({ length: 500 }, (_, i) => putEntry(bytesOf(`other${9000 - i}`), i + 1, bytesOf('')))
  const second = openBytes(buildTable(others.reverse(), { ...defaults, blockBytes: 300 }))
  for (let i = 0; i < 500; i++) {
    assert.equal(lookup(first, `key${1000 + i}`), Lookup.FOUND)
    assert.equal(lookup(second, `other${9000 - i}`), Lookup.FOUND)
  }
  assert.equal(listForwards(first.iterator()).length, 500)
})

test('index keys are shortened only where that makes them shorter and keeps the order', () => {
  const internal = (key: string, sequence: number): Uint8Array => {
    return encodeInternalKey(bytesOf(key), 0, key.length, sequenceLow(sequence), 0)
  }
  const shortened = (key: string): Uint8Array =>
    encodeInternalKey(bytesOf(key), 0, key.length, MAX_TAG_LOW, MAX_TAG_HIGH)
  const cases: readonly (readonly [string, string, string | undefined])[] = [
    ['foo', 'foo', undefined],
    ['foo', 'bar', undefined],
    ['foo', 'hello', 'g'],
    ['foo', 'foobar', undefined],
    ['foobar', 'foo', undefined],
    ['abc1xyz', 'abc3', 'abc2'],
    ['abc1xyz', 'abc2', undefined],
  ]
  for (const [start, limit, key] of cases) {
    const expected = key === undefined ? internal(start, 100) : shortened(key)
    assert.deepEqual(shortestSeparator(bytewiseComparator, internal(start, 100), Buffer.from(limit)), expected)
  }
  assert.deepEqual(shortSuccessor(bytewiseComparator, internal('foo', 1)), shortened('g'))
  assert.deepEqual(shortSuccessor(bytewiseComparator, internal('f', 1)), internal('f', 1))
  const ones = encodeInternalKey(Uint8Array.of(255, 255), 0, 2, 1, 0)
  assert.deepEqual(shortSuccessor(bytewiseComparator, ones), ones)
})

test('a damaged filter is left out, and lookups are right without it', () => {
  const entries = numbered(50)
  const bytes = buildTable(entries, { ...defaults, blockBytes: 256 })
  const whole = openBytes(bytes)
  const filterOffset = whole.approximateOffset(bytesOf('zz'), 0, 2)
  assert.equal(whole.filterIsDamaged, false)
  // The end of the data blocks is the metaindex; the filter lies right before it.
  const damaged = bytes.slice()
  damaged[filterOffset - 20] ^= 1
  const table = openBytes(damaged)
  assert.equal(table.filterIsDamaged, true)
  for (const { key } of entries) assert.equal(table.lookup(key, 0, key.length, MAX_SEQUENCE), Lookup.FOUND)
  assert.equal(lookup(table, 'absent'), Lookup.ABSENT)
})

test('a filter that lies nowhere, or is said to be longer than the table, is left out at once', () => {
  for (const filter of [
    { offset: 0, bytes: 2 ** 45 },
    { offset: 0, bytes: 2 ** 53 - 1 },
    { offset: 2 ** 40, bytes: 10 },
    { offset: 10, bytes: 2 ** 32 },
  ]) {
    const table = openBytes(forge({ filter }))
    assert.equal(table.filterIsDamaged, true, JSON.stringify(filter))
  }
})

/** A table of raw parts: what no builder would write. */
function forge(parts: {
  readonly blocks?: readonly Entry[][]
  readonly index?: (handles: readonly BlockHandle[]) => readonly (readonly [Uint8Array, Uint8Array])[]
  readonly compression?: number
  readonly filter?: BlockHandle
}): Uint8Array {
  const file = new MemoryWritableFile()
  const writer = new BlockWriter(file)
  const handles = (parts.blocks ?? [[putEntry(bytesOf('a'), 1, EMPTY)]]).map((entries) => {
    return writeBlock(
      writer,
      entries.map(({ key, low, high, value }) => [encodeInternalKey(key, 0, key.length, low, high), value]),
    )
  })
  const metaindex = writeBlock(writer, parts.filter === undefined ? [] : [[filterKey(bloom), encoded(parts.filter)]])
  const index = writeBlock(writer, parts.index?.(handles) ?? [])
  writer.write(encodeFooter({ metaindex, index }))
  writer.flush()
  const bytes = file.contents()
  if (parts.compression !== undefined) recompress(bytes, handles[0], parts.compression)
  return bytes
}

function writeBlock(writer: BlockWriter, entries: readonly (readonly [Uint8Array, Uint8Array])[]): BlockHandle {
  const builder = new BlockBuilder(1, 100)
  for (const [key, value] of entries) builder.add(key, key.length, value, 0, value.length)
  return writer.writeBlock(builder.finish())
}

/** Give a block another type byte, and the checksum that goes with it. */
function recompress(bytes: Uint8Array, { offset, bytes: length }: BlockHandle, type: number): void {
  bytes[offset + length] = type
  putFixed32(bytes, offset + length + 1, maskCrc(crc32c(bytes, offset, length + 1)))
}

function encoded(handle: BlockHandle): Uint8Array {
  const bytes = new Uint8Array(20)
  return bytes.slice(0, putHandle(bytes, 0, handle))
}

const separator = (key: string): Uint8Array => encodeInternalKey(bytesOf(key), 0, key.length, MAX_TAG_LOW, MAX_TAG_HIGH)
const twoBlocks = [[putEntry(bytesOf('a'), 1, EMPTY)], [putEntry(bytesOf('c'), 1, EMPTY)]]

test('a forged table that keeps the rules is read, also with an empty block in the middle', () => {
  const bytes = forge({
    blocks: [twoBlocks[0], [], twoBlocks[1]],
    index: (handles) => ['b', 'bb', 'd'].map((key, i) => [separator(key), encoded(handles[i])]),
  })
  const table = openBytes(bytes)
  assert.deepEqual(listForwards(table.iterator()), ['"a"#1=', '"c"#1='])
  assert.deepEqual(listBackwards(table.iterator()), ['"c"#1=', '"a"#1='])
  const iterator = table.iterator()
  iterator.seek(bytesOf('b'), 0, 1, 1, 0)
  assert.deepEqual([iterator.valid, iterator.keyBuf[0]], [true, 99])
})

const badIndexes: readonly (readonly [
  string,
  (handles: readonly BlockHandle[]) => (readonly [Uint8Array, Uint8Array])[],
])[] = [
  [
    'leads to one block twice',
    ([h]) => [
      [separator('b'), encoded(h)],
      [separator('d'), encoded(h)],
    ],
  ],
  [
    'lists blocks backwards',
    ([g, h]) => [
      [separator('b'), encoded(h)],
      [separator('d'), encoded(g)],
    ],
  ],
  [
    'does not ascend',
    ([g, h]) => [
      [separator('d'), encoded(g)],
      [separator('b'), encoded(h)],
    ],
  ],
  [
    'repeats a separator',
    ([g, h]) => [
      [separator('b'), encoded(g)],
      [separator('b'), encoded(h)],
    ],
  ],
  ['leads beyond the file', () => [[separator('b'), encoded({ offset: 0, bytes: 2 ** 40 })]]],
  ['leads near 2^53', () => [[separator('b'), encoded({ offset: 2 ** 53 - 1, bytes: 2 ** 53 - 1 })]]],
  ['leads to the metaindex', () => [[separator('b'), encoded({ offset: 50, bytes: 8 })]]],
  ['has a key shorter than a tag', ([h]) => [[bytesOf('1234567'), encoded(h)]]],
  ['has half a handle', () => [[separator('b'), Uint8Array.of(0)]]],
  ['has more than a handle', ([h]) => [[separator('b'), new Uint8Array([...encoded(h), 0])]]],
]

for (const [name, index] of badIndexes) {
  test(`a table whose index ${name} does not open`, () => {
    assert.throws(() => openBytes(forge({ blocks: twoBlocks, index })), CorruptionError)
  })
}

test('an index whose prefixes expand to many times its size does not open', () => {
  const long = new Uint8Array(3000).fill(97)
  const builder = new BlockBuilder(1000, 100)
  for (let i = 0; i < 200; i++) {
    const key = encodeInternalKey(new Uint8Array([...long, i]), 0, 3001, MAX_TAG_LOW, MAX_TAG_HIGH)
    builder.add(key, key.length, encoded({ offset: i * 5, bytes: 0 }), 0, encoded({ offset: i * 5, bytes: 0 }).length)
  }
  const file = new MemoryWritableFile()
  const writer = new BlockWriter(file)
  for (let i = 0; i < 200; i++) writer.writeBlock(EMPTY)
  const metaindex = writeBlock(writer, [])
  const index = writer.writeBlock(builder.finish())
  writer.write(encodeFooter({ metaindex, index }))
  writer.flush()
  assert.throws(() => openBytes(file.contents()), /expand/)
})

test('a block of a compression that varve cannot read is refused by name, file and offset', () => {
  const index = (handles: readonly BlockHandle[]): (readonly [Uint8Array, Uint8Array])[] => [
    [separator('b'), encoded(handles[0])],
  ]
  for (const [type, name] of [
    [4, 'raw deflate'],
    [77, 'type 77'],
  ] as const) {
    const table = openBytes(forge({ index, compression: type }))
    const isNamed = (error: unknown): boolean =>
      error instanceof NotSupportedError && error.file === 'f.ldb' && error.offset === 0 && error.message.includes(name)
    assert.throws(() => lookup(table, 'a'), isNamed)
    assert.throws(() => listForwards(table.iterator()), isNamed)
  }
})

test('a file is told to be too short for a table, or to lack the magic number, by its length', () => {
  assert.throws(() => openBytes(new Uint8Array(47)), /a table has at least 48 bytes, this file 47/)
  assert.throws(() => openBytes(new Uint8Array(48)), /not a table: the magic number is missing/)
})

test('a file that is no table does not open', () => {
  const bytes = buildTable(numbered(3), defaults)
  const cases: readonly Uint8Array[] = [
    EMPTY,
    bytes.slice(0, 47),
    bytes.slice(0, -1),
    bytes.slice(1),
    new Uint8Array(100),
    new Uint8Array([...bytes, 0]),
    bytes.slice(-FOOTER_BYTES),
  ]
  for (const [i, contents] of cases.entries()) {
    assert.throws(() => openBytes(contents), CorruptionError, `case ${i}`)
  }
})

test('tombstones have no value and end a lookup', () => {
  const table = openBytes(
    buildTable([deleteEntry(bytesOf('k'), 9), putEntry(bytesOf('k'), 3, bytesOf('old'))], defaults),
  )
  assert.equal(lookup(table, 'k', 9), Lookup.DELETED)
  assert.equal(lookup(table, 'k', 8), Lookup.FOUND)
  assert.equal(lookup(table, 'k', 2), Lookup.ABSENT)
})

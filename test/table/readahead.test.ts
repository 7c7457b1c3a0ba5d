/**
 * Reading ahead: who takes block after block takes few reads; who takes a few, takes what is needed; each block is verified
 * all the same.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { CorruptionError, IOError } from '../../src/base/errors.ts'
import { MAX_TAG_HIGH, MAX_TAG_LOW } from '../../src/base/internal-key.ts'
import type { InternalIterator } from '../../src/base/iterator.ts'
import { fileNumber } from '../../src/base/types.ts'
import { BlockCache } from '../../src/cache/block-cache.ts'
import { BlockMemory } from '../../src/table/block-memory.ts'
import { BloomFilter } from '../../src/table/bloom-filter.ts'
import { type Compression, compressorOf } from '../../src/table/compression.ts'
import { OrderedCursor } from '../../src/table/ordered-cursor.ts'
import { Table, type TableReadOptions } from '../../src/table/table.ts'
import { MemoryFile } from '../support/memory-file.ts'
import { buildTable, bytesOf, current, describe, type Entry, listBackwards, listForwards, putEntry } from './entries.ts'

const COUNT = 20_000
const entries: readonly Entry[] = Array.from({ length: COUNT }, (_, i) =>
  putEntry(bytesOf(`key${100_000 + i}`), i + 1, new Uint8Array(100).fill(i)),
)
const bytes = build(entries, 4096)

/** Each in a block of its own that takes 4 KiB of the file: lengths, key, tag, value, restart point, their count, trailer. */
const PAGE_BYTES = 4096
const PAGES = 300
const pages: readonly Entry[] = Array.from({ length: PAGES }, (_, i) =>
  putEntry(bytesOf(`key${100_000 + i}`), i + 1, new Uint8Array(PAGE_BYTES - 4 - 9 - 8 - 4 - 4 - 5).fill(i)),
)
const pageBytes = build(pages, 1)

function build(of: readonly Entry[], blockBytes: number, compression: Compression = 'none'): Uint8Array {
  const options = { comparator: bytewiseComparator, restartInterval: 16, filterPolicy: new BloomFilter(10) }
  return buildTable(of, { ...options, blockBytes, compressor: compressorOf(compression, undefined) })
}

/** Remembers the ranges that are read and the memory that they are read to, and may fail. */
class WatchedFile extends MemoryFile {
  readonly reads: { offset: number; length: number; memory: ArrayBufferLike }[] = []
  failure: (offset: number, length: number) => Error | undefined = () => undefined

  override read(offset: number, into: Uint8Array, intoOffset: number, length: number): void {
    this.reads.push({ offset, length, memory: into.buffer })
    const failure = this.failure(offset, length)
    if (failure !== undefined) {
      // As much of it as there was.
      into.fill(0xff, intoOffset, intoOffset + length / 2)
      throw failure
    }
    super.read(offset, into, intoOffset, length)
  }

  /** What has been read since it was last asked, in KiB. */
  takeKibs(): string {
    return this.reads
      .splice(0)
      .map(({ length }) => length / 1024)
      .join(' ')
  }
}

/** Remembers what it gave out. */
class CountingMemory extends BlockMemory {
  readonly buffers = new Set<ArrayBuffer>()
  allocations = 0

  override allocate(length: number): Uint8Array<ArrayBuffer> {
    const given = super.allocate(length)
    this.buffers.add(given.buffer)
    this.allocations++
    return given
  }
}

function openWatched(
  contents: Uint8Array = bytes,
  blockCache?: BlockCache,
  more?: Partial<TableReadOptions>,
): { table: Table; file: WatchedFile } {
  const file = new WatchedFile(contents)
  const order = { comparator: bytewiseComparator, filterPolicy: new BloomFilter(10) }
  const table = Table.open(file, fileNumber(1), { ...order, codecs: undefined, blockCache, ...more })
  file.reads.length = 0
  return { table, file }
}

function seek(iterator: InternalIterator, index: number): void {
  iterator.seek(entries[index].key, 0, 9, MAX_TAG_LOW, MAX_TAG_HIGH)
}

const expected = listForwards(openWatched().table.iterator())

test('a scan of a table reads each byte of its blocks once, in either direction', () => {
  for (const list of [listForwards, listBackwards]) {
    const { table, file } = openWatched()
    const found = list(table.iterator())
    assert.deepEqual(list === listForwards ? found : found.reverse(), expected)
    let end = 0
    for (const { offset, length } of file.reads.sort((a, b) => a.offset - b.offset)) {
      assert.equal(offset, end)
      end += length
    }
    assert.ok(file.reads.length < 20, `${file.reads.length} reads of ${bytes.length} bytes`)
  }
})

const WALKS: readonly (readonly [what: string, begin: number, step: 1 | -1, kibs: string])[] = [
  ['from the first block on', 0, 1, '4 4 32 64 128 256 256 256 200'],
  ['from the second block on', 1, 1, '4 4 32 64 128 256 256 256 196'],
  ['from the third block on', 2, 1, '4 4 32 64 128 256 256 256 192'],
  ['from the fourth block on', 3, 1, '4 4 32 64 128 256 256 256 188'],
  ['from the last block but three on', PAGES - 4, 1, '4 4 8'],
  ['from the last block but two on', PAGES - 3, 1, '4 4 4'],
  ['from the last block but one on', PAGES - 2, 1, '4 4'],
  ['from the last block back', PAGES - 1, -1, '4 4 32 64 128 256 256 256 200'],
  ['from the tenth block back', 9, -1, '4 4 32'],
  ['from the fourth block back', 3, -1, '4 4 8'],
  ['from the third block back', 2, -1, '4 4 4'],
  ['from the second block back', 1, -1, '4 4'],
]

for (const [what, begin, step, kibs] of WALKS) {
  test(`a walk ${what} reads ahead from the third block on, twice as much each time up to 256 KiB`, () => {
    const { table, file } = openWatched(pageBytes)
    const iterator = table.iterator()
    const found: number[] = []
    for (seek(iterator, begin); iterator.valid; step > 0 ? iterator.next() : iterator.prev()) {
      assert.equal(iterator.valBuf[iterator.valOff], (found.length * step + begin) & 255)
      found.push(iterator.tagLow >>> 8)
    }
    assert.equal(found.length, step > 0 ? PAGES - begin : begin + 1)
    const windows = new Set(file.reads.filter(({ length }) => length > PAGE_BYTES).map(({ memory }) => memory))
    assert.ok(windows.size <= 4, `${windows.size} pieces of memory for windows of four lengths`)
    assert.equal(file.takeKibs(), kibs)
  })
}

test('who goes elsewhere is read ahead for from the third block in a row on again', () => {
  const { table, file } = openWatched(pageBytes)
  const iterator = table.iterator()
  listForwards(iterator)
  file.takeKibs()
  seek(iterator, 150)
  for (let i = 0; i < 8; i++) iterator.next()
  assert.equal(file.takeKibs(), '4 4 32')
  for (let i = 10; i < PAGES; i += 10) seek(iterator, i)
  assert.equal(file.takeKibs(), '4 '.repeat(29).trim(), 'every tenth block is no row')
})

test('who reads all blocks is read ahead for from the first one on, 512 KiB at once, past the cache', () => {
  const cache = new BlockCache(64 * 1024 * 1024, bytewiseComparator)
  const { table, file } = openWatched(pageBytes, cache)
  const blocks = table.blocks()
  const cursor = new OrderedCursor(true)
  for (let at = 0; at < table.blockCount; at++) {
    cursor.enter(blocks.get(at))
    while (!cursor.isAtEnd) cursor.next()
    assert.deepEqual([cursor.tagLow >>> 8, cursor.valBuf[cursor.valOff]], [at + 1, at & 255])
  }
  assert.equal(file.takeKibs(), '512 512 176')
  assert.equal(cache.bytes, 0)
})

test('blocks that are larger than what is read ahead are read by themselves', () => {
  const lengths = [10, 600_000, 10, 10, 600_000, 600_000, 300_000, 10, 10, 10, 600_000]
  const mixed = lengths.map((length, i) =>
    putEntry(bytesOf(`key${100_000 + i}`), i + 1, new Uint8Array(length).fill(i)),
  )
  const { table } = openWatched(build(mixed, 1))
  const described = mixed.map(describe)
  assert.deepEqual(listForwards(table.iterator()), described)
  assert.deepEqual(listBackwards(table.iterator()), described.toReversed())
  const blocks = table.blocks()
  for (const [at, { value }] of mixed.entries()) {
    const cursor = new OrderedCursor(true)
    cursor.enter(blocks.get(at))
    cursor.next()
    assert.deepEqual(cursor.valBuf.slice(cursor.valOff, cursor.valOff + cursor.valLen), value)
  }
})

test('a short range reads its blocks and nothing ahead', () => {
  const { table, file } = openWatched()
  const iterator = table.iterator()
  seek(iterator, 5000)
  for (let i = 0; i < 40; i++) iterator.next()
  assert.ok(file.reads.length <= 3)
  assert.ok(file.reads.every(({ length }) => length < 5000))
})

test('seeks here and there read single blocks, also after a long scan', () => {
  const { table, file } = openWatched()
  const iterator = table.iterator()
  listForwards(iterator)
  file.reads.length = 0
  for (let i = 0; i < 50; i++) seek(iterator, (i * 7919) % COUNT)
  assert.ok(file.reads.length <= 50)
  assert.ok(file.reads.every(({ length }) => length < 5000))
})

test('a scan that goes back and forth finds what is there', () => {
  const { table } = openWatched()
  const iterator = table.iterator()
  seek(iterator, 3000)
  for (let round = 0; round < 6; round++) {
    for (let i = 0; i < 900 - round * 100; i++) iterator.next()
    for (let i = 0; i < 800 - round * 100; i++) iterator.prev()
  }
  assert.equal(Buffer.from(iterator.keyBuf.slice(0, iterator.keyLen)).toString(), `key${103_600}`)
})

test('damage ahead is found when the scan gets there, and not before', () => {
  const damaged = bytes.slice()
  damaged[200_000] ^= 1
  const { table } = openWatched(damaged)
  const iterator = table.iterator()
  let count = 0
  iterator.seekToFirst()
  assert.throws(() => {
    for (; iterator.valid; iterator.next()) count++
  }, CorruptionError)
  assert.ok(count * 118 > 190_000, `${count} entries come before the damage`)
  assert.equal(iterator.valid, false)
})

test('who comes to a damaged block and goes back finds the one before as it is, also where it was read over', () => {
  for (const step of [1, -1]) {
    // Reads have become as long as they get, and go to the memory of the one before.
    for (let place = 180; place < 250; place++) {
      const index = step > 0 ? place : PAGES - 1 - place
      const contents = pageBytes.slice()
      contents[PAGE_BYTES * index + 100] ^= 1
      const iterator = openWatched(contents).table.iterator()
      const walk = (): void => {
        if (step > 0) for (iterator.seekToFirst(); iterator.valid; iterator.next());
        else for (iterator.seekToLast(); iterator.valid; iterator.prev());
      }
      assert.throws(walk, CorruptionError)
      assert.equal(iterator.valid, false)
      const before = pages[index - step]
      iterator.seek(before.key, 0, 9, MAX_TAG_LOW, MAX_TAG_HIGH)
      assert.ok(Buffer.from(current(iterator)!.value).equals(before.value), `${index}`)
    }
  }
})

test('when reading ahead fails, the blocks are read one by one, and only a bad one fails', () => {
  const bad = 300_000
  const refuses = (offset: number, length: number): boolean => offset <= bad && bad < offset + length
  const { table, file } = openWatched()
  file.failure = (offset, length) => (refuses(offset, length) ? new IOError('a bad sector') : undefined)
  const iterator = table.iterator()
  let last = 0
  assert.throws(() => {
    for (iterator.seekToFirst(); iterator.valid; iterator.next()) last = iterator.tagLow >>> 8
  }, IOError)
  assert.ok(last * 118 > bad - 8192, `entry ${last} is the last before the bad block`)
})

test('a read ahead that failed leaves nothing behind: what was read before it is read again', () => {
  for (const [begin, end] of [
    [0, 9],
    [9, 0],
  ]) {
    const { table, file } = openWatched(pageBytes)
    const iterator = table.iterator()
    const at = (): number => (iterator.tagLow >>> 8) - 1
    const walk = (to: number): void => {
      while (at() !== to) {
        if (at() < to) iterator.next()
        else iterator.prev()
        assert.equal(iterator.valBuf[iterator.valOff], at())
      }
    }
    seek(iterator, begin)
    walk(end)
    assert.equal(file.takeKibs(), '4 4 32')
    file.failure = (_, length) => (length > PAGE_BYTES ? new IOError('too much at once') : undefined)
    walk(15)
    walk(0)
    walk(15)
  }
})

test('a scan that failed goes on where it is put, and is read ahead for as before', () => {
  const { table, file } = openWatched(pageBytes)
  const iterator = table.iterator()
  seek(iterator, 0)
  for (let i = 1; i < 10; i++) iterator.next()
  file.takeKibs()
  file.failure = () => new IOError('the cable is loose')
  assert.throws(() => iterator.next(), IOError)
  assert.equal(iterator.valid, false)
  file.failure = () => undefined
  file.takeKibs()
  for (seek(iterator, 10); iterator.valid; iterator.next()) assert.ok(iterator.tagLow >>> 8 > 10)
  assert.equal(file.takeKibs(), '128 256 256 256 256 8')
})

test('what is no failure of the file is not taken for one', () => {
  const { table, file } = openWatched(pageBytes)
  file.failure = (_, length) => (length > PAGE_BYTES ? new TypeError('a mistake') : undefined)
  assert.throws(() => listForwards(table.iterator()), TypeError)
})

for (const compression of ['none', 'snappy'] as const) {
  test(`blocks that were read ahead take memory once each if they are kept (compression ${compression})`, () => {
    const cache = new BlockCache(64 * 1024 * 1024, bytewiseComparator)
    const memory = new CountingMemory()
    const { table } = openWatched(build(entries, 4096, compression), cache, { memory })
    listForwards(table.iterator())
    // The first two are read alone: what is compressed lies somewhere before it is uncompressed, and then makes room.
    assert.ok(memory.allocations - table.blockCount <= 2, `${memory.allocations} for ${table.blockCount} blocks`)
    assert.deepEqual(listBackwards(table.iterator()).reverse(), expected)
  })
}

test('a scan that keeps nothing copies nothing, and gives back the memory of each block that it leaves', () => {
  const memory = new CountingMemory()
  const { table } = openWatched(pageBytes, undefined, { memory })
  listForwards(table.iterator())
  assert.equal(memory.allocations, 2)
  const iterator = table.iterator()
  for (let i = 0; i < 200; i++) seek(iterator, (i * 7) % PAGES)
  assert.equal(memory.allocations, 202)
  assert.ok(memory.buffers.size <= 4, `${memory.buffers.size} pieces of memory`)
})

test('blocks that were read ahead are kept in the cache by themselves', () => {
  const cache = new BlockCache(64 * 1024 * 1024, bytewiseComparator)
  const { table, file } = openWatched(bytes, cache)
  listForwards(table.iterator())
  // The window would be 64 times as large as a block.
  assert.ok(cache.bytes < bytes.length * 1.2)
  file.reads.length = 0
  assert.deepEqual(listBackwards(table.iterator()).reverse(), expected)
  assert.deepEqual(listForwards(table.iterator()), expected)
  assert.equal(file.reads.length, 0)
})

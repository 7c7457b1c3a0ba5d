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
import { BloomFilter } from '../../src/table/bloom-filter.ts'
import { Table } from '../../src/table/table.ts'
import { MemoryFile } from '../support/memory-file.ts'
import { buildTable, bytesOf, type Entry, listBackwards, listForwards, putEntry } from './entries.ts'

const COUNT = 20_000
const entries: readonly Entry[] = Array.from({ length: COUNT }, (_, i) =>
  putEntry(bytesOf(`key${100_000 + i}`), i + 1, new Uint8Array(100).fill(i)),
)
const bytes = buildTable(entries, {
  comparator: bytewiseComparator,
  blockBytes: 4096,
  restartInterval: 16,
  filterPolicy: new BloomFilter(10),
})

/** Remembers the ranges that are read, and may refuse some. */
class WatchedFile extends MemoryFile {
  readonly reads: { offset: number; length: number }[] = []
  refuses: (offset: number, length: number) => boolean = () => false

  override read(offset: number, into: Uint8Array, intoOffset: number, length: number): void {
    this.reads.push({ offset, length })
    if (this.refuses(offset, length)) throw new IOError('a bad sector')
    super.read(offset, into, intoOffset, length)
  }
}

function openWatched(contents: Uint8Array = bytes, blockCache?: BlockCache): { table: Table; file: WatchedFile } {
  const file = new WatchedFile(contents)
  const table = Table.open(file, fileNumber(1), {
    comparator: bytewiseComparator,
    filterPolicy: new BloomFilter(10),
    codecs: undefined,
    blockCache,
  })
  assert.equal(file.reads.length, 1, 'a table is opened with one read')
  file.reads.length = 0
  return { table, file }
}

function seek(iterator: InternalIterator, index: number): void {
  iterator.seek(entries[index].key, 0, 9, MAX_TAG_LOW, MAX_TAG_HIGH)
}

const expected = listForwards(openWatched().table.iterator())

test('a scan of a table takes growing reads, none over 256 KiB, in either direction', () => {
  for (const list of [listForwards, listBackwards]) {
    const { table, file } = openWatched()
    const found = list(table.iterator())
    assert.deepEqual(list === listForwards ? found : found.reverse(), expected)
    const lengths = file.reads.map(({ length }) => length)
    assert.ok(lengths[0] < 5000 && lengths[1] < 5000, 'the first blocks are read one by one')
    assert.ok(lengths.every((length) => length <= 256 * 1024))
    assert.ok(lengths.length < 20, `${lengths.length} reads of ${bytes.length} bytes: ${lengths.join(' ')}`)
    const total = lengths.reduce((sum, length) => sum + length, 0)
    assert.ok(total <= bytes.length, 'nothing is read twice')
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

test('when reading ahead fails, the blocks are read one by one, and only a bad one fails', () => {
  const bad = 300_000
  const refuses = (offset: number, length: number): boolean => offset <= bad && bad < offset + length
  const { table, file } = openWatched()
  file.refuses = refuses
  const iterator = table.iterator()
  let last = 0
  assert.throws(() => {
    for (iterator.seekToFirst(); iterator.valid; iterator.next()) last = iterator.tagLow >>> 8
  }, IOError)
  assert.ok(last * 118 > bad - 8192, `entry ${last} is the last before the bad block`)
})

test('blocks that were read ahead are kept in the cache by themselves, unless the iterator says no', () => {
  const cache = new BlockCache(64 * 1024 * 1024, bytewiseComparator)
  const { table, file } = openWatched(bytes, cache)
  assert.equal(listForwards(table.iterator({ fillCache: false })).length, COUNT)
  assert.equal(cache.bytes, 0)
  listForwards(table.iterator())
  // The window would be 64 times as large as a block.
  assert.ok(cache.bytes < bytes.length * 1.2)
  file.reads.length = 0
  assert.deepEqual(listBackwards(table.iterator()).reverse(), expected)
  assert.deepEqual(listForwards(table.iterator()), expected)
  assert.equal(file.reads.length, 0)
})

/**
 * Memory of blocks that is used again: whoever is in a block must go on seeing what it holds, whatever comes and goes meanwhile.
 * Lookups and several iterators, some of them dropped on the way, share a cache of a few blocks; what each stands on is looked
 * at again after every call.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import * as Lookup from '../../src/base/lookup.ts'
import { type Bytes, fileNumber, MAX_SEQUENCE } from '../../src/base/types.ts'
import { BlockCache } from '../../src/cache/block-cache.ts'
import { Block } from '../../src/table/block.ts'
import { BlockMemory } from '../../src/table/block-memory.ts'
import { type Compression, compressorOf } from '../../src/table/compression.ts'
import { LookupCursor } from '../../src/table/lookup-cursor.ts'
import { Table } from '../../src/table/table.ts'
import type { TableIterator } from '../../src/table/table-iterator.ts'
import { MemoryFile } from '../support/memory-file.ts'
import { buildTable, bytesOf, current, describe, type Entry, putEntry } from '../table/entries.ts'

const COUNT = 400

const entries: readonly Entry[] = Array.from({ length: COUNT }, (_, i) =>
  putEntry(bytesOf(`key${1000 + i}`), i + 1, bytesOf(`${i}/`.repeat(10 + (i % 30)))),
)

function tableOf(compression: Compression): Bytes {
  const options = { comparator: bytewiseComparator, blockBytes: 1024, restartInterval: 4, filterPolicy: undefined }
  return buildTable(entries, { ...options, compressor: compressorOf(compression, undefined) })
}

const files = { none: tableOf('none'), snappy: tableOf('snappy') }

/** Some places again and again, whose blocks get directories. */
const anyPlace = fc.oneof(fc.nat(COUNT - 1), fc.nat(40))
const anyCall = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('lookup' as const), at: anyPlace }) },
  fc.record({ kind: fc.constantFrom('seek' as const, 'drop' as const), at: anyPlace, who: fc.nat(3) }),
  fc.record({ kind: fc.constantFrom('next' as const, 'prev' as const), at: fc.constant(0), who: fc.nat(3) }),
)

test('who is in a block sees what it holds until they leave it, however small the cache', () => {
  const anyCompression = fc.constantFrom<'none' | 'snappy'>('none', 'snappy')
  fc.assert(
    fc.property(
      fc.array(anyCall, { minLength: 100, maxLength: 400 }),
      fc.constantFrom(0, 1500, 6000, 20_000),
      anyCompression,
      fc.boolean(),
      (calls, bytesMax, compression, hasCache) => {
        const blockCache = new BlockCache(bytesMax, bytewiseComparator)
        const { memory } = blockCache
        const lookups = new LookupCursor(bytewiseComparator, memory)
        const options = {
          comparator: bytewiseComparator,
          filterPolicy: undefined,
          codecs: {},
          blockCache: hasCache ? blockCache : undefined,
          memory,
          lookups,
        }
        const table = Table.open(new MemoryFile(files[compression], 'f.ldb'), fileNumber(7), options)
        const iterators: TableIterator[] = [0, 1, 2, 3].map(() => table.iterator())
        const places = [-1, -1, -1, -1]
        let looked = -1
        for (const call of calls) {
          const { key, low, high } = entries[call.at]
          if (call.kind === 'lookup') {
            assert.equal(table.lookup(key, 0, key.length, MAX_SEQUENCE), Lookup.FOUND)
            looked = call.at
          } else if (call.kind === 'drop') {
            iterators[call.who] = table.iterator()
            places[call.who] = -1
          } else if (call.kind === 'seek') {
            iterators[call.who].seek(key, 0, key.length, low, high)
            places[call.who] = call.at
          } else if (iterators[call.who].valid) {
            iterators[call.who][call.kind]()
            places[call.who] += call.kind === 'next' ? 1 : -1
          }
          if (looked >= 0) {
            const { valBuf, valOff, valLen } = table
            assert.deepEqual(valBuf.slice(valOff, valOff + valLen), entries[looked].value)
          }
          iterators.forEach((iterator, i) => {
            const entry = entries[places[i]]
            if (iterator.valid) assert.equal(describe(current(iterator)!), describe(entry))
            else assert.equal(entry, undefined)
          })
          assert.ok(blockCache.bytes <= bytesMax)
        }
      },
    ),
    { numRuns: 200 },
  )
})

test('memory comes back when the last one lets go, and not before', () => {
  const memory = new BlockMemory()
  const bytes = memory.allocate(1000)
  bytes.fill(0)
  const block = new Block(bytes, 'f', 0, 4, bytes.buffer)
  memory.hold(block)
  memory.hold(block)
  memory.release(block)
  assert.notEqual(memory.allocate(1000).buffer, bytes.buffer)
  memory.release(block)
  assert.notEqual(memory.allocate(2000).buffer, bytes.buffer)
  assert.equal(memory.allocate(1001).buffer, bytes.buffer)
  assert.notEqual(memory.allocate(1000).buffer, bytes.buffer)
})

test('a block gives its memory back once, however often it is held after that', () => {
  const memory = new BlockMemory()
  const bytes = memory.allocate(1000)
  bytes.fill(0)
  const block = new Block(bytes, 'f', 0, 4, bytes.buffer)
  for (let round = 0; round < 3; round++) {
    memory.hold(block)
    memory.release(block)
  }
  assert.equal(memory.allocate(1000).buffer, bytes.buffer)
  assert.notEqual(memory.allocate(1000).buffer, bytes.buffer)
})

test('lookups hold the block that they are in, and leave the memory of the one before', () => {
  const memory = new BlockMemory()
  const lookups = new LookupCursor(bytewiseComparator, memory)
  const blocks = [1000, 2000].map((length) => {
    const bytes = memory.allocate(length)
    bytes.fill(0)
    return new Block(bytes, 'f', 0, 4, bytes.buffer)
  })
  const isFree = ({ bytes }: Block): boolean => memory.allocate(bytes.length).buffer === bytes.buffer
  for (const block of blocks) lookups.enter(blocks, 0, block)
  assert.deepEqual(blocks.map(isFree), [true, false])
  lookups.enter(blocks, 0, blocks[1])
  assert.equal(isFree(blocks[1]), false)
  lookups.leave()
  assert.equal(isFree(blocks[1]), true)
})

/** How many of 20 pieces that are given back are given out again. */
function usedAgain(bytes: number): number {
  const memory = new BlockMemory()
  const pieces = Array.from({ length: 20 }, () => memory.allocate(bytes))
  for (const { buffer } of pieces) memory.free(buffer)
  const again = pieces.map(() => memory.allocate(bytes))
  return again.filter(({ buffer }) => pieces.some((piece) => piece.buffer === buffer)).length
}

test('a few pieces wait to be used again, of large ones fewer, of very large ones none', () => {
  assert.deepEqual([usedAgain(1000), usedAgain(600_000), usedAgain(1_000_100), usedAgain(3_000_000)], [8, 3, 2, 0])
})

test('what waits comes to no more after other lengths have been given back and taken', () => {
  const memory = new BlockMemory()
  const lengths = [1000, 900_000, 20_000, 700_000, 500_000]
  const given: ArrayBuffer[] = []
  for (let i = 0; i < 100; i++) {
    const { buffer } = memory.allocate(lengths[(i * 7) % 5])
    memory.free(buffer)
    given.push(memory.allocate(lengths[(i * 3) % 5]).buffer)
  }
  for (const buffer of given) memory.free(buffer)
  const waiting = lengths.flatMap((bytes) => Array.from({ length: 9 }, () => memory.allocate(bytes).buffer))
  const bytes = waiting.filter((buffer) => given.includes(buffer)).reduce((sum, { byteLength }) => sum + byteLength, 0)
  assert.ok(bytes > 500_000 && bytes <= 2 * 1024 * 1024, `${bytes} bytes`)
})

test('a long block takes memory that is a little longer, and has its own length there', () => {
  const memory = new BlockMemory()
  const { buffer } = memory.allocate(100_000)
  memory.free(buffer)
  assert.notEqual(memory.allocate(80_000).buffer, buffer)
  assert.notEqual(memory.allocate(100_200).buffer, buffer)
  const bytes = memory.allocate(95_000)
  assert.equal(bytes.buffer, buffer)
  assert.ok(bytes.length >= 95_000 && bytes.length < 95_128)
})

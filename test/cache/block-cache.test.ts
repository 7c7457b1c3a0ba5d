import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { Prng } from '../../src/base/prng.ts'
import { type FileNumber, fileNumber } from '../../src/base/types.ts'
import { BlockCache } from '../../src/cache/block-cache.ts'
import { Block } from '../../src/table/block.ts'
import type { BlockStore, Shelf } from '../../src/table/block-store.ts'

/** A block of `bytes` bytes: one restart point, and what no entry is read of. */
function blockOf(bytes: number): Block {
  const contents = new Uint8Array(bytes)
  contents[bytes - 4] = 1
  return new Block(contents, 'f', 0)
}

const one: FileNumber = fileNumber(1)
const two: FileNumber = fileNumber(2)
/** Bytes that a cache counts for a block of 100. */
const CHARGE = ((): number => {
  const cache = new BlockCache(10_000, bytewiseComparator)
  cache.put(one, 0, blockOf(100))
  return cache.bytes
})()

/** Which blocks of file 1 are kept; asking changes nothing. */
function keptOf(cache: BlockCache, offsets: readonly number[]): boolean[] {
  return offsets.map((offset) => cache.getForScan(one, offset) !== undefined)
}

test('a block that was put is got, and counted as a hit; others are misses', () => {
  const cache = new BlockCache(10_000, bytewiseComparator)
  const block = blockOf(100)
  cache.put(one, 40, block)
  assert.equal(cache.get(one, 40), block)
  assert.equal(cache.get(one, 41), undefined)
  assert.equal(cache.get(two, 40), undefined)
  assert.deepEqual([cache.hits, cache.misses], [1, 2])
  assert.ok(cache.bytes > 100)
})

test('of blocks that were read once, the oldest leaves first', () => {
  const cache = new BlockCache(3 * CHARGE, bytewiseComparator)
  for (const offset of [0, 1, 2]) cache.put(one, offset, blockOf(100))
  cache.put(two, 3, blockOf(100))
  assert.deepEqual(keptOf(cache, [0, 1, 2]), [false, true, true])
  assert.ok(cache.getForScan(two, 3))
})

test('a block that a lookup found again stays, whatever passes by', () => {
  const cache = new BlockCache(4 * CHARGE, bytewiseComparator)
  for (const offset of [0, 1]) cache.put(one, offset, blockOf(100))
  cache.get(one, 0)
  for (let offset = 10; offset < 100; offset++) cache.put(one, offset, blockOf(100))
  assert.deepEqual(keptOf(cache, [0, 1]), [true, false])
})

test('a block that only scans, or the lookups right after it was read, have found again does not stay', () => {
  const cache = new BlockCache(4 * CHARGE, bytewiseComparator)
  cache.put(one, 0, blockOf(100))
  for (let i = 0; i < 5; i++) cache.get(one, 0)
  cache.put(one, 1, blockOf(100))
  for (let i = 0; i < 5; i++) cache.getForScan(one, 0)
  for (let offset = 10; offset < 20; offset++) cache.put(one, offset, blockOf(100))
  assert.deepEqual(keptOf(cache, [0, 1]), [false, false])
})

test('protected blocks leave room for new ones, and the oldest of them goes first', () => {
  const cache = new BlockCache(5 * CHARGE, bytewiseComparator)
  for (const offset of [0, 1, 2, 3, 4]) cache.put(one, offset, blockOf(100))
  for (const offset of [0, 1, 2, 3, 4]) cache.get(one, offset)
  // Four fifths are 0 to 3; the last that came in is not protected by the lookups right after.
  for (let offset = 10; offset < 20; offset++) cache.put(two, offset, blockOf(100))
  assert.deepEqual(keptOf(cache, [0, 1, 2, 3, 4]), [true, true, true, true, false])
  assert.equal(cache.bytes, 5 * CHARGE)
})

/** What the cache is measured against: the least recently used of so many blocks leaves, whoever used it. */
class PlainLru {
  readonly #order: Map<number, Block> = new Map()
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  get(_file: FileNumber, offset: number): Block | undefined {
    const block = this.#order.get(offset)
    if (block !== undefined) this.put(_file, offset, block)
    return block
  }

  getForScan(file: FileNumber, offset: number): Block | undefined {
    return this.get(file, offset)
  }

  put(_file: FileNumber, offset: number, block: Block): void {
    this.#order.delete(offset)
    this.#order.set(offset, block)
    if (this.#order.size > this.#most) this.#order.delete(this.#order.keys().next().value as number)
  }
}

const ROUNDS = 20_000

/**
 * Lookups with a Zipf distribution over ten times as many blocks as there is room for, and scans over all in between.
 * @returns hits of the lookups
 */
function simulate(cache: BlockStore, scannedEach: number): number {
  const blocks = 2000
  const random = new Prng(301)
  const ends: number[] = []
  for (let i = 0; i < blocks; i++) ends.push((ends[i - 1] ?? 0) + 1 / (i + 1))
  let hits = 0
  for (let i = 0; i < ROUNDS; i++) {
    const at = (random.next32() / 2 ** 32) * ends[blocks - 1]
    const offset = ends.findIndex((end) => at < end)
    if (cache.get(one, offset) === undefined) cache.put(one, offset, blockOf(100))
    else hits++
    for (let j = 0; j < scannedEach; j++) {
      const scanned = (i * scannedEach + j) % blocks
      if (cache.getForScan(one, scanned) === undefined) cache.put(one, scanned, blockOf(100))
    }
  }
  return hits
}

test('scans over everything cost the lookups of a working set few of their hits', () => {
  const alone = simulate(new BlockCache(200 * CHARGE, bytewiseComparator), 0)
  const among = simulate(new BlockCache(200 * CHARGE, bytewiseComparator), 5)
  const plain = simulate(new PlainLru(200), 5)
  const said = `of ${ROUNDS} lookups hit: ${alone} alone, ${among} among scans; ${plain} with a plain LRU`
  assert.ok(alone > ROUNDS * 0.65, said)
  assert.ok(among > alone * 0.9, said)
  assert.ok(among > plain * 1.5, said)
})

test('a block replaces the one of the same place', () => {
  const cache = new BlockCache(10_000, bytewiseComparator)
  cache.put(one, 0, blockOf(500))
  const newer = blockOf(100)
  cache.put(one, 0, newer)
  assert.equal(cache.get(one, 0), newer)
  assert.equal(cache.bytes, CHARGE)
})

test('a block larger than the budget is not kept, and drives nothing out', () => {
  const cache = new BlockCache(2 * CHARGE, bytewiseComparator)
  cache.put(one, 0, blockOf(100))
  cache.put(one, 1, blockOf(10_000))
  assert.equal(cache.get(one, 1), undefined)
  assert.ok(cache.get(one, 0))
})

test('a cache of no bytes keeps nothing', () => {
  const cache = new BlockCache(0, bytewiseComparator)
  cache.put(one, 0, blockOf(100))
  assert.equal(cache.get(one, 0), undefined)
  assert.equal(cache.bytes, 0)
})

test('a file that is gone takes its blocks along', () => {
  const cache = new BlockCache(10_000, bytewiseComparator)
  for (const offset of [0, 1, 2]) cache.put(one, offset, blockOf(100))
  cache.put(two, 0, blockOf(100))
  cache.evictFile(one)
  cache.evictFile(fileNumber(3))
  assert.equal(cache.bytes, CHARGE)
  assert.equal(cache.get(one, 0), undefined)
  assert.ok(cache.get(two, 0))
})

test('whatever is called, the budget holds, and what is got is what was put last', () => {
  const anyCall = fc.record({
    kind: fc.constantFrom('get', 'getForScan', 'put', 'evictFile'),
    file: fc.integer({ min: 1, max: 3 }),
    offset: fc.integer({ min: 0, max: 4 }),
    bytes: fc.constantFrom(20, 100, 300, 900),
  })
  fc.assert(
    fc.property(fc.array(anyCall, { maxLength: 80 }), (calls) => {
      const cache = new BlockCache(2500, bytewiseComparator)
      const overhead = CHARGE - 100
      const last = new Map<string, Block>()
      for (const { kind, file, offset, bytes } of calls) {
        const number = fileNumber(file)
        const place = `${file}/${offset}`
        if (kind === 'put') {
          const block = blockOf(bytes)
          cache.put(number, offset, block)
          last.set(place, block)
        } else if (kind === 'evictFile') {
          cache.evictFile(number)
          for (const key of last.keys()) if (key.startsWith(`${file}/`)) last.delete(key)
        } else {
          const found = cache[kind](number, offset)
          assert.ok(found === undefined || found === last.get(place))
        }
        assert.ok(cache.bytes <= cache.bytesMax)
      }
      let bytes = 0
      for (const place of last.keys()) {
        const [file, offset] = place.split('/').map(Number)
        const kept = cache.getForScan(fileNumber(file), offset)
        if (kept !== undefined) bytes += kept.bytes.length + overhead
      }
      assert.equal(cache.bytes, bytes)
    }),
  )
})

test('a table finds on its shelf what is kept of it, and nothing that is not kept any more', () => {
  const cache = new BlockCache(2 * CHARGE, bytewiseComparator)
  const shelf: Shelf = [undefined, undefined, undefined]
  const blocks = [0, 1, 2].map((at) => {
    const block = blockOf(100)
    cache.put(one, at * 100, block, shelf, at)
    return block
  })
  assert.deepEqual(shelf, [undefined, blocks[1], blocks[2]])
  assert.equal(cache.get(one, 100, shelf, 1), blocks[1])
  assert.equal(cache.get(one, 0, shelf, 0), undefined)
  cache.evictFile(one)
  assert.deepEqual(shelf, [undefined, undefined, undefined])
  assert.equal(cache.getForScan(one, 100, shelf, 1), undefined)
})

test('a table that is opened again finds what is kept of it, and has it on its new shelf', () => {
  const cache = new BlockCache(2 * CHARGE, bytewiseComparator)
  const before: Shelf = [undefined]
  const after: Shelf = [undefined]
  const block = blockOf(100)
  cache.put(one, 0, block, before, 0)
  assert.equal(cache.get(one, 0, after, 0), block)
  assert.equal(after[0], block)
  assert.equal(before[0], undefined)
  cache.put(one, 0, blockOf(101), after, 0)
  assert.equal(after[0]?.bytes.length, 101)
})

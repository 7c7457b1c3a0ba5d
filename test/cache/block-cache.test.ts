import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { Prng } from '../../src/base/prng.ts'
import { type FileNumber, fileNumber } from '../../src/base/types.ts'
import { BlockCache } from '../../src/cache/block-cache.ts'
import type { Block } from '../../src/table/block.ts'
import type { BlockStore, Shelf } from '../../src/table/block-store.ts'
import { blockOf, CHARGE, keptOf } from './blocks.ts'

const number: FileNumber = fileNumber(1)
/** As a table that reads a block which was missed. @returns whether it is kept */
function offer(cache: BlockStore, file: FileNumber, shelf: Shelf, at: number): boolean {
  if (!cache.admits(file, at)) return false
  cache.put(shelf, at, blockOf(100))
  return true
}

test('a block that was put is got, and counted as a hit; others are misses', () => {
  const one: Shelf = []
  const two: Shelf = []
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
  const one: Shelf = []
  const two: Shelf = []
  const cache = new BlockCache(3 * CHARGE, bytewiseComparator)
  for (const offset of [0, 1, 2]) cache.put(one, offset, blockOf(100))
  cache.put(two, 3, blockOf(100))
  assert.deepEqual(keptOf(one, [0, 1, 2]), [false, true, true])
  assert.ok(cache.getForScan(two, 3))
})

test('a block that a lookup found again stays, whatever passes by', () => {
  const one: Shelf = []
  const cache = new BlockCache(4 * CHARGE, bytewiseComparator)
  for (const offset of [0, 1]) cache.put(one, offset, blockOf(100))
  cache.get(one, 0)
  for (let offset = 10; offset < 100; offset++) cache.put(one, offset, blockOf(100))
  assert.deepEqual(keptOf(one, [0, 1]), [true, false])
})

test('a block that only scans, or the lookups right after it was read, have found again does not stay', () => {
  const one: Shelf = []
  const cache = new BlockCache(4 * CHARGE, bytewiseComparator)
  cache.put(one, 0, blockOf(100))
  for (let i = 0; i < 5; i++) cache.get(one, 0)
  cache.put(one, 1, blockOf(100))
  for (let i = 0; i < 5; i++) cache.getForScan(one, 0)
  for (let offset = 10; offset < 20; offset++) cache.put(one, offset, blockOf(100))
  assert.deepEqual(keptOf(one, [0, 1]), [false, false])
})

test('protected blocks leave room for new ones, and the oldest of them goes first', () => {
  const one: Shelf = []
  const two: Shelf = []
  const cache = new BlockCache(5 * CHARGE, bytewiseComparator)
  for (const offset of [0, 1, 2, 3, 4]) cache.put(one, offset, blockOf(100))
  for (const offset of [0, 1, 2, 3, 4]) cache.get(one, offset)
  // Four fifths are 0 to 3; the last that came in is not protected by the lookups right after.
  for (let offset = 10; offset < 20; offset++) cache.put(two, offset, blockOf(100))
  assert.deepEqual(keptOf(one, [0, 1, 2, 3, 4]), [true, true, true, true, false])
  assert.equal(cache.bytes, 5 * CHARGE)
})

test('protected blocks take four fifths of the budget, to the byte', () => {
  for (const [bytesMax, isKept] of [
    [10 * CHARGE, true],
    [10 * CHARGE - 1, false],
    [10 * CHARGE + 5, true],
  ] as const) {
    const shelf: Shelf = []
    const cache = new BlockCache(bytesMax, bytewiseComparator)
    for (let at = 0; at < 9; at++) cache.put(shelf, at, blockOf(100))
    for (let at = 0; at < 8; at++) cache.get(shelf, at)
    for (let at = 10; at < 30; at++) cache.put(shelf, at, blockOf(100))
    assert.deepEqual(keptOf(shelf, [0, 1, 7]), [isKept, true, true], `of ${bytesMax} bytes`)
  }
})

/** What the cache is measured against: whatever is read is kept, and the least recently used of so many blocks leaves. */
class PlainLru implements BlockStore {
  readonly #order: Map<number, Block> = new Map()
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  get(shelf: Shelf, at: number): Block | undefined {
    const block = this.#order.get(at)
    if (block !== undefined) this.put(shelf, at, block)
    return block
  }

  getForScan(shelf: Shelf, at: number): Block | undefined {
    return this.get(shelf, at)
  }

  admits(): boolean {
    return true
  }

  put(_shelf: Shelf, at: number, block: Block): void {
    this.#order.delete(at)
    this.#order.set(at, block)
    if (this.#order.size > this.#most) this.#order.delete(this.#order.keys().next().value as number)
  }

  drop(): void {}
}

const ROUNDS = 20_000

/**
 * Lookups with a Zipf distribution over ten times as many blocks as there is room for, and scans over all in between.
 * @returns hits of the lookups
 */
function simulate(cache: BlockStore, scannedEach: number): number {
  const blocks = 2000
  const shelf: Shelf = []
  const random = new Prng(301)
  const ends: number[] = []
  for (let i = 0; i < blocks; i++) ends.push((ends[i - 1] ?? 0) + 1 / (i + 1))
  let hits = 0
  for (let i = 0; i < ROUNDS; i++) {
    const share = (random.next32() / 2 ** 32) * ends[blocks - 1]
    const at = ends.findIndex((end) => share < end)
    if (cache.get(shelf, at) === undefined) offer(cache, number, shelf, at)
    else hits++
    for (let j = 0; j < scannedEach; j++) {
      const scanned = (i * scannedEach + j) % blocks
      if (cache.getForScan(shelf, scanned) === undefined) offer(cache, number, shelf, scanned)
    }
  }
  return hits
}

test('lookups of a working set hit more often than in a plain LRU, and scans over everything cost them few of their hits', () => {
  const alone = simulate(new BlockCache(200 * CHARGE, bytewiseComparator), 0)
  const among = simulate(new BlockCache(200 * CHARGE, bytewiseComparator), 5)
  const plain = simulate(new PlainLru(200), 0)
  const plainAmong = simulate(new PlainLru(200), 5)
  const said = `of ${ROUNDS} lookups hit: ${alone} alone, ${among} among scans; ${plain} and ${plainAmong} with a plain LRU`
  assert.ok(alone > ROUNDS * 0.65, said)
  assert.ok(alone > plain, said)
  assert.ok(among > alone * 0.9, said)
  assert.ok(among > plainAmong * 1.5, said)
})

test('a cache with room admits every block; a full one those that were missed before', () => {
  const cache = new BlockCache(3 * CHARGE, bytewiseComparator)
  const shelf: Shelf = []
  assert.deepEqual(
    [0, 1, 2].map((at) => offer(cache, number, shelf, at)),
    [true, true, true],
  )
  // That it is full, it learns from the first block that drives out another one.
  assert.ok(offer(cache, number, shelf, 3))
  assert.deepEqual(
    [4, 5, 4, 5, 5, 6].map((at) => cache.admits(number, at)),
    [false, false, true, true, true, false],
  )
  // Of another table it is another block.
  assert.ok(!cache.admits(fileNumber(2), 4))
  assert.deepEqual(keptOf(shelf, [0, 1, 2, 3]), [false, true, true, true])
})

test('a full cache takes up another working set within a few rounds of it', () => {
  const cache = new BlockCache(200 * CHARGE, bytewiseComparator)
  const shelf: Shelf = []
  const random = new Prng(302)
  const hitsOf = (first: number): number => {
    let hits = 0
    for (let i = 0; i < 150; i++) {
      const at = first + random.below(150)
      if (cache.get(shelf, at) === undefined) offer(cache, number, shelf, at)
      else hits++
    }
    return hits
  }
  for (let round = 0; round < 10; round++) hitsOf(0)
  for (let at = 1000; at < 1100; at++) cache.put(shelf, at, blockOf(100))
  assert.ok(!cache.admits(number, 5000), 'it is full')
  const hits = Array.from({ length: 10 }, () => hitsOf(2000))
  assert.ok(hits[0] < 30, `${hits}`)
  assert.ok(hits[9] > 140, `${hits}`)
})

test('a cache that tables have left has room again', () => {
  const cache = new BlockCache(20 * CHARGE, bytewiseComparator)
  const one: Shelf = []
  const two: Shelf = []
  for (let at = 0; at < 15; at++) cache.put(one, at, blockOf(100))
  for (let at = 0; at < 10; at++) cache.put(two, at, blockOf(100))
  assert.ok(!cache.admits(number, 100))
  cache.drop(two)
  assert.ok(cache.admits(number, 101))
})

test('a full cache has room again below nine tenths of its budget, and not before', () => {
  for (const [bytesOfThird, isFull] of [
    [1000, true],
    [1001, false],
  ] as const) {
    const cache = new BlockCache(10_000, bytewiseComparator)
    const overhead = CHARGE - 100
    const shelves: Shelf[] = [[], [], []]
    cache.put(shelves[0], 0, blockOf(9000 - overhead))
    cache.put(shelves[1], 0, blockOf(10_000 - bytesOfThird - overhead))
    cache.put(shelves[2], 0, blockOf(bytesOfThird - overhead))
    assert.ok(!cache.admits(number, 1))
    cache.drop([])
    assert.ok(!cache.admits(number, 2))
    cache.drop(shelves[2])
    assert.equal(cache.bytes, 10_000 - bytesOfThird)
    assert.equal(cache.admits(number, 3), !isFull)
  }
})

test('a full cache remembers about as many misses as it has room for blocks', () => {
  const cache = new BlockCache(1e6, bytewiseComparator)
  const shelf: Shelf = []
  for (const at of [0, 1]) cache.put(shelf, at, blockOf(1e6 - CHARGE))
  const missed = (begin: number, limit: number): number => {
    let remembered = 0
    for (let at = begin; at < limit; at++) if (cache.admits(number, at)) remembered++
    return remembered
  }
  missed(0, 100)
  assert.equal(missed(0, 100), 100)
  missed(1000, 6000)
  assert.ok(missed(0, 100) < 10)
})

test('a block replaces the one of the same place', () => {
  const one: Shelf = []
  const cache = new BlockCache(10_000, bytewiseComparator)
  cache.put(one, 0, blockOf(500))
  const newer = blockOf(100)
  cache.put(one, 0, newer)
  assert.equal(cache.get(one, 0), newer)
  assert.equal(cache.bytes, CHARGE)
})

test('a block larger than the budget is not kept, and drives nothing out', () => {
  const one: Shelf = []
  const cache = new BlockCache(2 * CHARGE, bytewiseComparator)
  cache.put(one, 0, blockOf(100))
  cache.put(one, 1, blockOf(10_000))
  assert.equal(cache.get(one, 1), undefined)
  assert.ok(cache.get(one, 0))
})

test('a cache of no bytes keeps nothing', () => {
  const one: Shelf = []
  const cache = new BlockCache(0, bytewiseComparator)
  cache.put(one, 0, blockOf(100))
  assert.equal(cache.get(one, 0), undefined)
  assert.equal(cache.bytes, 0)
})

test('a table that is closed takes its blocks along', () => {
  const one: Shelf = []
  const two: Shelf = []
  const cache = new BlockCache(10_000, bytewiseComparator)
  for (const offset of [0, 1, 2]) cache.put(one, offset, blockOf(100))
  cache.put(two, 0, blockOf(100))
  cache.drop(one)
  cache.drop([])
  assert.equal(cache.bytes, CHARGE)
  assert.equal(cache.get(one, 0), undefined)
  assert.ok(cache.get(two, 0))
})

test('whatever is called, the budget holds, and what is got is what was put last', () => {
  const anyCall = fc.record({
    kind: fc.constantFrom('get', 'getForScan', 'put', 'drop'),
    table: fc.nat(2),
    at: fc.integer({ min: 0, max: 4 }),
    bytes: fc.constantFrom(20, 100, 300, 900),
  })
  fc.assert(
    fc.property(fc.array(anyCall, { maxLength: 80 }), (calls) => {
      const cache = new BlockCache(2500, bytewiseComparator)
      const overhead = CHARGE - 100
      const shelves: Shelf[] = [[], [], []]
      const last: Shelf[] = [[], [], []]
      for (const { kind, table, at, bytes } of calls) {
        const shelf = shelves[table]
        if (kind === 'put') {
          last[table][at] = blockOf(bytes)
          cache.put(shelf, at, last[table][at])
        } else if (kind === 'drop') {
          cache.drop(shelf)
          last[table] = []
        } else {
          const found = cache[kind](shelf, at)
          assert.ok(found === undefined || found === last[table][at])
        }
        assert.ok(cache.bytes <= cache.bytesMax)
      }
      const kept = shelves.flat().filter((block) => block !== undefined)
      assert.equal(
        cache.bytes,
        kept.reduce((sum, block) => sum + block.bytes.length + overhead, 0),
      )
    }),
  )
})

test('a table finds on its shelf what is kept of it, and nothing that is not kept any more', () => {
  const cache = new BlockCache(2 * CHARGE, bytewiseComparator)
  const shelf: Shelf = [undefined, undefined, undefined]
  const blocks = [0, 1, 2].map((at) => {
    const block = blockOf(100)
    cache.put(shelf, at, block)
    return block
  })
  assert.deepEqual(shelf, [undefined, blocks[1], blocks[2]])
  assert.equal(cache.get(shelf, 1), blocks[1])
  assert.equal(cache.get(shelf, 0), undefined)
  cache.drop(shelf)
  assert.deepEqual(shelf, [undefined, undefined, undefined])
  assert.equal(cache.getForScan(shelf, 1), undefined)
})

test('a cache that is closed lets go of everything, and tables that are closed after it find nothing to do', () => {
  const cache = new BlockCache(10_000, bytewiseComparator)
  const shelf: Shelf = []
  for (const at of [0, 1]) cache.put(shelf, at, blockOf(100))
  cache.clear()
  assert.equal(cache.bytes, 0)
  cache.drop(shelf)
  assert.equal(cache.bytes, 0)
  assert.deepEqual(keptOf(shelf, [0, 1]), [true, true])
})

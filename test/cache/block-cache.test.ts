import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bytewiseComparator, customComparator } from '../../src/base/comparator.ts'
import { encodeInternalKey, tagHigh, tagLow } from '../../src/base/internal-key.ts'
import { Prng } from '../../src/base/prng.ts'
import { type FileNumber, fileNumber } from '../../src/base/types.ts'
import * as ValueType from '../../src/base/value-type.ts'
import { BlockCache } from '../../src/cache/block-cache.ts'
import { Block } from '../../src/table/block.ts'
import { BlockBuilder } from '../../src/table/block-builder.ts'
import { BlockDirectories } from '../../src/table/block-directory.ts'
import { BlockMemory } from '../../src/table/block-memory.ts'
import type { BlockStore, Shelf } from '../../src/table/block-store.ts'
import { bytesOf } from '../table/entries.ts'

/** A block of `bytes` bytes: one restart point, and what no entry is read of. */
function blockOf(bytes: number): Block {
  const contents = new Uint8Array(bytes)
  contents[bytes - 4] = 1
  return new Block(contents, 'f', 0)
}

const number: FileNumber = fileNumber(1)
/** Bytes that a cache counts for a block of 100. */
const CHARGE = ((): number => {
  const cache = new BlockCache(10_000, bytewiseComparator)
  cache.put([], 0, blockOf(100))
  return cache.bytes
})()

/** Which blocks of a table are kept. */
function keptOf(shelf: Shelf, places: readonly number[]): boolean[] {
  return places.map((at) => shelf[at] !== undefined)
}

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

/** A block of so many entries of a hundred bytes; from four on it is one for a directory. @param room so many bytes are free behind it */
function blockWith(entries: number, room: number = 0): Block {
  const builder = new BlockBuilder(16, 4096)
  for (let i = 0; i < entries; i++) {
    const key = bytesOf(`key${10 + i}`)
    const internal = encodeInternalKey(key, 0, key.length, tagLow(1, ValueType.VALUE), tagHigh(1))
    builder.add(internal, internal.length, new Uint8Array(90), 0, 90)
  }
  const contents = builder.finish()
  const bytes = new Uint8Array(contents.length + room)
  bytes.set(contents)
  return new Block(bytes, 'f', 0, contents.length)
}

/** Bytes by which such a block becomes longer with a directory; 0 without one. */
function directoryBytes(entries: number): number {
  const { length } = blockWith(entries)
  const bytes = new BlockDirectories().measure(blockWith(entries))
  return bytes === 0 ? 0 : new BlockMemory().allocate(length + bytes).length - length
}

interface Kept {
  readonly place: string
  readonly entries: number
  bytes: number
  isUsed: boolean
  /** It was not tried to give it a directory. */
  isPlain: boolean
  hasDirectory: boolean
}

/** The two rings, by the header of block-cache.ts, as lists: the oldest first. */
class ModelCache {
  hits = 0
  misses = 0
  /** Directories that were given. */
  given = 0
  probation: Kept[] = []
  protected: Kept[] = []
  readonly #bytesMax: number
  readonly #directoryBytes: (entries: number) => number

  constructor(bytesMax: number, directory: (entries: number) => number) {
    this.#bytesMax = bytesMax
    this.#directoryBytes = directory
  }

  get all(): Kept[] {
    return [...this.probation, ...this.protected]
  }

  get bytes(): number {
    return sumOf(this.all)
  }

  get(place: string): void {
    const kept = this.#find(place)
    if (kept === undefined) return
    if (this.protected.includes(kept)) kept.isUsed = true
    else if (kept !== this.probation.at(-1)) this.#protect(kept)
  }

  getForScan(place: string): void {
    this.#find(place)
  }

  put(place: string, entries: number, bytes: number): void {
    this.remove((kept) => kept.place === place)
    if (bytes > this.#bytesMax) return
    this.#makeRoom(bytes, undefined)
    this.probation.push({ place, entries, bytes, isUsed: false, isPlain: true, hasDirectory: false })
  }

  remove(isGone: (kept: Kept) => boolean): void {
    this.probation = this.probation.filter((kept) => !isGone(kept))
    this.protected = this.protected.filter((kept) => !isGone(kept))
  }

  #find(place: string): Kept | undefined {
    const found = this.all.find((kept) => kept.place === place)
    if (found === undefined) this.misses++
    else this.hits++
    return found
  }

  #makeRoom(bytes: number, keep: Kept | undefined): boolean {
    while (this.bytes + bytes > this.#bytesMax) {
      const oldest = this.all[0]
      if (oldest === keep) return false
      this.remove((kept) => kept === oldest)
    }
    return true
  }

  #protect(kept: Kept): void {
    this.remove((other) => other === kept)
    this.protected.push(kept)
    const more = kept.isPlain ? this.#directoryBytes(kept.entries) : 0
    kept.isPlain = false
    if (more > 0 && this.#makeRoom(more, kept)) {
      kept.bytes += more
      kept.hasDirectory = true
      this.given++
    }
    while (sumOf(this.protected) > this.#bytesMax * 0.8) {
      const oldest = this.protected.shift() as Kept
      if (oldest.isUsed) this.protected.push(oldest)
      else this.probation.push(oldest)
      oldest.isUsed = false
    }
  }
}

function sumOf(all: readonly Kept[]): number {
  return all.reduce((sum, { bytes }) => sum + bytes, 0)
}

test('blocks come and go, are protected, get directories and are counted as a model of two lists says', () => {
  const sizes = [1, 4, 6, 12]
  const directories = new Map(sizes.map((entries) => [entries, directoryBytes(entries)]))
  assert.deepEqual(
    [...directories.values()].map((bytes) => bytes > 0),
    [false, true, true, true],
  )
  const overhead = CHARGE - 100
  const anyCall = fc.oneof(
    { weight: 16, arbitrary: fc.record({ kind: fc.constant('get' as const), place: fc.nat(7) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('getForScan' as const), place: fc.nat(7) }) },
    { weight: 8, arbitrary: fc.record({ kind: fc.constantFrom(...sizes), place: fc.nat(7) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('drop' as const), place: fc.nat(7) }) },
  )
  const anyBudget = fc.oneof(fc.integer({ min: 700, max: 1800 }), fc.constantFrom(2500, 4000, 6000))
  let given = 0
  fc.assert(
    fc.property(fc.array(anyCall, { maxLength: 150, size: 'max' }), anyBudget, (calls, bytesMax) => {
      const cache = new BlockCache(bytesMax, bytewiseComparator)
      const model = new ModelCache(bytesMax, (entries) => directories.get(entries) as number)
      const blocks: Block[] = []
      const shelves: Shelf[] = [[], []]
      for (const { kind, place } of calls) {
        const shelf = shelves[place & 1]
        const name = `${place & 1}/${place}`
        if (kind === 'drop') {
          cache.drop(shelf)
          model.remove((kept) => kept.place.startsWith(`${place & 1}/`))
        } else if (typeof kind === 'number') {
          const block = blockWith(kind)
          blocks.push(block)
          cache.put(shelf, place, block)
          model.put(name, kind, block.bytes.length + overhead)
        } else {
          const found = cache[kind](shelf, place)
          if (found !== undefined) blocks.push(found)
          model[kind](name)
        }
        assert.deepEqual([cache.bytes, cache.hits, cache.misses], [model.bytes, model.hits, model.misses])
      }
      const held = new Set<Block>()
      for (let place = 0; place < 8; place++) {
        const found = shelves[place & 1][place]
        const kept = model.all.find((one) => one.place === `${place & 1}/${place}`)
        assert.equal(found?.entryCount, kept === undefined ? undefined : kept.hasDirectory ? kept.entries : 0)
        if (found !== undefined) held.add(found)
      }
      given += model.given
      // Whoever left is held by nobody, also the block that a copy has taken the place of.
      for (const block of blocks) assert.equal(block.holders, held.has(block) ? 1 : 0)
    }),
    { numRuns: 300 },
  )
  assert.ok(given > 100, `${given} directories`)
})

test('where keys are not in the order of their bytes, no block gets a directory', () => {
  const one: Shelf = []
  const reverse = customComparator({ name: 'reverse', compare: (a, b) => -Buffer.compare(a, b) })
  for (const [comparator, entries] of [
    [bytewiseComparator, 6],
    [reverse, 0],
  ] as const) {
    const cache = new BlockCache(10_000, comparator)
    for (const offset of [0, 1]) cache.put(one, offset, blockWith(6))
    cache.get(one, 0)
    assert.equal(cache.get(one, 0)?.entryCount, entries)
  }
})

test('a block for whose directory there is no room stays as it is', () => {
  const one: Shelf = []
  const block = blockWith(85)
  const small = CHARGE - 80
  assert.ok(directoryBytes(85) > small)
  const bytes = block.bytes.length + CHARGE - 100
  const cache = new BlockCache(bytes + small, bytewiseComparator)
  cache.put(one, 0, block)
  cache.put(one, 1, blockOf(20))
  assert.equal(cache.get(one, 0), block)
  assert.equal(cache.get(one, 0), block)
  assert.deepEqual([block.entryCount, block.holders, cache.bytes], [0, 1, bytes])
  // It is not tried again, at the cost of others.
  cache.put(one, 2, blockOf(20))
  assert.equal(cache.get(one, 0), block)
  assert.deepEqual(keptOf(one, [0, 2]), [true, true])
})

test('a block that has room behind it gets its directory where it is', () => {
  const shelf: Shelf = []
  const bytes = new BlockDirectories().measure(blockWith(6))
  for (const room of [bytes, bytes - 1]) {
    const cache = new BlockCache(10_000, bytewiseComparator)
    const block = blockWith(6, room)
    cache.put(shelf, 0, block)
    cache.put(shelf, 1, blockOf(100))
    const before = cache.bytes
    assert.equal(cache.get(shelf, 0)?.entryCount, 6)
    assert.deepEqual([shelf[0] === block, cache.bytes === before], [room === bytes, room === bytes])
  }
})

test('what is read has room for as large a directory as the last one', () => {
  const cache = new BlockCache(100_000, bytewiseComparator)
  const { memory } = cache
  const shelf: Shelf = []
  for (const entries of [40, 5]) {
    const { length } = blockWith(entries)
    const bytes = new BlockDirectories().measure(blockWith(entries))
    cache.put(shelf, 0, blockWith(entries))
    cache.put(shelf, 1, blockOf(100))
    cache.get(shelf, 0)
    const room = memory.allocateBlock(length).length - length
    assert.ok(room >= bytes && room < bytes + 256, `${room} bytes for ${bytes}`)
  }
  assert.equal(memory.allocateBlock(100_000).length, memory.allocate(100_000).length)
})

test('the memory of a directory for which there is no room is used again', () => {
  const shelf: Shelf = []
  const block = blockWith(85)
  const bytes = block.bytes.length + CHARGE - 100
  const cache = new BlockCache(bytes + CHARGE - 80, bytewiseComparator)
  cache.put(shelf, 0, block)
  cache.put(shelf, 1, blockOf(20))
  const length = block.bytes.length + directoryBytes(85)
  const { buffer } = cache.memory.allocate(length)
  cache.memory.free(buffer)
  cache.get(shelf, 0)
  assert.deepEqual([block.entryCount, cache.memory.allocate(length).buffer === buffer], [0, true])
})

test('a table has the block with the directory on its shelf, and each find there is a hit', () => {
  const cache = new BlockCache(10_000, bytewiseComparator)
  const shelf: Shelf = []
  cache.put(shelf, 0, blockWith(6))
  cache.put(shelf, 1, blockOf(100))
  for (let i = 0; i < 4; i++) cache.get(shelf, 0)
  assert.equal(shelf[0]?.entryCount, 6)
  assert.deepEqual([cache.hits, cache.misses], [4, 0])
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

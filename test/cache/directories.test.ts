/**
 * Directories that a cache gives to blocks which are found again: when, at whose cost, and where they lie.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bytewiseComparator, customComparator } from '../../src/base/comparator.ts'
import { encodeInternalKey, tagHigh, tagLow } from '../../src/base/internal-key.ts'
import * as ValueType from '../../src/base/value-type.ts'
import { BlockCache } from '../../src/cache/block-cache.ts'
import { Block } from '../../src/table/block.ts'
import { BlockBuilder } from '../../src/table/block-builder.ts'
import { BlockDirectories } from '../../src/table/block-directory.ts'
import { BlockMemory } from '../../src/table/block-memory.ts'
import type { Shelf } from '../../src/table/block-store.ts'
import { bytesOf } from '../table/entries.ts'
import { blockOf, CHARGE, keptOf } from './blocks.ts'

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

test('no room is left for directories that blocks turn out not to get', () => {
  const cache = new BlockCache(2 ** 20, bytewiseComparator)
  const { memory } = cache
  const roomBehind = (bytes: number): number => memory.allocateBlock(bytes).length - memory.allocate(bytes).length
  for (const [entries, isGiven] of [
    [2, false],
    [33, true],
    [2, false],
  ] as const) {
    const shelf: Shelf = []
    for (const at of [0, 1]) cache.put(shelf, at, blockWith(entries))
    cache.get(shelf, 0)
    assert.equal(roomBehind(8192) > 0, isGiven)
  }
})

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

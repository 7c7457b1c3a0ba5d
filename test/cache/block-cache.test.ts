import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type FileNumber, fileNumber } from '../../src/base/types.ts'
import { BlockCache } from '../../src/cache/block-cache.ts'
import { Block } from '../../src/table/block.ts'

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
  const cache = new BlockCache(10_000)
  cache.put(one, 0, blockOf(100))
  return cache.bytes
})()

test('a block that was put is got, and counted as a hit; others are misses', () => {
  const cache = new BlockCache(10_000)
  const block = blockOf(100)
  cache.put(one, 40, block)
  assert.equal(cache.get(one, 40), block)
  assert.equal(cache.get(one, 41), undefined)
  assert.equal(cache.get(two, 40), undefined)
  assert.deepEqual([cache.hits, cache.misses], [1, 2])
  assert.ok(cache.bytes > 100)
})

test('the least recently used block leaves first', () => {
  const cache = new BlockCache(3 * CHARGE)
  for (const offset of [0, 1, 2]) cache.put(one, offset, blockOf(100))
  cache.get(one, 0)
  cache.put(two, 3, blockOf(100))
  const kept = [0, 1, 2].map((offset) => cache.get(one, offset) !== undefined)
  assert.deepEqual(kept, [true, false, true])
  assert.ok(cache.get(two, 3))
})

test('a block replaces the one of the same place', () => {
  const cache = new BlockCache(10_000)
  cache.put(one, 0, blockOf(500))
  const newer = blockOf(100)
  cache.put(one, 0, newer)
  assert.equal(cache.get(one, 0), newer)
  assert.equal(cache.bytes, CHARGE)
})

test('a block larger than the budget is not kept, and drives nothing out', () => {
  const cache = new BlockCache(2 * CHARGE)
  cache.put(one, 0, blockOf(100))
  cache.put(one, 1, blockOf(10_000))
  assert.equal(cache.get(one, 1), undefined)
  assert.ok(cache.get(one, 0))
})

test('a cache of no bytes keeps nothing', () => {
  const cache = new BlockCache(0)
  cache.put(one, 0, blockOf(100))
  assert.equal(cache.get(one, 0), undefined)
  assert.equal(cache.bytes, 0)
})

test('a file that is gone takes its blocks along', () => {
  const cache = new BlockCache(10_000)
  for (const offset of [0, 1, 2]) cache.put(one, offset, blockOf(100))
  cache.put(two, 0, blockOf(100))
  cache.evictFile(one)
  cache.evictFile(fileNumber(3))
  assert.equal(cache.bytes, CHARGE)
  assert.equal(cache.get(one, 0), undefined)
  assert.ok(cache.get(two, 0))
})

test('the cache holds what a plain list in order of use would hold', () => {
  const anyCall = fc.record({
    kind: fc.constantFrom('get', 'put', 'evictFile'),
    file: fc.integer({ min: 1, max: 3 }),
    offset: fc.integer({ min: 0, max: 4 }),
    bytes: fc.constantFrom(20, 100, 300, 900),
  })
  fc.assert(
    fc.property(fc.array(anyCall, { maxLength: 80 }), (calls) => {
      const cache = new BlockCache(2500)
      const overhead = CHARGE - 100
      let list: { file: number; offset: number; block: Block }[] = []
      const bytesOfList = (): number => list.reduce((sum, { block }) => sum + block.bytes.length + overhead, 0)
      for (const { kind, file, offset, bytes } of calls) {
        const number = fileNumber(file)
        const known = list.find((slot) => slot.file === file && slot.offset === offset)
        if (kind === 'get') {
          assert.equal(cache.get(number, offset), known?.block)
          if (known !== undefined) list = [...list.filter((slot) => slot !== known), known]
        } else if (kind === 'put') {
          const block = blockOf(bytes)
          cache.put(number, offset, block)
          list = [...list.filter((slot) => slot !== known), { file, offset, block }]
          while (bytesOfList() > 2500) list.shift()
        } else {
          cache.evictFile(number)
          list = list.filter((slot) => slot.file !== file)
        }
        assert.equal(cache.bytes, bytesOfList())
      }
    }),
  )
})

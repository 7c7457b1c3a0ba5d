/**
 * Counts, estimates and samples of keys. Seeds are fixed, so that statistics come out the same every time.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { InvalidArgumentError } from '../../src/base/errors.ts'
import { Prng } from '../../src/base/prng.ts'
import { MAX_SEQUENCE } from '../../src/base/types.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import { addTo, anyHistory, anyKey, newestAt } from './histories.ts'
import { REPRESENTATIONS, type Representation, testEach } from './representations.ts'

const KEYS = 20_000

type Shape = (prng: Prng, i: number) => string

const SHAPES: readonly [what: string, shape: Shape, bound: number][] = [
  ['random', (prng) => prng.next32().toString(16).padStart(8, '0'), 0.5],
  ['ascending', (_, i) => String(i).padStart(8, '0'), 0.5],
  ['clustered', (prng) => `user${prng.below(20)}:${prng.below(100_000)}`, 0.6],
]

function fill(representation: Representation, shape: Shape): { table: MemTable; keys: string[] } {
  const table = MemTable.create({ capacityBytes: 1 << 22, representation })
  const prng = new Prng(7)
  const keys = new Set<string>()
  for (let i = 0; i < KEYS; i++) {
    const key = shape(prng, i)
    table.put(key, '')
    keys.add(key)
  }
  return { table, keys: [...keys].sort() }
}

test('a range has as many keys as a scan of it yields, and a small one is estimated exactly', () => {
  const kinds = fc.constantFrom(...REPRESENTATIONS)
  fc.assert(
    fc.property(anyHistory, anyKey, anyKey, kinds, (history, from, to, representation) => {
      const table = MemTable.create({ capacityBytes: 1 << 16, representation })
      for (const entry of history) addTo(table, entry)
      const count = [...table.rangeScan(from, to)].length
      assert.equal(table.countRange(from, to), count)
      assert.equal(table.estimateCount(from, to), count)
      assert.equal(table.sample(1000).length, newestAt(history, MAX_SEQUENCE).length)
    }),
    { numRuns: 100 },
  )
})

for (const [what, shape, bound] of SHAPES) {
  testEach(`estimates of ranges stay within their bounds: ${what} keys, seed 7`, (representation) => {
    const { table, keys } = fill(representation, shape)
    const prng = new Prng(3)
    const errors: number[] = []
    for (let i = 0; i < 200; i++) {
      const a = prng.below(keys.length)
      const b = prng.below(keys.length)
      const [from, to] = [Math.min(a, b), Math.max(a, b)]
      const estimate = table.estimateCount(keys[from], keys[to])
      errors.push((estimate - (to - from + 1)) / (to - from + 1))
    }
    const standard = Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / errors.length)
    const largest = Math.max(...errors.map(Math.abs))
    assert.ok(standard <= 0.15 && largest <= bound, `standard error ${standard}, largest ${largest}`)
    assert.ok(representation === 'vector' || errors.some((e) => e !== 0), 'estimates are not counts')
  })

  testEach(`samples are spread over all keys alike: ${what} keys, seed 7`, (representation) => {
    const { table, keys } = fill(representation, shape)
    const place = new Map(keys.map((key, i) => [key, i]))
    const tenths = new Array<number>(10).fill(0)
    let drawn = 0
    for (let seed = 0; seed < 20; seed++) {
      const sample = table.sample(200, seed)
      assert.ok(sample.length >= 180 && sample.length <= 200, `${sample.length} of 200`)
      const names = sample.map(({ key }) => Buffer.from(key).toString())
      assert.deepEqual(names, [...new Set(names)].sort(), 'in order, each once')
      for (const name of names) tenths[Math.floor((10 * place.get(name)!) / keys.length)]++
      drawn += names.length
    }
    for (const count of tenths) assert.ok(Math.abs(count - drawn / 10) < 0.3 * (drawn / 10), tenths.join())
    assert.deepEqual(table.sample(50, 1), table.sample(50, 1))
    assert.notDeepEqual(table.sample(50, 1), table.sample(50, 2))
  })
}

test('a sample of a key with many versions has it once', () => {
  for (const representation of REPRESENTATIONS) {
    const table = MemTable.create({ capacityBytes: 1 << 20, representation })
    for (let i = 0; i < 2000; i++) table.put(i % 2 === 0 ? 'hot' : `k${i}`, String(i))
    const hot = table.sample(100).filter(({ key }) => Buffer.from(key).toString() === 'hot')
    assert.ok(hot.length <= 1)
    if (hot.length === 1) assert.equal(hot[0].sequence, 1999)
  }
})

testEach('an attached table counts and samples what is published', (representation) => {
  const table = MemTable.create({ capacityBytes: 1 << 20, representation })
  for (let i = 0; i < 1000; i++) table.put(String(i), '')
  table.freeze()
  const attached = MemTable.attach(table.share())
  assert.equal(attached.countRange('', '~'), 1000)
  assert.equal(attached.estimateCount('', '~'), table.estimateCount('', '~'))
  assert.deepEqual(attached.sample(10), table.sample(10))
})

test('sizes and seeds of samples are whole numbers', () => {
  const table = MemTable.create({ capacityBytes: 64 })
  assert.deepEqual(table.sample(0), [])
  assert.deepEqual(table.sample(5), [])
  for (const count of [-1, 0.5, NaN, '3' as unknown as number]) {
    assert.throws(() => table.sample(count), InvalidArgumentError)
  }
  assert.throws(() => table.sample(1, 0.5), InvalidArgumentError)
})

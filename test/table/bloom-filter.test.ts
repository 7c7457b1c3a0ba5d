import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toHex } from '../../src/base/bytes.ts'
import { putFixed32 } from '../../src/base/coding.ts'
import { hash32 } from '../../src/base/hash.ts'
import { BloomFilter } from '../../src/table/bloom-filter.ts'
import { bytesOf } from './entries.ts'

function createFilter(policy: BloomFilter, keys: readonly Uint8Array[]): Uint8Array {
  const all = Buffer.concat(keys)
  let end = 0
  const hashes = Uint32Array.from(keys, ({ length }) => {
    end += length
    return policy.hash(all, end - length, length)
  })
  const filter = new Uint8Array(policy.filterBytes(keys.length))
  policy.makeFilter(hashes, keys.length, filter, 0)
  return filter
}

function numberKey(n: number): Uint8Array {
  const key = new Uint8Array(4)
  putFixed32(key, 0, n)
  return key
}

function matches(policy: BloomFilter, key: Uint8Array, filter: Uint8Array): boolean {
  return policy.keyMayMatch(key, 0, key.length, filter, 0, filter.length)
}

test('the filter of hello and world has the bytes that LevelDB gives it', () => {
  const filter = createFilter(new BloomFilter(10), [bytesOf('hello'), bytesOf('world')])
  assert.equal(toHex(filter), '114000414410401006')
})

test('every key matches, and few others do', () => {
  const policy = new BloomFilter(10)
  for (const count of [1, 2, 10, 100, 1000, 10_000]) {
    const filter = createFilter(
      policy,
      Array.from({ length: count }, (_, i) => numberKey(i)),
    )
    assert.equal(filter.length, Math.ceil(Math.max(64, count * 10) / 8) + 1)
    for (let i = 0; i < count; i++) assert.ok(matches(policy, numberKey(i), filter))
    let wrong = 0
    for (let i = 0; i < 10_000; i++) if (matches(policy, numberKey(i + 1_000_000_000), filter)) wrong++
    assert.ok(wrong <= 200, `${wrong} of 10000 with ${count} keys`)
  }
})

test('a filter has exactly the bits of its probes, by the remainders that division gives', () => {
  for (let n = 0; n < 5000; n++) {
    const count = 1 + (n % 50)
    const keys = Array.from({ length: count }, (_, i) => numberKey(n * 64 + i))
    const filter = createFilter(new BloomFilter(10), keys)
    const bits = 8 * (filter.length - 1)
    const expected = new Uint8Array(filter.length)
    expected[filter.length - 1] = 6
    for (const key of keys) {
      const first = hash32(key, 0, 4, 0xbc9f1d34)
      const delta = ((first >>> 17) | (first << 15)) >>> 0
      for (let probe = 0; probe < 6; probe++) {
        const bit = ((first + probe * delta) % 2 ** 32) % bits
        expected[bit >>> 3] |= 1 << (bit & 7)
      }
    }
    assert.deepEqual(filter, expected)
  }
})

test('a key may lie anywhere in a larger array', () => {
  const policy = new BloomFilter(10)
  const filter = createFilter(policy, [bytesOf('hello')])
  const wide = Buffer.concat([bytesOf('..'), filter, bytesOf('..')])
  assert.ok(policy.keyMayMatch(bytesOf('_hello_'), 1, 5, wide, 2, filter.length))
  assert.ok(!policy.keyMayMatch(bytesOf('_hellx_'), 1, 5, wide, 2, filter.length))
})

test('the probe count lies between 1 and 30', () => {
  for (const [bitsPerKey, probes] of [
    [1, 1],
    [2, 1],
    [10, 6],
    [43, 29],
    [44, 30],
    [1000, 30],
  ]) {
    assert.equal(createFilter(new BloomFilter(bitsPerKey), [bytesOf('x')]).at(-1), probes)
  }
})

test('a key matches if and only if all bits of its probes are set, however many probes there are', () => {
  const key = numberKey(77)
  for (let probes = 0; probes <= 30; probes++) {
    // So many bits that no two probes share one.
    const bits = 8 * 4099
    const filter = new Uint8Array(bits / 8 + 1)
    filter[bits / 8] = probes
    const first = hash32(key, 0, 4, 0xbc9f1d34)
    const delta = ((first >>> 17) | (first << 15)) >>> 0
    const own = Array.from({ length: probes }, (_, i) => ((first + i * delta) % 2 ** 32) % bits)
    assert.equal(new Set(own).size, probes)
    for (const bit of own) filter[bit >>> 3] |= 1 << (bit & 7)
    assert.equal(matches(new BloomFilter(10), key, filter), true, `${probes} probes`)
    for (const bit of own) {
      filter[bit >>> 3] ^= 1 << (bit & 7)
      assert.equal(matches(new BloomFilter(10), key, filter), false, `${probes} probes without ${bit}`)
      filter[bit >>> 3] ^= 1 << (bit & 7)
    }
  }
})

test('a filter too short to hold a bit matches nothing; a reserved probe count matches all', () => {
  const policy = new BloomFilter(10)
  assert.equal(matches(policy, bytesOf('x'), new Uint8Array(0)), false)
  assert.equal(matches(policy, bytesOf('x'), Uint8Array.of(6)), false)
  assert.equal(matches(policy, bytesOf('x'), Uint8Array.of(0, 31)), true)
})

test('bits per key must be a positive integer', () => {
  for (const bits of [0, -1, 1.5, Number.NaN]) assert.throws(() => new BloomFilter(bits), /positive integer/)
})

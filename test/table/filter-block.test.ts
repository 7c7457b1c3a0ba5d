import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toHex } from '../../src/base/bytes.ts'
import { putFixed32 } from '../../src/base/coding.ts'
import { BloomFilter } from '../../src/table/bloom-filter.ts'
import { FilterBlockBuilder, FilterBlockReader } from '../../src/table/filter-block.ts'
import type { FilterPolicy } from '../../src/table/filter-policy.ts'
import { bytesOf } from './entries.ts'

/** Each key has its place here for a hash; those of a filter come last. */
const seen: string[] = []

/** A filter that can be read: the keys themselves, with a slash after each. */
const listPolicy: FilterPolicy = {
  name: 'list',
  hash(key, keyOff, keyLen) {
    return seen.push(Buffer.from(key).toString('latin1', keyOff, keyOff + keyLen)) - 1
  },
  filterBytes(count) {
    return seen.slice(-count).join('/').length + 1
  },
  makeFilter(hashes, count, filter, filterOff) {
    filter.set(bytesOf(Array.from(hashes.subarray(0, count), (hash) => `${seen[hash]}/`).join('')), filterOff)
  },
  keyMayMatch(key, keyOff, keyLen, filter, filterOff, filterLen) {
    const wanted = Buffer.from(key).toString('latin1', keyOff, keyOff + keyLen)
    return Buffer.from(filter)
      .toString('latin1', filterOff, filterOff + filterLen)
      .split('/')
      .includes(wanted)
  },
}

function asks(bytes: Uint8Array, offset: number, key: string): boolean {
  return FilterBlockReader.parse(listPolicy, bytes)!.keyMayMatch(offset, bytesOf(key), 0, key.length)
}

test('a filter block without keys has no filter, and anything may match', () => {
  const bytes = new FilterBlockBuilder(listPolicy).finish()
  assert.equal(toHex(bytes), '000000000b')
  assert.equal(asks(bytes, 0, 'x'), true)
  assert.equal(asks(bytes, 100_000, 'x'), true)
})

test('each filter covers the keys of the blocks that start in its 2 KiB', () => {
  const builder = new FilterBlockBuilder(listPolicy)
  const add = (key: string): void => builder.addKey(bytesOf(`_${key}`), 1, key.length)
  add('foo')
  builder.startBlock(2000)
  add('bar')
  builder.startBlock(3100)
  add('box')
  builder.startBlock(9000)
  add('box')
  add('hello')
  const bytes = builder.finish()
  const expected: readonly (readonly [number, readonly string[]])[] = [
    [0, ['foo', 'bar']],
    [2000, ['foo', 'bar']],
    [3100, ['box']],
    [4100, []],
    [9000, ['box', 'hello']],
  ]
  for (const [offset, keys] of expected) {
    for (const key of ['foo', 'bar', 'box', 'hello'])
      assert.equal(asks(bytes, offset, key), keys.includes(key), `${offset} ${key}`)
  }
  assert.equal(asks(bytes, 4100, ''), false, 'no key is in an empty filter, not even the empty one')
  assert.equal(asks(bytes, 10_240, 'foo'), true, 'beyond the last filter')
})

test('what is no filter block is not parsed', () => {
  const policy = new BloomFilter(10)
  const bad = [
    '', // nothing
    '0000000b', // too short
    '010000000b', // offsets that start beyond their end
    'ff01000000000000000000000b', // offsets that are not whole words
    '0100000000000000000000000b', // filters that do not ascend
    '00000000ffffffff040000000b', // the last one ends before it starts
    '0000000035', // base of 2^53
  ]
  for (const hex of bad) assert.equal(FilterBlockReader.parse(policy, Buffer.from(hex, 'hex')), undefined, hex)
})

test('a filter block of 2 GiB is the largest, and one whose base is 2^52 has the coarsest', () => {
  assert.notEqual(FilterBlockReader.parse(listPolicy, Buffer.from('0000000034', 'hex')), undefined)
  for (const [offsetsEnd, isParsed] of [
    [2 ** 31 - 1, true],
    [2 ** 31, false],
  ] as const) {
    // Zeros that are never touched take no memory.
    const bytes = new Uint8Array(offsetsEnd + 5)
    putFixed32(bytes, offsetsEnd, offsetsEnd)
    bytes[bytes.length - 1] = 11
    assert.equal(FilterBlockReader.parse(listPolicy, bytes) !== undefined, isParsed, `${offsetsEnd} bytes`)
  }
})

test('a filter of one byte is a filter, and filters of several hundred bytes ascend', () => {
  const builder = new FilterBlockBuilder(listPolicy)
  builder.addKey(bytesOf(''), 0, 0)
  const one = builder.finish()
  assert.deepEqual([asks(one, 0, ''), asks(one, 0, 'x')], [true, false])
  const bytes = new Uint8Array(768 + 4 * 4 + 1)
  for (const [i, offset] of [0, 300, 600, 768].entries()) putFixed32(bytes, 768 + 4 * i, offset)
  bytes[bytes.length - 1] = 11
  assert.notEqual(FilterBlockReader.parse(listPolicy, bytes), undefined)
  putFixed32(bytes, 772, 601)
  assert.equal(FilterBlockReader.parse(listPolicy, bytes), undefined)
})

test('another base than 2 KiB is taken as stored', () => {
  const builder = new FilterBlockBuilder(listPolicy)
  builder.addKey(bytesOf('a'), 0, 1)
  builder.startBlock(2048)
  builder.addKey(bytesOf('b'), 0, 1)
  const bytes = builder.finish()
  bytes[bytes.length - 1] = 4
  assert.equal(asks(bytes, 15, 'a'), true)
  assert.equal(asks(bytes, 16, 'a'), false)
  assert.equal(asks(bytes, 16, 'b'), true)
})

test('long keys and many of them all get into the filter of their blocks', () => {
  const keys = Array.from({ length: 300 }, (_, i) => `${'k'.repeat((i * 37) % 3000)}${i}`)
  const builder = new FilterBlockBuilder(listPolicy)
  for (const key of keys) builder.addKey(bytesOf(`__${key}_`), 2, key.length)
  const bytes = builder.finish()
  for (const key of keys) assert.equal(asks(bytes, 0, key), true, key.slice(-9))
  assert.equal(asks(bytes, 0, 'kkk300'), false)
})

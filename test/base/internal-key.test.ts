import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toHex } from '../../src/base/bytes.ts'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import {
  compareInternalKeys,
  compareTags,
  encodeInternalKey,
  isLater,
  MAX_TAG_HIGH,
  MAX_TAG_LOW,
  tagHigh,
  tagIsValid,
  tagLow,
  tagSequence,
  tagType,
  userKey,
} from '../../src/base/internal-key.ts'
import * as ValueType from '../../src/base/value-type.ts'

const anySequence = fc.oneof(fc.maxSafeNat(), fc.integer({ min: 0, max: 300 }))
const anyType = fc.constantFrom(ValueType.DELETION, ValueType.VALUE)

function packed(low: number, high: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low)
}

function encode(key: string, low: number, high: number): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(key)
  return encodeInternalKey(bytes, 0, bytes.length, low, high)
}

test('the halves of a tag are those of sequence · 256 + type, and give both back', () => {
  fc.assert(
    fc.property(anySequence, anyType, (sequence, type) => {
      const low = tagLow(sequence, type)
      const high = tagHigh(sequence)
      assert.equal(packed(low, high), (BigInt(sequence) << 8n) | BigInt(type))
      assert.equal(tagSequence(low, high), sequence)
      assert.equal(tagType(low), type)
      assert.equal(tagIsValid(low, high), true)
    }),
  )
})

test('of two tags the one with the greater sequence is later, whatever their types', () => {
  const sequences = [1, 2, 255, 256, 2 ** 24 - 1, 2 ** 24, 2 ** 24 + 1, 2 ** 32, Number.MAX_SAFE_INTEGER]
  for (const a of sequences) {
    for (const b of sequences) {
      for (const [aType, bType] of [
        [0, 1],
        [1, 0],
        [0x0f, 0xff],
      ]) {
        assert.equal(isLater(tagLow(a, aType), tagHigh(a), tagLow(b, bType), tagHigh(b)), a > b, `${a} ${b}`)
      }
    }
  }
})

test('tags sort newest first', () => {
  fc.assert(
    fc.property(anySequence, anyType, anySequence, anyType, (a, aType, b, bType) => {
      const order = compareTags(tagLow(a, aType), tagHigh(a), tagLow(b, bType), tagHigh(b))
      const difference = packed(tagLow(b, bType), tagHigh(b)) - packed(tagLow(a, aType), tagHigh(a))
      assert.equal(Math.sign(order), difference < 0n ? -1 : difference > 0n ? 1 : 0)
    }),
  )
})

const invalid: readonly (readonly [string, number, number])[] = [
  ['type 2', 2, 0],
  ['type 255', 255, 0],
  ['sequence 2^53', 1, 0x20000000],
  ["LevelDB's largest", MAX_TAG_LOW, MAX_TAG_HIGH],
]

for (const [name, low, high] of invalid) {
  test(`no entry has the tag of ${name}`, () => assert.equal(tagIsValid(low, high), false))
}

test('the largest tag sorts before the largest that an entry may have', () => {
  const largest = 2 ** 53 - 1
  assert.ok(compareTags(MAX_TAG_LOW, MAX_TAG_HIGH, tagLow(largest, 1), tagHigh(largest)) < 0)
})

test('an encoded internal key is the user key and the tag, little-endian', () => {
  const encoded = encode('foo', tagLow(0x123456, 1), tagHigh(0x123456))
  assert.equal(toHex(encoded), `666f6f${'0156341200000000'}`)
  assert.equal(toHex(userKey(encoded)), '666f6f')
  assert.equal(toHex(encode('', MAX_TAG_LOW, MAX_TAG_HIGH)), '01ffffffffffffff')
})

test('internal keys sort by user key, and then newest first', () => {
  const sorted = [
    encode('', 257, 0),
    encode('a', MAX_TAG_LOW, MAX_TAG_HIGH),
    encode('a', 1, 5),
    encode('a', 0x80000001, 0),
    encode('a', 257, 0),
    encode('a', 256, 0),
    encode('aa', 257, 0),
    encode('b', 257, 9),
  ]
  for (const [i, a] of sorted.entries()) {
    for (const [j, b] of sorted.entries()) {
      assert.equal(Math.sign(compareInternalKeys(bytewiseComparator, a, b)), Math.sign(i - j), `${i} ${j}`)
    }
  }
})

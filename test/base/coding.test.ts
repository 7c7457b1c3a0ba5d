import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toHex } from '../../src/base/bytes.ts'
import {
  getFixed32,
  getFixed64,
  putFixed32,
  putFixed64,
  putVarint,
  Reader,
  varintLength,
} from '../../src/base/coding.ts'

const varints: readonly (readonly [number, string])[] = [
  [0, '00'],
  [1, '01'],
  [127, '7f'],
  [128, '8001'],
  [300, 'ac02'],
  [16_383, 'ff7f'],
  [16_384, '808001'],
  [2 ** 28 - 1, 'ffffff7f'],
  [2 ** 28, '8080808001'],
  [2 ** 31, '8080808008'],
  [2 ** 32 - 1, 'ffffffff0f'],
  [2 ** 32, '8080808010'],
  [2 ** 53 - 1, 'ffffffffffffff0f'],
]

for (const [value, hex] of varints) {
  test(`varint ${value} is ${hex}`, () => {
    const bytes = new Uint8Array(12)
    const end = putVarint(bytes, 1, value)
    assert.equal(toHex(bytes, 1, end - 1), hex)
    assert.equal(varintLength(value), hex.length / 2)
    const reader = new Reader(bytes, 1, end)
    assert.equal(reader.varint64(), value)
    assert.deepEqual([reader.failed, reader.remaining], [false, 0])
  })
}

test('every safe integer survives as varint and as fixed64', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      const bytes = new Uint8Array(20)
      assert.equal(new Reader(bytes, 0, putVarint(bytes, 0, value)).varint64(), value)
      putFixed64(bytes, 3, value)
      assert.equal(getFixed64(bytes, 3), value)
      assert.equal(new DataView(bytes.buffer).getBigUint64(3, true), BigInt(value))
    }),
  )
})

test('fixed32 is little-endian and unsigned', () => {
  const bytes = new Uint8Array(6)
  putFixed32(bytes, 1, 0xfedcba98)
  assert.equal(toHex(bytes), '0098badcfe00')
  assert.equal(getFixed32(bytes, 1), 0xfedcba98)
})

test('fixed64 above 2^53 − 1 is refused', () => {
  assert.equal(getFixed64(Buffer.from('ffffffffffff1f00', 'hex'), 0), 2 ** 53 - 1)
  assert.equal(getFixed64(Buffer.from('0000000000002000', 'hex'), 0), -1)
})

/** A read, the bytes it is given, and whether it must fail. */
const reads: readonly (readonly [string, string, (reader: Reader) => unknown, boolean])[] = [
  ['a byte of nothing', '', (r) => r.byte(), true],
  ['a byte at the end', '01', (r) => r.byte(), false],
  ['a varint of 2^53 − 1', 'ffffffffffffff0f', (r) => r.varint64(), false],
  ['a varint of nothing', '', (r) => r.varint64(), true],
  ['a varint cut off', 'ffff', (r) => r.varint64(), true],
  ['a varint of ten bytes', '80808080808080808000', (r) => r.varint64(), false],
  ['a varint of eleven bytes', '8080808080808080808000', (r) => r.varint64(), true],
  ['a varint of 2^53', '8080808080808010', (r) => r.varint64(), true],
  ['a varint32 of 2^32 − 1', 'ffffffff0f', (r) => r.varint32(), false],
  ['a varint32 of 2^32', '8080808010', (r) => r.varint32(), true],
  ['a varint32 of five bytes', '8080808000', (r) => r.varint32(), false],
  ['a varint32 of six bytes', '808080808000', (r) => r.varint32(), true],
  ['a string longer than the rest', '0361', (r) => r.view(), true],
  ['a skip to the end', '0102', (r) => r.skip(2), false],
  ['a skip beyond the end', '0102', (r) => r.skip(3), true],
]

for (const [name, hex, read, fails] of reads) {
  test(`reading ${name} ${fails ? 'fails' : 'succeeds'}`, () => {
    const reader = new Reader(Buffer.from(hex, 'hex'))
    read(reader)
    assert.equal(reader.failed, fails)
  })
}

test('a reader stays failed, reads nothing more, and starts anew on reset', () => {
  const bytes = Buffer.from('0361626305', 'hex')
  const reader = new Reader(bytes, 0, 2)
  assert.equal(reader.view().length, 0)
  assert.deepEqual([reader.byte(), reader.varint32(), reader.skip(1)], [0, 0, 0])
  assert.deepEqual([reader.varint64(), reader.offset, reader.failed], [0, 1, true])
  reader.reset(bytes, 0, 5)
  assert.equal(Buffer.from(reader.view()).toString(), 'abc')
  assert.equal(reader.byte(), 5)
  assert.equal(reader.failed, false)
})

test('a reader does not read beyond its limit, though the bytes go on', () => {
  const reader = new Reader(Buffer.from('80808001', 'hex'), 0, 3)
  assert.equal(reader.varint64(), 0)
  assert.equal(reader.failed, true)
})

test('a reader goes over its bytes field by field, and knows how many are left', () => {
  const reader = new Reader(Buffer.from('ff02aabb85010900', 'hex'), 1)
  assert.equal(reader.remaining, 7)
  const read = [Buffer.from(reader.view()).toString('hex'), reader.varint32(), reader.skip(1), reader.byte()]
  assert.deepEqual(read, ['aabb', 133, 6, 0])
  assert.deepEqual([reader.offset, reader.remaining, reader.failed], [8, 0, false])
})

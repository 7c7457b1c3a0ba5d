import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toHex } from '../../src/base/bytes.ts'
import { bytewiseComparator, customComparator } from '../../src/base/comparator.ts'

const { compare, shortestSeparator, shortSuccessor } = bytewiseComparator

/** Byte strings of which many share prefixes and hold extreme bytes. */
const anyBytes = fc
  .array(fc.constantFrom(0, 1, 127, 128, 254, 255), { maxLength: 5 })
  .map((bytes) => Uint8Array.from(bytes))

function order(a: Uint8Array, b: Uint8Array): number {
  return compare(a, 0, a.length, b, 0, b.length)
}

test("the order is LevelDB's own, by name too", () => {
  assert.equal(bytewiseComparator.name, 'leveldb.BytewiseComparator')
})

test('bytes compare unsigned, and prefixes first, wherever they lie', () => {
  fc.assert(
    fc.property(anyBytes, anyBytes, (a, b) => {
      const wide = Uint8Array.of(9, ...a, 9)
      assert.equal(Math.sign(compare(wide, 1, a.length, b, 0, b.length)), Buffer.compare(a, b))
    }),
  )
})

const separators: readonly (readonly [string, string, string])[] = [
  ['', '', ''],
  ['61', '61', '61'],
  ['6161', '63', '62'],
  ['6161', '62', '6161'],
  ['616263', '61626364', '616263'],
  ['61620163', '616205', '616202'],
  ['ff61', 'ffff', 'ff62'],
  ['61ff62', '61ff64', '61ff63'],
  ['7fffff', '80', '7fffff'],
]

for (const [start, limit, expected] of separators) {
  test(`the separator of ${start || 'nothing'} and ${limit || 'nothing'} is ${expected || 'nothing'}`, () => {
    assert.equal(toHex(shortestSeparator(Buffer.from(start, 'hex'), Buffer.from(limit, 'hex'))), expected)
  })
}

test('a separator lies from its start to before its limit, and is no longer than the start', () => {
  fc.assert(
    fc.property(anyBytes, anyBytes, (start, limit) => {
      fc.pre(order(start, limit) < 0)
      const before = toHex(start)
      const separator = new Uint8Array(shortestSeparator(start, limit))
      assert.ok(order(start, separator) <= 0 && order(separator, limit) < 0)
      assert.ok(separator.length <= start.length)
      assert.equal(toHex(start), before, 'the argument is not written to')
    }),
    { numRuns: 1000 },
  )
})

const successors: readonly (readonly [string, string])[] = [
  ['', ''],
  ['61', '62'],
  ['616263', '62'],
  ['ff6162', 'ff62'],
  ['ffff', 'ffff'],
  ['fe', 'ff'],
]

for (const [key, expected] of successors) {
  test(`the successor of ${key || 'nothing'} is ${expected || 'nothing'}`, () => {
    assert.equal(toHex(shortSuccessor(Buffer.from(key, 'hex'))), expected)
  })
}

test('a custom order compares the very bytes, and shortens nothing', () => {
  const reverse = customComparator({ name: 'reverse', compare: (a, b) => Buffer.compare(b, a) })
  const bytes = Buffer.from('xabx')
  assert.ok(reverse.compare(bytes, 1, 1, bytes, 2, 1) > 0)
  assert.equal(reverse.compare(bytes, 0, 1, bytes, 3, 1), 0)
  assert.equal(reverse.shortestSeparator(bytes, Buffer.from('a')), bytes)
  assert.equal(reverse.shortSuccessor(bytes), bytes)
})

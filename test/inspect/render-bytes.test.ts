/**
 * Keys and values for people.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeText, quoteBytes, showBytes } from '../../src/inspect/render-bytes.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const hex = (digits: string): Uint8Array => Uint8Array.from(Buffer.from(digits, 'hex'))

test('printable UTF-8 is shown as text, everything else as hex', () => {
  const cases: readonly (readonly [Uint8Array, string])[] = [
    [bytes(''), ''],
    [bytes('Vaduz 9490'), 'Vaduz 9490'],
    [bytes('Žužemberk/東京/🏔'), 'Žužemberk/東京/🏔'],
    [bytes('a\tb'), '0x610962'],
    [bytes('a\nb'), '0x610a62'],
    [bytes('\u001b[31m'), '0x1b5b33316d'],
    [bytes('\u202ereversed'), '0xe280ae7265766572736564'],
    [hex('efbbbf61'), '0xefbbbf61'],
    [hex('ff'), '0xff'],
    [hex('c3'), '0xc3'],
    [hex('eda080'), '0xeda080'],
  ]
  for (const [input, expected] of cases) assert.equal(showBytes(input), expected)
})

test('text is decoded without loss, or not at all', () => {
  assert.equal(decodeText(hex('efbbbf61')), '\ufeffa')
  assert.equal(decodeText(hex('61ff')), undefined)
  const shared = new Uint8Array(new SharedArrayBuffer(2))
  shared.set(bytes('hi'))
  assert.equal(decodeText(shared), 'hi')
})

test('long strings are cut between characters, with their length', () => {
  const style = { hex: false, maxBytes: 4 }
  const input = bytes('..äöü..')
  assert.equal(quoteBytes(input, 2, 4, style), "'äö'")
  assert.equal(quoteBytes(input, 1, 8, style), "'.ä…' (8 bytes)")
  assert.equal(quoteBytes(hex('00010203040506'), 1, 6, style), '0x01020304… (6 bytes)')
  assert.equal(quoteBytes(hex('8080808080'), 0, 5, style), '0x80808080… (5 bytes)')
  assert.equal(quoteBytes(input, 0, 0, style), "''")
  assert.equal(quoteBytes(bytes('0xff'), 0, 4, style), "'0xff'")
  assert.equal(quoteBytes(input, 0, 2, { hex: true, maxBytes: 4 }), '0x2e2e')
})

/**
 * Snappy's block format: every element is read, what is not sound is refused in words, and others' implementations read
 * what varve writes and the other way round. That the bytes are LevelDB's own is for test/compat and the golden tables.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Prng } from '../../src/base/prng.ts'
import { BlockMemory } from '../../src/table/block-memory.ts'
import { decodeSnappy } from '../../src/table/snappy-decoder.ts'
import { SnappyEncoder } from '../../src/table/snappy-encoder.ts'
import { modelDecode, snappyJs } from './snappy-model.ts'

const MAX_BYTES = 1 << 20

function encode(contents: Uint8Array, encoder: SnappyEncoder = new SnappyEncoder()): Uint8Array {
  encoder.encode(contents)
  return encoder.bytes.slice(0, encoder.length)
}

/** A block of these parts, in hex, of which `text` stands for itself. */
function block(...parts: readonly (string | { readonly text: string })[]): Uint8Array {
  return new Uint8Array(
    Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'hex') : Buffer.from(part.text)))),
  )
}

function text(text: string): { readonly text: string } {
  return { text }
}

function assertSame(actual: Uint8Array | string | undefined, expected: Uint8Array, what: string): void {
  const isSame = typeof actual === 'object' && Buffer.compare(actual, expected) === 0
  if (!isSame) assert.fail(`${what}: ${typeof actual === 'object' ? 'other bytes' : actual}`)
}

const long = 'abcdefghij'.repeat(7000)

const SOUND: readonly (readonly [name: string, stored: Uint8Array, contents: string])[] = [
  ['nothing', block('00'), ''],
  ['a literal', block('05', '10', text('hello')), 'hello'],
  ['a literal with a length of one byte', block('46', 'f0', '45', text(long.slice(0, 70))), long.slice(0, 70)],
  ['a literal with a length of two bytes', block('ac02', 'f4', '2b01', text(long.slice(0, 300))), long.slice(0, 300)],
  ['a literal with a length of three bytes', block('f0a204', 'f8', '6f1101', text(long)), long],
  ['a literal with a length of four bytes', block('03', 'fc', '02000000', text('abc')), 'abc'],
  ['a copy with an offset of one byte', block('08', '0c', text('abcd'), '0104'), 'abcdabcd'],
  ['a copy with an offset of two bytes', block('07', '0c', text('abcd'), '0a0400'), 'abcdabc'],
  ['a copy with an offset of four bytes', block('06', '0c', text('abcd'), '0703000000'), 'abcdbc'],
  ['a copy of what it writes, one back', block('0a', '00', text('a'), '220100'), 'aaaaaaaaaa'],
  ['a copy of what it writes, two back', block('0b', '04', text('ab'), '220200'), 'abababababa'],
  ['a copy of what it writes, three back', block('0c', '08', text('abc'), '220300'), 'abcabcabcabc'],
  ['a copy of what it writes, five back', block('1b', '10', text('abcde'), '560500'), `${'abcde'.repeat(5)}ab`],
  ['a copy of 64 bytes', block('41', '00', text('z'), 'fe0100'), 'z'.repeat(65)],
  ['a length that is written longer than it needs', block('858000', '10', text('hello')), 'hello'],
]

const UNSOUND: readonly (readonly [stored: Uint8Array, message: RegExp])[] = [
  [block(''), /declares no length/],
  [block('80'), /declares no length/],
  [block('ffffffffff7f'), /declares no length/],
  [block('ffffffff0f', '10', text('hello')), /declares 4294967295 bytes, more than 1048576/],
  [block('818040', '10', text('hello')), /declares 1048577 bytes, more than 1048576/],
  // Three bytes of elements can yield 64.
  [block('41', 'fe0100'), /declares 65 bytes, more than 4 can yield/],
  [block('05'), /declares 5 bytes, more than 1 can yield/],
  [block('05', '10', text('hell')), /is cut off/],
  [block('05', 'f0'), /is cut off/],
  [block('05', 'fc', 'ffffff'), /is cut off/],
  [block('05', 'fc', 'ffffffff', text('hello')), /is cut off/],
  [block('08', '0c', text('abcd'), '01'), /is cut off/],
  [block('08', '0c', text('abcd'), '0a04'), /is cut off/],
  [block('08', '0c', text('abcd'), '0f040000'), /is cut off/],
  [block('08', '0c', text('abcd'), '0105'), /copies from before its start/],
  [block('08', '0c', text('abcd'), '0e0000'), /copies from before its start/],
  [block('08', '0c', text('abcd'), '0fffffffff'), /copies from before its start/],
  [block('04', '0104'), /copies from before its start/],
  [block('04', '10', text('hello')), /yields more than it declares/],
  [block('07', '0c', text('abcd'), '0104'), /yields more than it declares/],
  [block('06', '10', text('hello')), /yields less than it declares/],
  [block('00', '00', text('a')), /yields more than it declares/],
]

for (const [name, stored, contents] of SOUND) {
  test(`a Snappy block is read: ${name}`, () => {
    assertSame(decodeSnappy(stored, MAX_BYTES), Buffer.from(contents), 'varve')
    assertSame(modelDecode(stored), Buffer.from(contents), 'the model')
  })
}

test('a Snappy block that is not sound is refused, and said why', () => {
  for (const [stored, message] of UNSOUND) {
    const name = Buffer.from(stored).toString('hex')
    assert.match(String(decodeSnappy(stored, MAX_BYTES)), message, name)
    if (!/more than 1048576/.test(message.source)) assert.equal(modelDecode(stored), undefined, name)
  }
})

test('a Snappy block of just as many bytes as are allowed is read', () => {
  assertSame(decodeSnappy(block('05', '10', text('hello')), 5), Buffer.from('hello'), 'five of five')
  assert.match(String(decodeSnappy(block('05', '10', text('hello')), 4)), /declares 5 bytes, more than 4/)
})

/** Runs, repeats from nearby and from far away, and noise. */
function texture(prng: Prng, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; ) {
    const run = Math.min(1 + prng.below(prng.below(4) === 0 ? 300 : 20), length - at)
    const back = prng.below(3) === 0 ? 0 : 1 + prng.below(prng.below(3) === 0 ? 70_000 : 10)
    for (let i = 0; i < run; i++, at++) bytes[at] = back === 0 || back > at ? prng.below(256) : bytes[at - back]
  }
  return bytes
}

test('what is encoded is read back, by snappyjs too, for all lengths around the margins', () => {
  const prng = new Prng(1)
  const encoder = new SnappyEncoder()
  const around = (center: number): number[] => Array.from({ length: 9 }, (_, i) => center - 4 + i)
  const lengths = [0, ...Array.from({ length: 140 }, (_, i) => i), ...around(256), ...around(4096), ...around(65536)]
  for (const length of [...lengths, ...around(131072), 200_000]) {
    const contents = texture(prng, length)
    const stored = encode(contents, encoder)
    assertSame(decodeSnappy(stored, MAX_BYTES), contents, `${length} bytes`)
    if (length > 0) assertSame(new Uint8Array(snappyJs.uncompress(stored)), contents, `${length} bytes by snappyjs`)
    assertSame(decodeSnappy(snappyJs.compress(contents), MAX_BYTES), contents, `${length} bytes of snappyjs`)
  }
})

test('contents of any kind are read back, whatever was encoded before, and always make the same bytes', () => {
  const used = new SnappyEncoder()
  fc.assert(
    fc.property(fc.nat(), fc.nat({ max: 9000 }), fc.nat({ max: 7 }), (seed, length, skipped) => {
      // A view into a larger buffer, as blocks are.
      const contents = texture(new Prng(seed), length + skipped).subarray(skipped)
      const stored = encode(contents, used)
      assertSame(encode(contents), stored, 'encoded anew')
      assertSame(decodeSnappy(stored, MAX_BYTES), contents, 'decoded')
    }),
    { numRuns: 200 },
  )
})

test('random contents grow by little, and repeated ones shrink to a twentieth', () => {
  const prng = new Prng(2)
  const noise = Uint8Array.from({ length: 100_000 }, () => prng.below(256))
  assert.ok(encode(noise).length < 100_100)
  assert.ok(encode(new Uint8Array(100_000)).length < 5_000)
})

/** Each bit alone, and all of them; VARVE_LONG tries every change of a byte there is. */
const CHANGES: readonly number[] =
  process.env['VARVE_LONG'] === undefined
    ? [1, 2, 4, 8, 16, 32, 64, 128, 255]
    : Array.from({ length: 255 }, (_, i) => i + 1)

test('after any change of one byte a block is read as the format says, or refused', (t) => {
  const tally = { read: 0, refused: 0 }
  for (const [seed, length] of [
    [3, 60],
    [4, 400],
    [5, 1500],
  ]) {
    const stored = encode(texture(new Prng(seed), length))
    for (let at = 0; at < stored.length; at++) {
      const original = stored[at]
      for (const change of CHANGES) {
        stored[at] = original ^ change
        const expected = modelDecode(stored)
        const actual = decodeSnappy(stored, MAX_BYTES)
        if (expected === undefined) assert.equal(typeof actual, 'string', `byte ${at} changed by ${change}`)
        else assertSame(actual, expected, `byte ${at} changed by ${change}`)
        tally[expected === undefined ? 'refused' : 'read']++
      }
      stored[at] = original
    }
  }
  t.diagnostic(JSON.stringify(tally))
  assert.ok(tally.read > 0 && tally.refused > 0)
})

test('a block cut short anywhere, or with something after it, is refused', () => {
  const stored = encode(texture(new Prng(6), 3000))
  for (let length = 0; length < stored.length; length++) {
    assert.equal(typeof decodeSnappy(stored.subarray(0, length), MAX_BYTES), 'string', `${length} bytes`)
  }
  assert.equal(typeof decodeSnappy(Uint8Array.of(...stored, 0, 97), MAX_BYTES), 'string')
})

/** A literal of these bytes, its length written in so many bytes; 0 where it fits into the tag. */
function literal(bytes: readonly number[], lengthBytes: number): number[] {
  const less = bytes.length - 1
  if (lengthBytes === 0) return [less << 2, ...bytes]
  const length = Array.from({ length: lengthBytes }, (_, i) => (less >>> (8 * i)) & 255)
  return [(59 + lengthBytes) << 2, ...length, ...bytes]
}

/** A copy of a kind that can hold its length and offset. */
function copy(kind: number, length: number, offset: number): number[] {
  if (kind === 1) return [((offset >>> 8) << 5) | ((length - 4) << 2) | 1, offset & 255]
  const offsetBytes = Array.from({ length: kind === 2 ? 2 : 4 }, (_, i) => (offset >>> (8 * i)) & 255)
  return [((length - 1) << 2) | kind, ...offsetBytes]
}

/** Elements of all kinds, drawn so that none is refused, behind their length. */
function drawnElements(prng: Prng): Uint8Array<ArrayBuffer> {
  const elements: number[] = []
  let length = 0
  for (let count = 1 + prng.below(12); count > 0; count--) {
    const kind = length === 0 ? 0 : prng.below(4)
    const isShort = prng.below(3) > 0
    const bytes = kind === 1 ? 4 + prng.below(8) : 1 + prng.below(isShort ? 18 : kind === 0 ? 110 : 64)
    const offset = 1 + prng.below(Math.min(length, prng.below(2) === 0 ? 20 : 2000))
    const drawn = kind === 0 ? Array.from({ length: bytes }, () => prng.below(256)) : []
    elements.push(
      ...(kind === 0 ? literal(drawn, bytes > 60 ? 1 + prng.below(4) : prng.below(5)) : copy(kind, bytes, offset)),
    )
    length += bytes
  }
  return Uint8Array.from([128 | (length & 127), 128 | ((length >>> 7) & 127), length >>> 14, ...elements])
}

test('elements of any kind, length and offset are read, wherever the block lies in its buffer, and nothing beside it', () => {
  const prng = new Prng(8)
  const memory = new BlockMemory()
  for (let round = 0; round < 2000; round++) {
    const stored = drawnElements(prng)
    const before = prng.below(9)
    const wide = new Uint8Array(before + stored.length + prng.below(20)).fill(0xee)
    wide.set(stored, before)
    const view = wide.subarray(before, before + stored.length)
    const expected = modelDecode(stored)
    assert.ok(expected !== undefined, `round ${round}`)
    assertSame(decodeSnappy(view, MAX_BYTES), expected, `round ${round}`)
    assertSame(decodeSnappy(view, MAX_BYTES, memory), expected, `round ${round}, in memory of blocks`)
    assert.equal(
      decodeSnappy(view, expected.length - 1),
      `it declares ${expected.length} bytes, more than ${expected.length - 1}`,
    )
    assert.ok(wide.subarray(0, before).every((byte) => byte === 0xee))
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { copyWithCrc32c, crc32c, maskCrc, unmaskCrc } from '../../src/base/crc32c.ts'
import { Prng } from '../../src/base/prng.ts'

/** Bit by bit, from the definition. */
function slowCrc(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return ~crc >>> 0
}

const ascending = Uint8Array.from({ length: 32 }, (_, i) => i)
const vectors: readonly (readonly [string, Uint8Array, number])[] = [
  ['nothing', new Uint8Array(0), 0],
  ['"123456789"', new TextEncoder().encode('123456789'), 0xe3069283],
  ['32 zeros (RFC 3720)', new Uint8Array(32), 0x8a9136aa],
  ['32 ones (RFC 3720)', new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ['32 ascending bytes (RFC 3720)', ascending, 0x46dd794e],
  ['32 descending bytes (RFC 3720)', ascending.toReversed(), 0x113fdb5c],
]

for (const [name, bytes, crc] of vectors) {
  test(`the CRC of ${name} is as published`, () => assert.equal(crc32c(bytes, 0, bytes.length), crc))
}

test('every length and alignment gives what the definition gives', () => {
  const prng = new Prng(1)
  const bytes = Uint8Array.from({ length: 64 }, () => prng.below(256))
  for (let offset = 0; offset < 9; offset++) {
    for (let length = 0; offset + length <= bytes.length; length++) {
      assert.equal(
        crc32c(bytes, offset, length),
        slowCrc(bytes.subarray(offset, offset + length)),
        `${offset} ${length}`,
      )
    }
  }
})

test('a CRC goes on from that of what comes before', () => {
  const bytes = new TextEncoder().encode('hello world, hello world')
  const whole = crc32c(bytes, 0, bytes.length)
  for (let cut = 0; cut <= bytes.length; cut++) {
    assert.equal(crc32c(bytes, cut, bytes.length - cut, crc32c(bytes, 0, cut)), whole)
  }
})

test('a copy with its CRC is the bytes, at their place alone, and goes on from a CRC as without copying', () => {
  const prng = new Prng(2)
  const memory = Uint8Array.from({ length: 100 }, () => prng.below(256))
  const from = memory.subarray(3)
  for (let offset = 0; offset < 9; offset++) {
    for (let length = 0; offset + length <= from.length; length++) {
      const to = new Uint8Array(120).fill(0xee)
      const expected = to.slice()
      const at = 1 + ((offset * 5) % 8)
      expected.set(from.subarray(offset, offset + length), at)
      const seed = crc32c(expected, 0, 1)
      const view = new DataView(from.buffer, from.byteOffset, from.length)
      assert.equal(
        copyWithCrc32c(view, offset, new DataView(to.buffer), at, length, seed),
        crc32c(from, offset, length, seed),
        `${offset} ${length}`,
      )
      assert.deepEqual(to, expected, `${offset} ${length}`)
    }
  }
})

test('masking changes a CRC, twice more so, and is undone', () => {
  assert.equal(maskCrc(0xe3069283), 0xc78ab0e5)
  for (const crc of [0, 1, 0xffffffff, 0x80000000, 0xe3069283]) {
    assert.notEqual(maskCrc(crc), crc)
    assert.notEqual(maskCrc(maskCrc(crc)), crc)
    assert.equal(unmaskCrc(maskCrc(crc)), crc)
  }
})

test('long inputs, which are read as words, give what the definition gives, wherever they begin and end', () => {
  const prng = new Prng(2)
  const bytes = Uint8Array.from({ length: 1100 }, () => prng.below(256)).subarray(3)
  for (let offset = 0; offset < 9; offset++) {
    for (const length of [511, 512, 513, 519, 520, 1000, bytes.length - offset]) {
      const expected = slowCrc(bytes.subarray(offset, offset + length))
      assert.equal(crc32c(bytes, offset, length), expected, `${offset} ${length}`)
      assert.equal(
        crc32c(bytes, offset + 7, length - 7, crc32c(bytes, offset, 7)),
        expected,
        `${offset} ${length}, in two`,
      )
    }
  }
})

type Crc = typeof crc32c

/** The same module, read anew in a host that lacks something, or has another instead. */
async function inHost(others: Readonly<Record<string, unknown>>): Promise<Crc> {
  const host = globalThis as Record<string, unknown>
  const own = Object.fromEntries(Object.keys(others).map((name) => [name, host[name]]))
  Object.assign(host, others)
  try {
    const url = new URL(`../../src/base/crc32c.${'js'}?host=${++hosts}`, import.meta.url)
    const { crc32c: other } = (await import(url.href)) as { crc32c: Crc }
    useVectors(other)
    return other
  } finally {
    Object.assign(host, own)
  }
}

let hosts = 0

/** Vectors are looked for once megabytes have been checked. */
function useVectors(crc: Crc): void {
  crc(new Uint8Array(2 ** 23), 0, 2 ** 23)
}

/** As of a policy that forbids WebAssembly. */
const WITHOUT_VECTORS = { WebAssembly: undefined }

/** As Node.js 20, which has vectors but no relaxed ones. */
function withoutRelaxedVectors(): Readonly<Record<string, unknown>> {
  interface Assembler {
    readonly Module: new (program: Uint8Array<ArrayBuffer>) => object
    readonly Instance: object
  }
  const { Module, Instance } = (globalThis as unknown as { WebAssembly: Assembler }).WebAssembly
  class StrictModule {
    constructor(program: Uint8Array<ArrayBuffer>) {
      const isRelaxed = program.some((byte, i) => byte === 0xfd && program[i + 1] === 0x80 && program[i + 2] === 0x02)
      if (isRelaxed) throw new Error('relaxed vectors')
      programs++
      // biome-ignore lint/correctness/noConstructorReturn: what an Instance is made of
      return new Module(program)
    }
  }
  return { WebAssembly: { Module: StrictModule, Instance } }
}

let programs = 0

/** Words as big-endian processors have them. */
class BigEndianWords {
  readonly buffer: ArrayBuffer

  constructor(words: readonly number[]) {
    const view = new DataView(new ArrayBuffer(4 * words.length))
    for (const [i, word] of words.entries()) view.setUint32(4 * i, word)
    this.buffer = view.buffer
  }
}

test('inputs of any length give what the definition gives, folded in vectors or, where there are none, by tables', async () => {
  const plain = await inHost(WITHOUT_VECTORS)
  const strict = await inHost(withoutRelaxedVectors())
  // Bun reads no module anew: there it is the same function.
  assert.equal(programs, strict === crc32c ? 0 : 1, 'the program without relaxed vectors was taken')
  useVectors(crc32c)
  const prng = new Prng(3)
  const bytes = Uint8Array.from({ length: 70_000 }, () => prng.below(256))
  const pieces = [16_384, 2 * 16_384, 4 * 16_384].flatMap((at) => [at - 128, at - 1, at, at + 1, at + 127, at + 128])
  for (const length of [512, 639, 640, 767, 4096, 4101, ...pieces]) {
    const offset = prng.below(17)
    const expected = slowCrc(bytes.subarray(offset, offset + length))
    assert.equal(crc32c(bytes, offset, length), expected, `${offset} ${length}`)
    assert.equal(plain(bytes, offset, length), expected, `${offset} ${length}, without vectors`)
    assert.equal(strict(bytes, offset, length), expected, `${offset} ${length}, without relaxed vectors`)
    const head = crc32c(bytes, offset, 5)
    assert.equal(crc32c(bytes, offset + 5, length - 5, head), expected, `${offset} ${length}, in two`)
  }
})

test('a big-endian host without vectors gives what the definition gives', async () => {
  const bigEndian = await inHost({ ...WITHOUT_VECTORS, Uint32Array: BigEndianWords })
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i * 7)
  for (const length of [511, 512, 513, 1000])
    assert.equal(bigEndian(bytes, 0, length), slowCrc(bytes.subarray(0, length)))
})

test('what lies behind the bytes in their memory does not count: bytes that are not there are zeros', async () => {
  const memory = Uint8Array.from({ length: 1500 }, (_, i) => i | 1)
  const bytes = memory.subarray(0, 700)
  for (const crc of [crc32c, await inHost(WITHOUT_VECTORS)]) {
    for (const [offset, length] of [
      [690, 20],
      [300, 401],
      [100, 600],
      [101, 600],
      [0, 1400],
      [650, 512],
    ]) {
      const expected = new Uint8Array(length)
      expected.set(bytes.subarray(offset, offset + length))
      assert.equal(crc(bytes, offset, length), slowCrc(expected), `${offset} ${length}`)
    }
  }
})

test('every bit of a long input counts', () => {
  const bytes = new Uint8Array(1300)
  const crcs = new Set([crc32c(bytes, 0, bytes.length)])
  for (let i = 0; i < bytes.length; i++) {
    for (let bit = 1; bit < 256; bit *= 2) {
      bytes[i] = bit
      crcs.add(crc32c(bytes, 0, bytes.length))
    }
    bytes[i] = 0
  }
  assert.equal(crcs.size, 1 + 8 * bytes.length)
})

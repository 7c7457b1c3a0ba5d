/**
 * Long copies: bytes arrive as they were, and nothing beside them changes, whatever memory is shared and however the two places are aligned.
 * Oracle   a copy byte by byte
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { copyLong, LONG_COPY_BYTES, ownedCopy } from '../../src/base/bytes.ts'
import { Prng } from '../../src/base/prng.ts'

/** Around the bytes that are copied at a time. */
const LENGTHS = [LONG_COPY_BYTES, 16_383, 16_384, 16_385, 32_768, 50_001]
const AREA_BYTES = 60_000
const ALIGNMENTS = [0, 1, 3, 4, 7]

const memories: Readonly<Record<string, () => Uint8Array>> = {
  'memory of its own': () => new Uint8Array(AREA_BYTES),
  'shared memory': () => new Uint8Array(new SharedArrayBuffer(AREA_BYTES)),
  'a part of shared memory': () => new Uint8Array(new SharedArrayBuffer(AREA_BYTES + 3), 3),
}

function filled(bytes: Uint8Array): Uint8Array {
  const prng = new Prng(1)
  for (let i = 0; i < bytes.length; i++) bytes[i] = prng.below(256)
  return bytes
}

for (const [fromName, makeFrom] of Object.entries(memories)) {
  for (const [toName, makeTo] of Object.entries(memories)) {
    test(`a long copy from ${fromName} to ${toName} is the bytes, at their place alone`, () => {
      const from = filled(makeFrom())
      const to = makeTo()
      for (const length of LENGTHS) {
        for (const fromOff of ALIGNMENTS) {
          for (const toOff of ALIGNMENTS) {
            to.fill(0xee)
            copyLong(from, fromOff, to, toOff, length)
            const expected = Buffer.alloc(AREA_BYTES, 0xee)
            for (let i = 0; i < length; i++) expected[toOff + i] = from[fromOff + i]
            assert.ok(expected.equals(to), `${length} bytes from ${fromOff} to ${toOff}`)
          }
        }
      }
    })
  }
}

for (const [name, make] of Object.entries(memories)) {
  test(`a copy out of ${name} has the bytes, and memory of its own`, () => {
    const from = filled(make())
    for (const length of [0, 1, LONG_COPY_BYTES - 1, ...LENGTHS]) {
      for (const offset of ALIGNMENTS) {
        const copy = ownedCopy(from, offset, length)
        assert.deepEqual([copy.byteOffset, copy.buffer.byteLength], [0, length])
        assert.ok(
          Buffer.from(from)
            .subarray(offset, offset + length)
            .equals(copy),
          `${length} bytes from ${offset}`,
        )
      }
    }
  })
}

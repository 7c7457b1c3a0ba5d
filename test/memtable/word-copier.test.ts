/**
 * WordCopier: bytes arrive in words as they were, padded with zeros, and nothing beside them changes, whatever was copied before.
 * Oracle   a copy byte by byte
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Prng } from '../../src/base/prng.ts'
import { WordCopier } from '../../src/memtable/word-copier.ts'

const TARGET_WORDS = 320
/** That the longest of LENGTHS takes. */
const LONGEST_WORDS = 258
/** Such a source is let go when a batch ends, unless the one before was as large. */
const LARGE_BYTES = 17 * 1024 * 1024
const LENGTHS = [0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 39, 40, 41, 44, 99, 100, 128, 1023, 1024, 1025, 1031]

test('bytes of any source, place and length arrive as they were, however often the source comes', () => {
  const seed = 1
  const prng = new Prng(seed)
  const sources = [1300, 1301, 1302, 1303].map((length, offset) => {
    const bufferBytes = offset === 0 ? LARGE_BYTES : length + offset + 1
    const source = new Uint8Array(new ArrayBuffer(bufferBytes), offset, length)
    for (let i = 0; i < length; i++) source[i] = 1 + prng.below(255)
    return source
  })
  const memory = new ArrayBuffer(TARGET_WORDS * 4)
  const bytes = new Uint8Array(memory)
  const copier = new WordCopier(new Int32Array(memory), bytes)
  for (let step = 0; step < 5000; step++) {
    const length = LENGTHS[prng.below(LENGTHS.length)]
    const isWhole = prng.below(4) === 0
    const source = sources[prng.below(10) === 0 ? prng.below(sources.length) : 0]
    const from = isWhole ? source.subarray(0, length) : source
    const fromOff = isWhole ? 0 : prng.below(source.length - length + 1)
    const word = prng.below(TARGET_WORDS - LONGEST_WORDS)
    bytes.fill(0xee)
    const expected = bytes.slice()
    expected.fill(0, word * 4, (word + Math.ceil(length / 4)) * 4)
    for (let i = 0; i < length; i++) expected[word * 4 + i] = from[fromOff + i]
    copier.copy(word, from, fromOff, length)
    assert.deepEqual(bytes, expected, `step ${step} of seed ${seed}: ${length} bytes from ${fromOff} to word ${word}`)
    if (prng.below(5) === 0) copier.endBatch()
    if (prng.below(50) === 0) copier.forget()
  }
})

test('a source may lie in the memory that is copied to', () => {
  const memory = new SharedArrayBuffer(256)
  const bytes = new Uint8Array(memory)
  const copier = new WordCopier(new Int32Array(memory), bytes)
  bytes.set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
  for (const word of [8, 16, 24]) copier.copy(word, bytes, 1, 10)
  for (const word of [8, 16, 24]) {
    assert.deepEqual([...bytes.subarray(word * 4, word * 4 + 12)], [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0, 0])
  }
})

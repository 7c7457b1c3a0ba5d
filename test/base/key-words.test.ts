import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareBytes } from '../../src/base/bytes.ts'
import { KeyWords, keyWordsOf } from '../../src/base/key-words.ts'

const TAIL_BYTES = 3

function wordsOf(keys: readonly Uint8Array[]): KeyWords {
  const tail = new Uint8Array(TAIL_BYTES).fill(0xff)
  const starts = new Int32Array(keys.length + 1)
  for (const [i, key] of keys.entries()) starts[i + 1] = starts[i] + key.length + TAIL_BYTES
  const all = Buffer.concat(keys.flatMap((key) => [key, tail]))
  return new KeyWords(keyWordsOf(all, starts, keys.length, TAIL_BYTES))
}

function compare(a: Uint8Array, b: Uint8Array): number {
  return compareBytes(a, 0, a.length, b, 0, b.length)
}

test('the first key that is not smaller is among those that are left, or right after them', () => {
  // Few letters, so that prefixes, equal words and missing bytes come up.
  const letter = fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)
  const key = fc
    .uint8Array({ maxLength: 9 })
    .chain((bytes) =>
      fc.array(letter, { minLength: bytes.length, maxLength: bytes.length }).map((letters) => Uint8Array.from(letters)),
    )
  const keys = fc.array(key, { minLength: 1, maxLength: 30 })
  let narrowed = 0
  fc.assert(
    fc.property(keys, key, key, (some, prefix, sought) => {
      const sorted = some.map((bytes) => Uint8Array.from([...prefix, ...bytes])).sort(compare)
      const words = wordsOf(sorted)
      for (const target of [sought, Uint8Array.from([...prefix, ...sought]), ...sorted]) {
        const found = sorted.findIndex((candidate) => compare(candidate, target) >= 0)
        const first = found < 0 ? sorted.length : found
        words.narrow(Uint8Array.from([9, ...target]), 1, target.length)
        assert.ok(words.begin <= first && first <= words.limit, `${words.begin} ≤ ${first} ≤ ${words.limit}`)
        if (words.limit - words.begin < sorted.length) narrowed++
      }
    }),
  )
  assert.ok(narrowed > 0)
})

test('keys of different words leave nothing open', () => {
  const words = wordsOf(['same-aaaa', 'same-bbbb', 'same-cccc'].map((text) => Buffer.from(text)))
  for (const [text, place] of Object.entries({ a: 0, 'same-aaab': 1, 'same-b': 1, 'same-cccd': 3, t: 3 })) {
    words.narrow(Buffer.from(text), 0, text.length)
    assert.deepEqual([words.begin, words.limit], [place, place], text)
  }
})

test('a key is found in the midst of any number of keys that share its place, and behind all of them', () => {
  // Places spread 1,024 keys; the others all lie between two of these.
  for (const crowd of [0, 1, 3, 4, 5, 9, 40]) {
    const spread = Array.from({ length: 1024 }, (_, i) => String(i * 97).padStart(6, '0'))
    const crowded = Array.from({ length: crowd }, (_, i) => `0485${String(10 + i * 2)}`)
    const sorted = [...new Set([...spread, ...crowded])].sort()
    const words = wordsOf(sorted.map((text) => Buffer.from(text)))
    for (const text of [...sorted, ...crowded.map((each) => `${each}0`), '0485', '0486', '000000', '099999', '1']) {
      const found = sorted.findIndex((each) => each >= text)
      const first = found < 0 ? sorted.length : found
      words.narrow(Buffer.from(text), 0, text.length)
      assert.ok(
        words.begin <= first && first <= words.limit,
        `${crowd} ${text}: ${words.begin} ≤ ${first} ≤ ${words.limit}`,
      )
    }
  }
})

const ALPHABETS: Readonly<Record<string, string>> = {
  'decimal digits': '0123456789',
  'hexadecimal digits': '0123456789abcdef',
  'two letters far apart': '\0\xff',
  'letters of which some come seldom': 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabz~',
  'all bytes': String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte)),
}

for (const [name, alphabet] of Object.entries(ALPHABETS)) {
  test(`among a thousand keys of ${name}, every key of any letters is found where it belongs`, () => {
    const letters = Buffer.from(alphabet, 'latin1')
    const drawn = (maxLength: number): fc.Arbitrary<Uint8Array> =>
      fc.array(fc.constantFrom(...letters), { maxLength }).map((bytes) => Uint8Array.from(bytes))
    const keys = fc.array(drawn(9), { minLength: 1025, maxLength: 1400, size: 'max' })
    fc.assert(
      fc.property(keys, drawn(3), fc.array(fc.uint8Array({ maxLength: 9 }), { maxLength: 20 }), (some, prefix, any) => {
        const sorted = some.map((bytes) => Uint8Array.from([...prefix, ...bytes])).sort(compare)
        const words = wordsOf(sorted)
        const foreign = any.flatMap((bytes) => [
          bytes,
          Uint8Array.from([...sorted[7].subarray(0, bytes.length), ...bytes]),
        ])
        for (const target of [...foreign, ...sorted.filter((_, i) => i % 9 === 0)]) {
          const found = sorted.findIndex((candidate) => compare(candidate, target) >= 0)
          const first = found < 0 ? sorted.length : found
          words.narrow(Uint8Array.from([9, ...target]), 1, target.length)
          assert.ok(words.begin <= first && first <= words.limit, `${words.begin} ≤ ${first} ≤ ${words.limit}`)
        }
      }),
      { numRuns: 15 },
    )
  })
}

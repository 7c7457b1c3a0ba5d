/**
 * KeyWords: ascending keys in the order of bytes, narrowed down to a few by arithmetic on arrays. The keys begin with a common
 * prefix, and the six bytes after it make each one's word, which a double holds: most searches compare no key. The keys lie all
 * over the memory; their words do not. Six bytes, since four of decimal digits tell only 10,000 keys apart, and tables have
 * thousands of blocks.
 *
 * Places   Where there are many, the first few bytes of a word say at once which words to look at, instead of a dozen halvings:
 *          they are digits of a number, the place, each in the base of as many bytes as occur there, so that decimal or
 *          hexadecimal text spreads as evenly as random bytes do. Where places are uneven, more words are left to halve.
 *          term   := of a byte that occurs, how many lesser ones do, times what the digit is worth; its complement if the
 *                    byte does not occur: whatever follows then, the key lies before all that go on with a greater byte
 *          firsts := of each bucket of places, the number of its first word; and their count, twice
 * Threads  belongs to one thread
 */
import { commonPrefixLength, compareBytes } from './bytes.ts'
import type { Bytes } from './types.ts'

/** Bytes that order the words. */
const WORD_BYTES = 6
const TWO_24 = 2 ** 24
/** Fewer words are searched as fast without places. */
const PLACED_MIN = 1024
/** Up to so many, a place is a small integer. */
const PLACED_MAX = 2 ** 22

/** What a search needs. Plain data, so that it crosses threads. */
export interface KeyWordsState {
  readonly prefix: Bytes
  readonly words: Float64Array<ArrayBuffer>
  /** Of each digit, the terms of its 256 bytes; empty if there are no places. */
  readonly terms: Int32Array<ArrayBuffer>
  readonly firsts: Int32Array<ArrayBuffer>
  /** Buckets for each place. */
  readonly scale: number
}

/**
 * @param keys one after another: key i is keys[starts[i], starts[i + 1] − tailBytes), and they ascend; copied
 * @param count at least 1
 */
export function keyWordsOf(keys: Bytes, starts: Int32Array, count: number, tailBytes: number): KeyWordsState {
  const lastStart = starts[count - 1]
  const lastLength = starts[count] - tailBytes - lastStart
  // What the first and the last of them begin with, all between them do.
  const prefix = commonPrefixLength(keys, starts[0], starts[1] - tailBytes - starts[0], keys, lastStart, lastLength)
  const heads = headsOf(keys, starts, count, tailBytes, prefix)
  const words = wordsOf(heads, count)
  const { terms, places } = termsOf(heads, count)
  const buckets = Math.min(places, 2 * count)
  const scale = buckets / places
  const firsts = firstsOf(heads, terms, buckets, scale)
  return { prefix: keys.slice(lastStart, lastStart + prefix), words, terms, firsts, scale }
}

/**
 * The bytes of the words, one word after another. A loop in a function of its own: the code that is compiled for it while it runs knows
 * nothing of what follows it, and would be left there each time.
 */
function headsOf(keys: Bytes, starts: Int32Array, count: number, tailBytes: number, prefix: number): Uint8Array {
  const heads = new Uint8Array(count * WORD_BYTES)
  for (let i = 0; i < count; i++) {
    const start = starts[i] + prefix
    const length = starts[i + 1] - tailBytes - start
    for (let j = 0; j < WORD_BYTES && j < length; j++) heads[i * WORD_BYTES + j] = keys[start + j]
  }
  return heads
}

function wordsOf(heads: Uint8Array, count: number): Float64Array<ArrayBuffer> {
  const words = new Float64Array(count)
  for (let i = 0; i < count; i++) words[i] = wordAt(heads, i * WORD_BYTES, WORD_BYTES)
  return words
}

export class KeyWords {
  /** After `narrow`: the first key that is ≥ the one sought is one of [begin, limit), or number `limit`. */
  begin: number
  limit: number
  readonly #prefix: Bytes
  readonly #words: Float64Array<ArrayBuffer>
  readonly #terms: Int32Array<ArrayBuffer>
  readonly #firsts: Int32Array<ArrayBuffer>
  readonly #scale: number

  constructor({ prefix, words, terms, firsts, scale }: KeyWordsState) {
    this.begin = 0
    this.limit = 0
    this.#prefix = prefix
    this.#words = words
    this.#terms = terms
    this.#firsts = firsts
    this.#scale = scale
  }

  /** Find where a key belongs; only keys of the same word leave it open. */
  narrow(key: Bytes, keyOff: number, keyLen: number): void {
    const words = this.#words
    const prefix = this.#prefix.length
    const order = compareBytes(this.#prefix, 0, prefix, key, keyOff, keyLen < prefix ? keyLen : prefix)
    if (order !== 0) {
      this.begin = order > 0 ? 0 : words.length
      this.limit = this.begin
      return
    }
    const word = wordAt(key, keyOff + prefix, keyLen - prefix)
    const bucket = (placeOf(this.#terms, key, keyOff + prefix, keyLen - prefix) * this.#scale) | 0
    const first = firstAtLeast(words, this.#firsts[bucket], this.#firsts[bucket + 1], word)
    this.begin = first
    const isOpen = first < words.length && words[first] === word
    this.limit = isOpen ? firstAtLeast(words, first, words.length, word + 1) : first
  }
}

/** Up to six bytes, as a number that orders as they do; missing ones count as 0. */
function wordAt(bytes: Bytes, offset: number, length: number): number {
  if (length >= WORD_BYTES) {
    const high = (bytes[offset] << 16) | (bytes[offset + 1] << 8) | bytes[offset + 2]
    const low = (bytes[offset + 3] << 16) | (bytes[offset + 4] << 8) | bytes[offset + 5]
    return high * TWO_24 + low
  }
  let word = 0
  for (let i = 0; i < WORD_BYTES; i++) word = word * 256 + (i < length ? bytes[offset + i] : 0)
  return word
}

/** Index of the first of the ascending words [begin, end) that is ≥ `word`, or `end`; without branches to predict. */
function firstAtLeast(words: Float64Array<ArrayBuffer>, begin: number, end: number, word: number): number {
  let first = begin
  let count = end - begin
  while (count > 1) {
    const half = count >>> 1
    first += words[first + half - 1] < word ? half : 0
    count -= half
  }
  return first + (count === 1 && words[first] < word ? 1 : 0)
}

interface Terms {
  readonly terms: Int32Array<ArrayBuffer>
  /** Their number: a place is less, or this if it is behind all words. */
  readonly places: number
}

/**
 * As many digits as tell every other word from its neighbour, if words are even; none, where that takes more than there are.
 * @param heads the bytes of the words, one word after another
 */
function termsOf(heads: Uint8Array, count: number): Terms {
  const terms = new Int32Array(count < PLACED_MIN || count > PLACED_MAX ? 0 : WORD_BYTES << 8)
  let places = 1
  let end = 0
  while (places < count / 2 && end < terms.length) {
    const base = rankBytes(heads, end >> 8, terms)
    for (let i = 0; i < end; i++) terms[i] = terms[i] < 0 ? ~(~terms[i] * base) : terms[i] * base
    places *= base
    end += 256
  }
  return places < count / 2 ? { terms: terms.slice(0, 0), places: 1 } : { terms: terms.slice(0, end), places }
}

/** Put in, for each byte, how many lesser ones occur at this digit; the complement if it does not itself. @returns how many do */
function rankBytes(heads: Uint8Array, digit: number, terms: Int32Array): number {
  const first = digit << 8
  for (let i = digit; i < heads.length; i += WORD_BYTES) terms[first | heads[i]] = 1
  let base = 0
  for (let i = first; i < first + 256; i++) terms[i] = terms[i] === 1 ? base++ : ~base
  return base
}

function placeOf(terms: Int32Array<ArrayBuffer>, bytes: Bytes, offset: number, length: number): number {
  let place = 0
  for (let digit = 0; digit << 8 < terms.length; digit++) {
    const term = terms[(digit << 8) | (digit < length ? bytes[offset + digit] : 0)]
    if (term < 0) return place + ~term
    place += term
  }
  return place
}

function firstsOf(
  heads: Uint8Array,
  terms: Int32Array<ArrayBuffer>,
  buckets: number,
  scale: number,
): Int32Array<ArrayBuffer> {
  const firsts = new Int32Array(buckets + 2).fill(heads.length / WORD_BYTES)
  let bucket = -1
  for (let at = 0; at < heads.length; at += WORD_BYTES) {
    const own = (placeOf(terms, heads, at, WORD_BYTES) * scale) | 0
    while (bucket < own) firsts[++bucket] = at / WORD_BYTES
  }
  return firsts
}

/**
 * KeyWords: ascending keys in the order of bytes, narrowed down to a few by arithmetic on one array of words. The keys
 * begin with a common prefix, and the six bytes after it make each one's word, which a double holds: most searches are one of
 * that array, and compare no key. The keys lie all over the memory; their words do not. Six bytes, since four of decimal digits
 * tell only 10,000 keys apart, and tables have thousands of blocks.
 *
 * Threads  belongs to one thread
 */
import { commonPrefixLength, compareBytes } from './bytes.ts'
import type { Bytes } from './types.ts'

/** Bytes that order the words. */
const WORD_BYTES = 6
const TWO_24 = 2 ** 24

/** Bytes of memory that each key takes here. */
export const WORD_MEMORY_BYTES = 8

export class KeyWords {
  /** After `narrow`: the first key that is ≥ the one sought is one of [begin, limit), or number `limit`. */
  begin: number
  limit: number
  readonly #prefix: Bytes
  readonly #words: Float64Array<ArrayBuffer>

  /**
   * @param keys one after another: key i is keys[starts[i], starts[i + 1] − tailBytes), and they ascend; copied
   * @param count at least 1
   */
  constructor(keys: Bytes, starts: Int32Array, count: number, tailBytes: number) {
    const lastStart = starts[count - 1]
    const lastLength = starts[count] - tailBytes - lastStart
    // What the first and the last of them begin with, all between them do.
    const prefix = commonPrefixLength(keys, starts[0], starts[1] - tailBytes - starts[0], keys, lastStart, lastLength)
    const words = new Float64Array(count)
    for (let i = 0; i < count; i++) {
      const start = starts[i] + prefix
      words[i] = wordAt(keys, start, starts[i + 1] - tailBytes - start)
    }
    this.begin = 0
    this.limit = 0
    this.#prefix = keys.slice(lastStart, lastStart + prefix)
    this.#words = words
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
    const first = firstAtLeast(words, 0, word)
    this.begin = first
    this.limit = first < words.length && words[first] === word ? firstAtLeast(words, first, word + 1) : first
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

/** Index of the first of the ascending words at or after `begin` that is ≥ `word`; without branches to predict. */
function firstAtLeast(words: Float64Array<ArrayBuffer>, begin: number, word: number): number {
  let first = begin
  let count = words.length - begin
  while (count > 1) {
    const half = count >>> 1
    first += words[first + half - 1] < word ? half : 0
    count -= half
  }
  return first + (count === 1 && words[first] < word ? 1 : 0)
}

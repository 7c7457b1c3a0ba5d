/**
 * RadixKey: the key that a walk through a radix tree is after, as bytes to branch by and as words to compare leaves with.
 *
 * Format   bytes of the key, then zeros up to the next word: as leaves store theirs (radix-tree.ts)
 */
import type { Bytes } from '../base/types.ts'
import { WordCopier } from './word-copier.ts'

const FIRST_CAPACITY_BYTES = 256
const IS_LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1

export class RadixKey {
  /** The key is bytes[0, length); valid until the next load. */
  bytes: Uint8Array<ArrayBuffer>
  length: number
  #words: Int32Array<ArrayBuffer>
  #copier: WordCopier

  constructor() {
    this.bytes = new Uint8Array(FIRST_CAPACITY_BYTES)
    this.length = 0
    this.#words = new Int32Array(this.bytes.buffer)
    this.#copier = new WordCopier(this.#words, this.bytes)
  }

  /** Be this key, until the next load. */
  load(key: Bytes, keyOff: number, keyLen: number): void {
    const wordCount = (keyLen + 3) >> 2
    if (wordCount > this.#words.length) {
      const bytes = new Uint8Array(wordCount * 8)
      const words = new Int32Array(bytes.buffer)
      // All at once, after the last call: one that does not return must not leave a copier to other memory.
      this.#copier = new WordCopier(words, bytes)
      this.bytes = bytes
      this.#words = words
    }
    this.#copier.copy(0, key, keyOff, keyLen)
    this.length = keyLen
  }

  /** Store it where a leaf holds its key, padded, from word `at` on. */
  store(words: Int32Array<ArrayBufferLike>, at: number): void {
    const own = this.#words
    const wordCount = (this.length + 3) >> 2
    for (let i = 0; i < wordCount; i++) words[at + i] = own[i]
  }

  /**
   * Number of leading bytes that this key shares with a stored one, of `length` bytes from word `at` on. The keys are the
   * same if and only if it is the length of both.
   */
  commonPrefix(words: Int32Array<ArrayBufferLike>, at: number, length: number): number {
    const own = this.#words
    const shorter = length < this.length ? length : this.length
    for (let i = 0; i << 2 < shorter; i++) {
      const difference = words[at + i] ^ own[i]
      if (difference !== 0) {
        // Padding may differ from a byte, too.
        const shared = (i << 2) + sharedBytes(difference)
        return shared < shorter ? shared : shorter
      }
    }
    return shorter
  }
}

/** Leading bytes, in the order of memory, in which two words with this exclusive or are the same. */
function sharedBytes(difference: number): number {
  return (IS_LITTLE_ENDIAN ? 31 - Math.clz32(difference & -difference) : Math.clz32(difference)) >> 3
}

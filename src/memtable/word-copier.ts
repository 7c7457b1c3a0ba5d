/**
 * WordCopier: byte strings on their way into words: an arena, and the keys of searches, hold them padded with zeros to whole
 * words. Copying was a third of an insert, since TypedArray.set goes through the runtime, wants a view of its own for a part of
 * a buffer, and moves shared memory byte by byte where source and target are not aligned alike.
 *   part of a larger buffer   by words, through a view of that buffer that is made when it is met for the second time in a
 *                             row: batches, and files of keys, hold many strings, and are used again
 *   long                      copyLong, whatever it is a part of
 *   short                     gathered from bytes
 *   else                      TypedArray.set
 * The last buffer of which a part was copied stays reachable from here until `forget`, or another one; one of more than
 * KEPT_BYTES_MAX only until the batch ends, unless the large one before it had the same length: then it is likely the same, and
 * whoever writes parts of it batch by batch keeps it anyway.
 * Source   measured: docs/performance.md, the MemTable
 */
import { copyLong, EMPTY, LONG_COPY_BYTES } from '../base/bytes.ts'
import type { Bytes } from '../base/types.ts'

type Words = Int32Array<ArrayBufferLike>

const GATHERED_BYTES_MAX = 40
/** A larger source is one very large write, and not worth its memory. */
const KEPT_BYTES_MAX = 16 * 1024 * 1024
const IS_LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1
/** By how much the bytes of a word are shifted, in the order of memory. */
const FIRST: number = IS_LITTLE_ENDIAN ? 0 : 24
const SECOND: number = IS_LITTLE_ENDIAN ? 8 : 16
const THIRD: number = IS_LITTLE_ENDIAN ? 16 : 8
const FOURTH: number = IS_LITTLE_ENDIAN ? 24 : 0

export class WordCopier {
  readonly #words: Words
  readonly #bytes: Bytes
  /** The buffer that the last part was of, and a view of it, once it was met again. */
  #source: Bytes
  #view: DataView | undefined
  /** Of the buffer of #source, and of the last large one that a batch ended with. */
  #sourceBytes: number
  #largeBytes: number

  /** @param words,bytes of the memory to copy to */
  constructor(words: Words, bytes: Bytes) {
    this.#words = words
    this.#bytes = bytes
    this.#source = EMPTY
    this.#view = undefined
    this.#sourceBytes = 0
    this.#largeBytes = 0
  }

  /** Keep nothing reachable. */
  forget(): void {
    this.#source = EMPTY
    this.#view = undefined
    this.#sourceBytes = 0
  }

  /** A batch has been copied. */
  endBatch(): void {
    const bytes = this.#sourceBytes
    if (bytes <= KEPT_BYTES_MAX || bytes === this.#largeBytes) return
    this.#largeBytes = bytes
    this.forget()
  }

  /** Copy bytes to word `at` and those behind it, with zeros up to the next word. */
  copy(at: number, from: Bytes, fromOff: number, length: number): void {
    if (length === 0) return
    if (length >= LONG_COPY_BYTES) this.#long(at, from, fromOff, length)
    else if (from === this.#source) this.#copyWords(at, this.#view ?? this.#viewOf(from), from, fromOff, length)
    else if (length <= GATHERED_BYTES_MAX) this.#gather(at, from, fromOff, length)
    else this.#copyAll(at, from, fromOff, length)
  }

  #viewOf(from: Bytes): DataView {
    const view = new DataView(from.buffer, from.byteOffset)
    this.#view = view
    return view
  }

  #copyWords(at: number, view: DataView, from: Bytes, fromOff: number, length: number): void {
    const words = this.#words
    const pairsEnd = fromOff + (length & ~7)
    let word = at
    let i = fromOff
    // Two at a time: half the time of one.
    for (; i < pairsEnd; i += 8) {
      words[word] = view.getInt32(i, IS_LITTLE_ENDIAN)
      words[word + 1] = view.getInt32(i + 4, IS_LITTLE_ENDIAN)
      word += 2
    }
    if ((length & 4) !== 0) {
      words[word++] = view.getInt32(i, IS_LITTLE_ENDIAN)
      i += 4
    }
    if ((length & 3) !== 0) words[word] = lastWord(from, i, length & 3)
  }

  #gather(at: number, from: Bytes, fromOff: number, length: number): void {
    if (length !== from.length) this.#meet(from)
    const words = this.#words
    const end = fromOff + (length & ~3)
    let word = at
    let i = fromOff
    for (; i < end; i += 4) {
      words[word++] = (from[i] << FIRST) | (from[i + 1] << SECOND) | (from[i + 2] << THIRD) | (from[i + 3] << FOURTH)
    }
    if (length !== end - fromOff) words[word] = lastWord(from, i, length & 3)
  }

  /** By no view of the source. */
  #long(at: number, from: Bytes, fromOff: number, length: number): void {
    this.#words[at + ((length - 1) >> 2)] = 0
    copyLong(from, fromOff, this.#bytes, at << 2, length)
  }

  #copyAll(at: number, from: Bytes, fromOff: number, length: number): void {
    this.#words[at + ((length - 1) >> 2)] = 0
    if (length === from.length) {
      this.#bytes.set(from, at << 2)
      return
    }
    this.#meet(from)
    this.#bytes.set(from.subarray(fromOff, fromOff + length), at << 2)
  }

  #meet(from: Bytes): void {
    this.#source = from
    this.#view = undefined
    this.#sourceBytes = from.buffer.byteLength
  }
}

/** One to three bytes, and zeros. */
function lastWord(from: Bytes, i: number, count: number): number {
  let word = from[i] << FIRST
  if (count > 1) word |= from[i + 1] << SECOND
  if (count > 2) word |= from[i + 2] << THIRD
  return word
}

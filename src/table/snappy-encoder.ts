/**
 * SnappyEncoder: the encoder of Snappy's block format (snappy-decoder.ts has it). Deterministic, and the same bytes as
 * Snappy 1.1.8 and before make of them, which is what LevelDB's usual builds have.
 *
 * How      The contents are taken in fragments of 64 KiB. A hash table remembers where four bytes were last seen; where they
 *          come again, the bytes between are written as a literal and the match as copies. The longer nothing comes again,
 *          the longer the steps: random contents cost little.
 * Threads  one encoder, one thread; table and output are used again
 * Source   google/snappy snappy.cc
 */
import { putVarint } from '../base/coding.ts'
import type { Bytes } from '../base/types.ts'

const FRAGMENT_BYTES = 65536
const MIN_TABLE_ENTRIES = 256
const MAX_TABLE_ENTRIES = 16384
/** No match begins in the last bytes of a fragment; the original reads beyond a position by as much. */
const MARGIN_BYTES = 15
const HASH_FACTOR = 0x1e35a7bd
/** A step grows by a byte for every 32 positions without a match. */
const SKIP_SHIFT = 5
const FIRST_SKIP = 32
const MAX_LENGTH_BYTES = 5

/** Longest that contents can become. */
function maxEncodedBytes(length: number): number {
  return 32 + length + Math.floor(length / 6)
}

export class SnappyEncoder {
  /** The block that was encoded last is bytes[0, length). */
  bytes: Uint8Array<ArrayBuffer>
  length: number

  /** Hash of four bytes → where in the fragment they were seen last; as long as the longest contents so far need. */
  #table: Uint16Array
  /** Contents begin at the fragment's start in here. */
  #view: DataView

  constructor() {
    this.bytes = new Uint8Array(0)
    this.length = 0
    this.#table = new Uint16Array(MIN_TABLE_ENTRIES)
    this.#view = new DataView(this.bytes.buffer)
  }

  /** Encode contents of less than 4 GiB; the result goes to `bytes` and `length`. */
  encode(contents: Bytes): void {
    const needed = MAX_LENGTH_BYTES + maxEncodedBytes(contents.length)
    if (needed > this.bytes.length) this.bytes = new Uint8Array(needed)
    this.length = putVarint(this.bytes, 0, contents.length)
    for (let start = 0; start < contents.length; start += FRAGMENT_BYTES) {
      this.#encodeFragment(contents, start, Math.min(FRAGMENT_BYTES, contents.length - start))
    }
  }

  #encodeFragment(contents: Bytes, start: number, length: number): void {
    const view = new DataView(contents.buffer, contents.byteOffset + start, length)
    this.#view = view
    let entries = MIN_TABLE_ENTRIES
    while (entries < MAX_TABLE_ENTRIES && entries < length) entries *= 2
    const shift = Math.clz32(entries) + 1
    if (entries > this.#table.length) this.#table = new Uint16Array(entries)
    const table = this.#table
    table.fill(0, 0, entries)
    const last = length - MARGIN_BYTES
    let literal = 0
    let at = 1
    while (at < last) {
      // Look for four bytes that have been seen.
      let skip = FIRST_SKIP
      let next = at
      let candidate = 0
      let word = view.getInt32(at, true)
      for (;;) {
        at = next
        const step = skip >>> SKIP_SHIFT
        next += step
        skip += step
        if (next > last) {
          this.#putLiteral(contents, start + literal, length - literal)
          return
        }
        const hash = Math.imul(word, HASH_FACTOR) >>> shift
        candidate = table[hash]
        table[hash] = at
        if (word === view.getInt32(candidate, true)) break
        word = view.getInt32(next, true)
      }
      this.#putLiteral(contents, start + literal, at - literal)
      // Copies, as long as one follows another at once.
      do {
        const matched = this.#matchLength(candidate + 4, at + 4) + 4
        this.#putCopies(at - candidate, matched)
        at += matched
        literal = at
        if (at >= last) break
        table[Math.imul(view.getInt32(at - 1, true), HASH_FACTOR) >>> shift] = at - 1
        word = view.getInt32(at, true)
        const hash = Math.imul(word, HASH_FACTOR) >>> shift
        candidate = table[hash]
        table[hash] = at
      } while (word === view.getInt32(candidate, true))
      at++
    }
    if (literal < length) this.#putLiteral(contents, start + literal, length - literal)
  }

  /** How many bytes from `a` on are the same as those from `b` on, a < b. */
  #matchLength(a: number, b: number): number {
    const view = this.#view
    const length = view.byteLength
    let at = b
    while (at + 4 <= length) {
      const difference = view.getInt32(at, true) ^ view.getInt32(a + at - b, true)
      if (difference !== 0) return at - b + ((31 - Math.clz32(difference & -difference)) >>> 3)
      at += 4
    }
    while (at < length && view.getUint8(at) === view.getUint8(a + at - b)) at++
    return at - b
  }

  #putLiteral(contents: Bytes, offset: number, length: number): void {
    const { bytes } = this
    let end = this.length
    if (length <= 60) bytes[end++] = (length - 1) << 2
    else if (length <= 256) {
      bytes[end++] = 60 << 2
      bytes[end++] = length - 1
    } else {
      bytes[end++] = 61 << 2
      bytes[end++] = length - 1
      bytes[end++] = (length - 1) >>> 8
    }
    if (length < 32) for (let i = 0; i < length; i++) bytes[end + i] = contents[offset + i]
    else bytes.set(contents.subarray(offset, offset + length), end)
    this.length = end + length
  }

  /** A copy takes at most 64 bytes; none of less than 4 is left over. */
  #putCopies(offset: number, length: number): void {
    let left = length
    while (left >= 68) {
      this.#putCopy(offset, 64)
      left -= 64
    }
    if (left > 64) {
      this.#putCopy(offset, 60)
      left -= 60
    }
    if (left < 12 && offset < 2048) {
      this.bytes[this.length++] = ((offset >>> 8) << 5) | ((left - 4) << 2) | 1
      this.bytes[this.length++] = offset
    } else this.#putCopy(offset, left)
  }

  #putCopy(offset: number, length: number): void {
    const { bytes } = this
    let end = this.length
    bytes[end++] = ((length - 1) << 2) | 2
    bytes[end++] = offset
    bytes[end++] = offset >>> 8
    this.length = end
  }
}

/**
 * LevelDB's integer encodings over (bytes, offset). Fixed-width integers are little-endian. A varint is LEB128: seven bits
 * a byte, low group first, the high bit set on all bytes but the last.
 *
 * Reading a varint needs two results, the value and where it ends, and allocates nothing: a Reader carries the offset.
 * 64-bit integers are JavaScript numbers up to 2^53 − 1; what is larger on disk is an error, never a rounding.
 */
import type { Bytes } from './types.ts'

const TWO_32 = 2 ** 32
const TWO_28 = 2 ** 28
const VARINT32_BYTES = 5
const VARINT64_BYTES = 10

export function putFixed32(bytes: Bytes, offset: number, value: number): void {
  bytes[offset] = value
  bytes[offset + 1] = value >>> 8
  bytes[offset + 2] = value >>> 16
  bytes[offset + 3] = value >>> 24
}

export function getFixed32(bytes: Bytes, offset: number): number {
  return (bytes[offset] | (bytes[offset + 1] << 8) | (bytes[offset + 2] << 16) | (bytes[offset + 3] << 24)) >>> 0
}

/** @param value an integer in [0, 2^53) */
export function putFixed64(bytes: Bytes, offset: number, value: number): void {
  putFixed32(bytes, offset, value % TWO_32)
  putFixed32(bytes, offset + 4, Math.floor(value / TWO_32))
}

/** @returns the value, or −1 if it does not fit a safe integer */
export function getFixed64(bytes: Bytes, offset: number): number {
  const high = getFixed32(bytes, offset + 4)
  return high >= 0x200000 ? -1 : high * TWO_32 + getFixed32(bytes, offset)
}

/** Bytes that `putVarint` writes for `value`. */
export function varintLength(value: number): number {
  let length = 1
  for (let v = value; v >= 128; v = Math.floor(v / 128)) length++
  return length
}

/**
 * Write `value` as a varint.
 * @param value an integer in [0, 2^53)
 * @returns the offset after it
 */
export function putVarint(bytes: Bytes, offset: number, value: number): number {
  let at = offset
  let v = value
  while (v >= TWO_28) {
    bytes[at++] = (v % 128) | 128
    v = Math.floor(v / 128)
  }
  while (v >= 128) {
    bytes[at++] = (v & 127) | 128
    v >>>= 7
  }
  bytes[at++] = v
  return at
}

/**
 * A reading position in a byte string, up to a limit. A read that would pass the limit, or a number that is too large,
 * sets `failed` and answers 0; once failed, a reader stays failed. Decoders read all fields and check once.
 */
export class Reader {
  bytes: Bytes
  offset: number
  limit: number
  failed: boolean

  constructor(bytes: Bytes, offset: number = 0, limit: number = bytes.length) {
    this.bytes = bytes
    this.offset = offset
    this.limit = limit
    this.failed = false
  }

  /** Point this reader elsewhere, to use it again without allocating. */
  reset(bytes: Bytes, offset: number, limit: number): this {
    this.bytes = bytes
    this.offset = offset
    this.limit = limit
    this.failed = false
    return this
  }

  get remaining(): number {
    return this.limit - this.offset
  }

  byte(): number {
    if (this.failed || this.offset >= this.limit) return this.#fail()
    return this.bytes[this.offset++]
  }

  /** A varint of at most five bytes; fails above 2^32 − 1. */
  varint32(): number {
    // Most are lengths of one byte.
    if (!this.failed && this.offset < this.limit) {
      const first = this.bytes[this.offset]
      if (first < 128) {
        this.offset++
        return first
      }
    }
    const start = this.offset
    const value = this.varint64()
    return value < TWO_32 && this.offset - start <= VARINT32_BYTES ? value : this.#fail()
  }

  /** A varint of at most ten bytes; fails above 2^53 − 1. */
  varint64(): number {
    if (this.failed) return 0
    const { bytes, limit } = this
    let value = 0
    let unit = 1
    for (let at = this.offset; at < limit && at < this.offset + VARINT64_BYTES; at++) {
      const b = bytes[at]
      value += (b & 127) * unit
      if (b < 128) {
        if (value > Number.MAX_SAFE_INTEGER) return this.#fail()
        this.offset = at + 1
        return value
      }
      unit *= 128
    }
    return this.#fail()
  }

  /**
   * Pass over `length` bytes.
   * @returns the offset at which they start
   */
  skip(length: number): number {
    if (this.failed || length > this.limit - this.offset) return this.#fail()
    const start = this.offset
    this.offset += length
    return start
  }

  /** A length-prefixed byte string, as a view of the underlying bytes. */
  view(): Bytes {
    const length = this.varint32()
    const start = this.skip(length)
    return this.failed ? this.bytes.subarray(0, 0) : this.bytes.subarray(start, start + length)
  }

  #fail(): 0 {
    this.failed = true
    return 0
  }
}

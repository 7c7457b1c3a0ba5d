/**
 * Byte strings as (buffer, offset, length): comparison, copying, common prefixes. Order is unsigned and
 * lexicographic; a string sorts before every string that it prefixes.
 */
import type { Bytes } from './types.ts'

/** The empty byte string; never written to. */
export const EMPTY: Uint8Array<ArrayBuffer> = new Uint8Array(0)

/** Below this length a loop copies faster than `TypedArray.set` (measured: bench/micro, Node 20). */
const COPY_LOOP_BYTES = 24
/** From here on, copyLong is the fastest way to copy from shared memory, and to it (docs/performance.md). */
export const LONG_COPY_BYTES = 1024
/** What stops on the way at a time: the processor's nearest cache holds it. */
const STOP_BYTES = 16 * 1024
/** Of the words in which shared memory is moved. */
const WORD_BYTES = 8
const stop = new Uint8Array(STOP_BYTES + WORD_BYTES)
const HAS_SHARED_MEMORY = typeof SharedArrayBuffer !== 'undefined'

/**
 * Compare a[aOff, aOff+aLen) with b[bOff, bOff+bLen).
 * @returns negative, 0 or positive as a sorts before, equal to or after b
 */
export function compareBytes(a: Bytes, aOff: number, aLen: number, b: Bytes, bOff: number, bLen: number): number {
  const n = aLen < bLen ? aLen : bLen
  for (let i = 0; i < n; i++) {
    const d = a[aOff + i] - b[bOff + i]
    if (d !== 0) return d
  }
  return aLen - bLen
}

/** Whether the two byte strings are the same. */
export function equalBytes(a: Bytes, aOff: number, aLen: number, b: Bytes, bOff: number, bLen: number): boolean {
  return aLen === bLen && compareBytes(a, aOff, aLen, b, bOff, bLen) === 0
}

/** Copy `length` bytes; the ranges may overlap only if they are the same or in different buffers. */
export function copyBytes(from: Bytes, fromOff: number, to: Bytes, toOff: number, length: number): void {
  if (length < COPY_LOOP_BYTES) {
    for (let i = 0; i < length; i++) to[toOff + i] = from[fromOff + i]
  } else if (fromOff === 0 && length === from.length) {
    to.set(from, toOff)
  } else {
    to.set(from.subarray(fromOff, fromOff + length), toOff)
  }
}

/**
 * As copyBytes, of LONG_COPY_BYTES or more, from shared memory or to it. `TypedArray.set` moves that byte by byte where source and
 * target are not aligned alike, which takes four times as long as by words; so there is a stop on the way, in memory that is not
 * shared and that is aligned as the shared one.
 */
export function copyLong(from: Bytes, fromOff: number, to: Bytes, toOff: number, length: number): void {
  const source = (from.byteOffset + fromOff) & (WORD_BYTES - 1)
  const target = (to.byteOffset + toOff) & (WORD_BYTES - 1)
  if (source === target) {
    to.set(from.subarray(fromOff, fromOff + length), toOff)
    return
  }
  const start = isShared(from) ? source : target
  for (let done = 0; done < length; done += STOP_BYTES) {
    const count = Math.min(STOP_BYTES, length - done)
    stop.set(from.subarray(fromOff + done, fromOff + done + count), start)
    to.set(stop.subarray(start, start + count), toOff + done)
  }
}

function isShared(bytes: Bytes): boolean {
  return HAS_SHARED_MEMORY && bytes.buffer instanceof SharedArrayBuffer
}

/**
 * Copy `length` bytes by words, sixteen bytes a step; the ranges do not overlap. For up to LONG_COPY_BYTES of what lies in shared
 * memory, out of which `TypedArray.set` is slow (docs/performance.md).
 */
export function copyWords(from: DataView, fromOff: number, to: DataView, toOff: number, length: number): void {
  const end = fromOff + length
  let i = fromOff
  let j = toOff
  for (const last = end - 16; i <= last; i += 16) {
    to.setInt32(j, from.getInt32(i, true), true)
    to.setInt32(j + 4, from.getInt32(i + 4, true), true)
    to.setInt32(j + 8, from.getInt32(i + 8, true), true)
    to.setInt32(j + 12, from.getInt32(i + 12, true), true)
    j += 16
  }
  for (; i < end; i++) to.setUint8(j++, from.getUint8(i))
}

/** All of it. */
export function viewOf(bytes: Bytes): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** A copy that owns its memory: what the engine hands to its callers. */
export function ownedCopy(from: Bytes, offset: number, length: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(length)
  if (length >= LONG_COPY_BYTES && isShared(from)) copyLong(from, offset, copy, 0, length)
  else copyBytes(from, offset, copy, 0, length)
  return copy
}

/** A larger buffer in place of `bytes`, of which the first `used` are kept: `needed` bytes, or twice as many as there were. */
export function grown(bytes: Bytes, used: number, needed: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.max(needed, bytes.length * 2))
  larger.set(bytes.subarray(0, used))
  return larger
}

/** Bytewise order of two whole strings: negative, 0 or positive. */
export function compareWhole(a: Bytes, b: Bytes): number {
  return compareBytes(a, 0, a.length, b, 0, b.length)
}

/** Number of leading bytes that both strings share. */
export function commonPrefixLength(a: Bytes, aOff: number, aLen: number, b: Bytes, bOff: number, bLen: number): number {
  const n = aLen < bLen ? aLen : bLen
  let i = 0
  while (i < n && a[aOff + i] === b[bOff + i]) i++
  return i
}

/** As compareBytes, of strings whose first bytes in common are just `common` many. */
export function compareBeyond(
  a: Bytes,
  aOff: number,
  aLen: number,
  b: Bytes,
  bOff: number,
  bLen: number,
  common: number,
): number {
  return common === aLen || common === bLen ? aLen - bLen : a[aOff + common] - b[bOff + common]
}

const decoder = new TextDecoder()
const HEX_DIGITS = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0))

/** Lowercase hex, without prefix or separators. Not put together digit by digit: values may have many MiB. */
export function toHex(bytes: Bytes, offset: number = 0, length: number = bytes.length - offset): string {
  const digits = new Uint8Array(2 * length)
  for (let i = 0; i < length; i++) {
    const byte = bytes[offset + i]
    digits[2 * i] = HEX_DIGITS[byte >>> 4]
    digits[2 * i + 1] = HEX_DIGITS[byte & 15]
  }
  return decoder.decode(digits)
}

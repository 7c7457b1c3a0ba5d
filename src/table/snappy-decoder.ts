/**
 * The decoder of Snappy's block format, on bytes that nobody vouches for. It allocates its output and two views, nothing
 * else, and the output only if the stored bytes can yield it.
 *
 * Format   block   := varint32 length of the contents ‖ element*
 *          element := tag u8 ‖ …; the tag's low two bits are its kind:
 *                     0 literal: length − 1 in the upper six bits, or if that is 60 to 63 in the next 1 to 4 bytes,
 *                       little-endian; then the bytes
 *                     1 copy of 4 to 11 bytes: length − 4 in bits 2 to 4; offset in bits 5 to 7 and the next byte
 *                     2, 3 copy of 1 to 64 bytes: length − 1 in the upper six bits; offset in the next 2 or 4 bytes
 *          A copy repeats what lies `offset` bytes back in the contents; if it is longer than that, what it writes itself.
 * Bound    No element yields more for its bytes than a copy of kind 2: 64 bytes for 3. So n bytes of elements hold at most
 *          64 n / 3 bytes of contents, and a declared length above that is a lie.
 * Work     Each step consumes a byte at least. Words are moved, and so up to 15 bytes more than asked for, but never beyond the
 *          output; what was moved too much is overwritten by what follows.
 * Source   google/snappy format_description.txt
 */
import { Reader } from '../base/coding.ts'
import type { Bytes } from '../base/types.ts'
import type { BlockMemory } from './block-memory.ts'

/** Greatest yield of an element: 64 bytes for 3. */
const YIELD_BYTES = 64
const YIELD_COST_BYTES = 3

/** Above, the engine's own block move is faster than words (measured on 4 KiB blocks, Node 20). */
const MAX_WORD_COPY_BYTES = 96

/** Moved whole where there is room. */
const SHORT_BYTES = 16

const TRUNCATED = 'it is cut off'
const TOO_LONG = 'it yields more than it declares'

/**
 * The contents of a block, in memory of their own; or what is wrong with it, in words that go on from "the block".
 * @param maxBytes contents longer than that are refused before they are allocated
 * @param memory where their memory is from, if it is to be used again
 */
export function decodeSnappy(stored: Bytes, maxBytes: number, memory?: BlockMemory): Uint8Array<ArrayBuffer> | string {
  const reader = new Reader(stored)
  const length = reader.varint32()
  if (reader.failed) return 'it declares no length'
  if (length > maxBytes) return `it declares ${length} bytes, more than ${maxBytes}`
  if (length * YIELD_COST_BYTES > reader.remaining * YIELD_BYTES) {
    return `it declares ${length} bytes, more than ${stored.length} can yield`
  }
  const contents = memory === undefined ? new Uint8Array(length) : memory.allocateBlock(length).subarray(0, length)
  return decodeElements(stored, reader.offset, contents) ?? contents
}

/** @returns what is wrong, or undefined if `into` has been filled */
function decodeElements(stored: Bytes, start: number, into: Uint8Array<ArrayBuffer>): string | undefined {
  const limit = stored.length
  const capacity = into.length
  const source = new DataView(stored.buffer, stored.byteOffset, limit)
  const target = new DataView(into.buffer, into.byteOffset, capacity)
  let at = start
  let end = 0
  while (at < limit) {
    const tag = stored[at++]
    const kind = tag & 3
    let length = (tag >>> 2) + 1
    if (kind === 0) {
      if (length > 60) {
        const lengthBytes = length - 60
        if (at + lengthBytes > limit) return TRUNCATED
        length = littleEndian(stored, at, lengthBytes) + 1
        at += lengthBytes
      }
      if (length > limit - at) return TRUNCATED
      if (length > capacity - end) return TOO_LONG
      if (length > MAX_WORD_COPY_BYTES) into.set(stored.subarray(at, at + length), end)
      else copyLiteral(source, at, target, end, length)
      at += length
    } else {
      let offset: number
      if (kind === 1) {
        if (at + 1 > limit) return TRUNCATED
        length = 4 + ((tag >>> 2) & 7)
        offset = ((tag >>> 5) << 8) | stored[at]
        at += 1
      } else if (kind === 2) {
        if (at + 2 > limit) return TRUNCATED
        offset = stored[at] | (stored[at + 1] << 8)
        at += 2
      } else {
        if (at + 4 > limit) return TRUNCATED
        offset = littleEndian(stored, at, 4)
        at += 4
      }
      if (offset === 0 || offset > end) return 'it copies from before its start'
      if (length > capacity - end) return TOO_LONG
      copyBack(target, end, offset, length)
    }
    end += length
  }
  return end === capacity ? undefined : 'it yields less than it declares'
}

function littleEndian(bytes: Bytes, offset: number, length: number): number {
  let value = 0
  for (let i = length - 1; i >= 0; i--) value = value * 256 + bytes[offset + i]
  return value
}

/** Up to 16 bytes go in words at once, where there is room for all of them: most literals and copies are that short. */
function copyLiteral(source: DataView, from: number, target: DataView, to: number, length: number): void {
  if (length <= SHORT_BYTES && from + SHORT_BYTES <= source.byteLength && to + SHORT_BYTES <= target.byteLength) {
    target.setInt32(to, source.getInt32(from, true), true)
    target.setInt32(to + 4, source.getInt32(from + 4, true), true)
    if (length <= 8) return
    target.setInt32(to + 8, source.getInt32(from + 8, true), true)
    target.setInt32(to + 12, source.getInt32(from + 12, true), true)
  } else if (from + length + 3 <= source.byteLength && to + length + 3 <= target.byteLength) {
    for (let i = 0; i < length; i += 4) target.setInt32(to + i, source.getInt32(from + i, true), true)
  } else {
    for (let i = 0; i < length; i++) target.setUint8(to + i, source.getUint8(from + i))
  }
}

/** Words only where none reads what it writes itself. */
function copyBack(target: DataView, to: number, offset: number, length: number): void {
  const from = to - offset
  if (offset < 4) {
    for (let i = 0; i < length; i++) target.setUint8(to + i, target.getUint8(from + i))
  } else if (length <= SHORT_BYTES && to + SHORT_BYTES <= target.byteLength) {
    target.setInt32(to, target.getInt32(from, true), true)
    target.setInt32(to + 4, target.getInt32(from + 4, true), true)
    if (length <= 8) return
    target.setInt32(to + 8, target.getInt32(from + 8, true), true)
    target.setInt32(to + 12, target.getInt32(from + 12, true), true)
  } else if (to + length + 3 <= target.byteLength) {
    for (let i = 0; i < length; i += 4) target.setInt32(to + i, target.getInt32(from + i, true), true)
  } else {
    for (let i = 0; i < length; i++) target.setUint8(to + i, target.getUint8(from + i))
  }
}

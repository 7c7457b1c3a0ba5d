/**
 * The outside of a zstd frame: what it declares, and that it is one frame and nothing else, checked before a decoder sees it.
 * Decoders differ in what they make of a missing length, of several frames and of what comes after.
 *
 * Format   frame  := magic u32 ‖ descriptor u8 ‖ [window u8] ‖ [dictionary id] ‖ contents length ‖ block* ‖ [checksum u32]
 *          descriptor: bits 7–6 width of the length, 5 no window, 3 reserved, 2 checksum, 1–0 width of the dictionary id
 *          block  := u24le: bit 0 last, bits 2–1 kind (0 raw, 1 one byte repeated, 2 compressed, 3 reserved), then length
 * Rule     LevelDB's writer gives the length, always, and no dictionary; a frame without the one or with the other is refused.
 * Source   RFC 8878, section 3.1.1
 */
import { getFixed32 } from '../base/coding.ts'
import type { Bytes } from '../base/types.ts'

const MAGIC_BYTES = 4
const BLOCK_HEADER_BYTES = 3
const CHECKSUM_BYTES = 4
const NO_WINDOW = 0x20
const RESERVED = 0x08
const CHECKSUM = 0x04
const DICTIONARY = 0x03
const TWO_32 = 2 ** 32
const KIND_REPEATED = 1
const KIND_RESERVED = 3

/**
 * The length that a frame declares for its contents, or what is wrong with it, in words.
 * @param stored begins with the magic number
 */
export function zstdContentsLength(stored: Bytes): number | string {
  if (stored.length < MAGIC_BYTES + 1) return 'it is cut off'
  const descriptor = stored[MAGIC_BYTES]
  if ((descriptor & RESERVED) !== 0) return 'its header has a reserved bit set'
  if ((descriptor & DICTIONARY) !== 0) return 'it needs a dictionary'
  const hasWindow = (descriptor & NO_WINDOW) === 0
  const width = descriptor >>> 6
  if (width === 0 && hasWindow) return 'it declares no length'
  const lengthBytes = 1 << width
  const at = MAGIC_BYTES + 1 + (hasWindow ? 1 : 0)
  if (at + lengthBytes > stored.length) return 'it is cut off'
  const fault = blocksFault(stored, at + lengthBytes, (descriptor & CHECKSUM) === 0 ? 0 : CHECKSUM_BYTES)
  return fault ?? declaredLength(stored, at, lengthBytes)
}

function declaredLength(stored: Bytes, at: number, lengthBytes: number): number {
  if (lengthBytes === 1) return stored[at]
  // Widths overlap for no length: that of two bytes counts from 256.
  if (lengthBytes === 2) return stored[at] + stored[at + 1] * 256 + 256
  const low = getFixed32(stored, at)
  return lengthBytes === 4 ? low : low + getFixed32(stored, at + 4) * TWO_32
}

/** Walk the blocks from `start`: they and the frame's end must be all there is. */
function blocksFault(stored: Bytes, start: number, endBytes: number): string | undefined {
  let at = start
  for (let isLast = false; !isLast; ) {
    if (at + BLOCK_HEADER_BYTES > stored.length) return 'it is cut off'
    const header = stored[at] | (stored[at + 1] << 8) | (stored[at + 2] << 16)
    const kind = (header >>> 1) & 3
    if (kind === KIND_RESERVED) return 'it has a block of a reserved kind'
    at += BLOCK_HEADER_BYTES + (kind === KIND_REPEATED ? 1 : header >>> 3)
    isLast = (header & 1) === 1
  }
  if (at + endBytes > stored.length) return 'it is cut off'
  return at + endBytes < stored.length ? 'something follows its end' : undefined
}

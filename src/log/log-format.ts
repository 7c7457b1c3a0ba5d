/**
 * The framing of a log file: the write-ahead log's and the MANIFEST's alike.
 *
 * Format   file    := block × n           each 32 KiB, the last may be shorter
 *          block   := fragment × n | trailer
 *          fragment:= crc u32le | length u16le | type u8 | payload
 *          trailer := fewer than 7 zero bytes, where no header fits
 * crc is the masked CRC-32C of type and payload. A record is one FULL fragment, or FIRST, MIDDLE × n, LAST.
 * Source   google/leveldb doc/log_format.md
 */
import { getFixed32 } from '../base/coding.ts'
import { crc32c, unmaskCrc } from '../base/crc32c.ts'
import type { Bytes } from '../base/types.ts'

export const BLOCK_BYTES = 32768
/** crc, length, type. */
export const HEADER_BYTES = 7

/** Type 0, length 0 is what a preallocated or never-written region reads as. */
export const ZERO = 0
export const FULL = 1
export const FIRST = 2
export const MIDDLE = 3
export const LAST = 4

/** The type of the fragment at bytes[at], which has a whole header. */
export function fragmentType(bytes: Bytes, at: number): number {
  return bytes[at + 6]
}

/** Bytes of its payload. */
export function fragmentLength(bytes: Bytes, at: number): number {
  return bytes[at + 4] | (bytes[at + 5] << 8)
}

/** Whether its checksum is right; all of its payload is there. */
export function isIntact(bytes: Bytes, at: number): boolean {
  return crc32c(bytes, at + 6, fragmentLength(bytes, at) + 1) === unmaskCrc(getFixed32(bytes, at))
}

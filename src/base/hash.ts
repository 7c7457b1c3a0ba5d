/**
 * LevelDB's 32-bit hash, for its Bloom filters. Part of the table format: never change.
 * Source   google/leveldb util/hash.cc (bytes taken as unsigned)
 */
import type { Bytes } from './types.ts'

const MULTIPLIER = 0xc6a4a793

/** Hash of bytes[offset, offset + length), as an unsigned 32-bit integer; computed in signed ones, which have the same bits. */
export function hash32(bytes: Bytes, offset: number, length: number, seed: number): number {
  const end = offset + length
  let h = seed ^ Math.imul(length, MULTIPLIER)
  let i = offset
  for (; i + 4 <= end; i += 4) {
    const word = bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24)
    h = Math.imul((h + word) | 0, MULTIPLIER)
    h ^= h >>> 16
  }
  const rest = end - i
  if (rest === 0) return h >>> 0
  let word = bytes[i]
  if (rest >= 2) word |= bytes[i + 1] << 8
  if (rest === 3) word |= bytes[i + 2] << 16
  h = Math.imul((h + word) | 0, MULTIPLIER)
  return (h ^ (h >>> 24)) >>> 0
}

/**
 * LevelDB's 32-bit hash, for its Bloom filters. Part of the table format: never change.
 * Source   google/leveldb util/hash.cc (bytes taken as unsigned)
 */
import { getFixed32 } from './coding.ts'
import type { Bytes } from './types.ts'

const MULTIPLIER = 0xc6a4a793

/** Hash of bytes[offset, offset + length), as an unsigned 32-bit integer. */
export function hash32(bytes: Bytes, offset: number, length: number, seed: number): number {
  const end = offset + length
  let h = (seed ^ Math.imul(length, MULTIPLIER)) >>> 0
  let i = offset
  for (; i + 4 <= end; i += 4) {
    h = Math.imul(h + getFixed32(bytes, i), MULTIPLIER)
    h ^= h >>> 16
  }
  const rest = end - i
  if (rest === 0) return h >>> 0
  if (rest === 3) h += bytes[i + 2] << 16
  if (rest >= 2) h += bytes[i + 1] << 8
  h = Math.imul(h + bytes[i], MULTIPLIER)
  return (h ^ (h >>> 24)) >>> 0
}

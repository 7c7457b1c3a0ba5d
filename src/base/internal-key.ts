/**
 * InternalKey: a user key with the sequence number and type of one entry.
 *
 * Format   user key ‖ tag; tag := u64le( sequence << 8 | type )
 * Order    user key ascending, then tag descending: of one key, the newest entry comes first
 *
 * A tag travels as two unsigned 32-bit halves, (tagLow, tagHigh): 64-bit compares on halves cost 2 ns, BigInt 28 ns
 * (measured). Separators in LevelDB's index blocks carry the sequence 2^56 − 1, which is no safe integer; halves hold
 * it, so keys are compared as halves, and only entries are decoded to a SequenceNumber.
 * Source   google/leveldb db/dbformat.h
 */
import { copyBytes } from './bytes.ts'
import { getFixed32, putFixed32 } from './coding.ts'
import type { Comparator } from './comparator.ts'
import type { Bytes, SequenceNumber } from './types.ts'
import * as ValueType from './value-type.ts'

/** Bytes of a tag. */
export const TAG_BYTES = 8
/** High half of the largest tag, which sorts before every other tag of its user key. */
export const MAX_TAG_HIGH = 0xffffffff
/** Low half of the largest tag that LevelDB builds: sequence 2^56 − 1, type VALUE. */
export const MAX_TAG_LOW: number = 0xffffff00 + ValueType.VALUE

const TWO_24 = 2 ** 24

export function tagLow(sequence: number, type: number): number {
  return ((sequence << 8) | type) >>> 0
}

export function tagHigh(sequence: number): number {
  return Math.floor(sequence / TWO_24)
}

/** The sequence number of a tag; the caller has checked {@link tagIsValid}. */
export function tagSequence(low: number, high: number): SequenceNumber {
  return (high * TWO_24 + (low >>> 8)) as SequenceNumber
}

export function tagType(low: number): number {
  return low & 0xff
}

/** Whether a tag is one that an entry may have: a known type, and a sequence within 2^53 − 1. */
export function tagIsValid(low: number, high: number): boolean {
  return (low & 0xff) <= ValueType.VALUE && high < 0x20000000
}

/** Order of two tags of one user key: the larger (newer) tag first. */
export function compareTags(aLow: number, aHigh: number, bLow: number, bHigh: number): number {
  return aHigh !== bHigh ? bHigh - aHigh : bLow - aLow
}

/** Whether a tag has a greater sequence number than another, whatever their types are. */
export function isLater(low: number, high: number, thanLow: number, thanHigh: number): boolean {
  return high !== thanHigh ? high > thanHigh : low >>> 8 > thanLow >>> 8
}

/** Order of two encoded internal keys, each at least TAG_BYTES long. */
export function compareInternalKeys(comparator: Comparator, a: Bytes, b: Bytes): number {
  const aLen = a.length - TAG_BYTES
  const bLen = b.length - TAG_BYTES
  const order = comparator.compare(a, 0, aLen, b, 0, bLen)
  if (order !== 0) return order
  return compareTags(getFixed32(a, aLen), getFixed32(a, aLen + 4), getFixed32(b, bLen), getFixed32(b, bLen + 4))
}

/** An encoded internal key in memory of its own. */
export function encodeInternalKey(
  key: Bytes,
  keyOff: number,
  keyLen: number,
  low: number,
  high: number,
): Uint8Array<ArrayBuffer> {
  const encoded = new Uint8Array(keyLen + TAG_BYTES)
  copyBytes(key, keyOff, encoded, 0, keyLen)
  putFixed32(encoded, keyLen, low)
  putFixed32(encoded, keyLen + 4, high)
  return encoded
}

/** The user key of an encoded internal key, as a view. */
export function userKey(internalKey: Bytes): Bytes {
  return internalKey.subarray(0, internalKey.length - TAG_BYTES)
}

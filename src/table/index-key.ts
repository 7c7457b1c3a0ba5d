/**
 * The keys of an index block: internal keys that lie between the entries of one data block and those of the next, and are
 * short. Where a user key is shortened it gets the largest tag, which sorts before all entries of that user key.
 * Source   google/leveldb db/dbformat.cc InternalKeyComparator
 */
import type { Comparator } from '../base/comparator.ts'
import { encodeInternalKey, MAX_TAG_HIGH, MAX_TAG_LOW, TAG_BYTES, userKey } from '../base/internal-key.ts'
import type { Bytes } from '../base/types.ts'

/**
 * An internal key k with start ≤ k < every internal key of the user key `limit` after start, which is encoded; `start` itself if none
 * is shorter.
 */
export function shortestSeparator(comparator: Comparator, start: Bytes, limit: Bytes): Bytes {
  return shorterOr(comparator, start, comparator.shortestSeparator(userKey(start), limit))
}

/** An internal key k ≥ key, an encoded internal key; `key` itself if none is shorter. */
export function shortSuccessor(comparator: Comparator, key: Bytes): Bytes {
  return shorterOr(comparator, key, comparator.shortSuccessor(userKey(key)))
}

function shorterOr(comparator: Comparator, key: Bytes, candidate: Bytes): Bytes {
  const userLength = key.length - TAG_BYTES
  const isShorter = candidate.length < userLength
  const isGreater = isShorter && comparator.compare(key, 0, userLength, candidate, 0, candidate.length) < 0
  return isGreater ? encodeInternalKey(candidate, 0, candidate.length, MAX_TAG_LOW, MAX_TAG_HIGH) : key
}

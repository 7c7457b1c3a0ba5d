/**
 * FilterPolicy: a small summary of a set of user keys that answers "certainly not" or "perhaps". Its name is stored in the
 * table, and a filter is asked only under the policy that made it.
 * Source   google/leveldb include/leveldb/filter_policy.h
 */
import type { Bytes } from '../base/types.ts'

export interface FilterPolicy {
  /** Stored in tables; LevelDB's Bloom filter is `leveldb.BuiltinBloomFilter2`. Changes whenever the encoding does. */
  readonly name: string
  /** What goes into a filter of a user key: an unsigned 32-bit integer. */
  hash(key: Bytes, keyOff: number, keyLen: number): number
  /**
   * The filter of the keys that have the first `count` of these hashes.
   * @param count at least 1; the same key may come several times
   */
  createFilter(hashes: Uint32Array, count: number): Bytes
  /** False only if the key is not among those that filter[filterOff, +filterLen) was made of. Allocates nothing. */
  keyMayMatch(key: Bytes, keyOff: number, keyLen: number, filter: Bytes, filterOff: number, filterLen: number): boolean
}

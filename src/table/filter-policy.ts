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
  /** Bytes of a filter of so many keys. */
  filterBytes(count: number): number
  /**
   * Make the filter of the keys that have the first `count` of these hashes, in filter[filterOff, +filterBytes(count)), which is zeros.
   * @param count at least 1; the same key may come several times
   */
  makeFilter(hashes: Uint32Array, count: number, filter: Uint8Array, filterOff: number): void
  /** False only if the key is not among those that filter[filterOff, +filterLen) was made of. Allocates nothing. */
  keyMayMatch(key: Bytes, keyOff: number, keyLen: number, filter: Bytes, filterOff: number, filterLen: number): boolean
}

/**
 * FilterPolicy: a small summary of a set of user keys that answers "certainly not" or "perhaps". Its name is stored in the
 * table, and a filter is asked only under the policy that made it.
 * Source   google/leveldb include/leveldb/filter_policy.h
 */
import type { Bytes } from '../base/types.ts'

export interface FilterPolicy {
  /** Stored in tables; LevelDB's Bloom filter is `leveldb.BuiltinBloomFilter2`. Changes whenever the encoding does. */
  readonly name: string
  /**
   * The filter of `count` keys, one after another in `keys`: key i is keys[starts[i], starts[i + 1]).
   * @param count at least 1; the same key may come several times
   */
  createFilter(keys: Bytes, starts: readonly number[], count: number): Bytes
  /** False only if the key is not among those that filter[filterOff, +filterLen) was made of. Allocates nothing. */
  keyMayMatch(key: Bytes, keyOff: number, keyLen: number, filter: Bytes, filterOff: number, filterLen: number): boolean
}

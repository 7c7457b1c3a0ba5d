/**
 * BloomFilter: LevelDB's built-in filter policy.
 *
 * Format   filter := bit array ‖ probe count u8; bit i is bit (i mod 8) of byte (i div 8). A key sets one bit for each of
 *          its probes: h, h + delta, h + 2·delta, …, modulo the number of bits, where h = hash32(key, SEED) and delta is h
 *          rotated right by 17.
 * Source   google/leveldb util/bloom.cc
 */
import { assert } from '../base/assert.ts'
import { hash32 } from '../base/hash.ts'
import type { Bytes } from '../base/types.ts'
import type { FilterPolicy } from './filter-policy.ts'

const SEED = 0xbc9f1d34
/** Smaller filters would answer "perhaps" too often. */
const MIN_BITS = 64
/** Larger probe counts are reserved for other encodings. */
const MAX_PROBES = 30
/** A little less than ln 2, as LevelDB rounds it: the share of bits that makes the fewest false answers. */
const PROBES_PER_BIT = 0.69

export class BloomFilter implements FilterPolicy {
  readonly name: string = 'leveldb.BuiltinBloomFilter2'
  readonly #bitsPerKey: number
  readonly #probes: number

  /** @param bitsPerKey a positive integer; 10 gives about 1 % false answers */
  constructor(bitsPerKey: number) {
    assert(Number.isInteger(bitsPerKey) && bitsPerKey > 0, 'bits per key are a positive integer')
    this.#bitsPerKey = bitsPerKey
    this.#probes = Math.min(MAX_PROBES, Math.max(1, Math.trunc(bitsPerKey * PROBES_PER_BIT)))
  }

  hash(key: Bytes, keyOff: number, keyLen: number): number {
    return hash32(key, keyOff, keyLen, SEED)
  }

  filterBytes(count: number): number {
    const bits = count * this.#bitsPerKey
    return ((bits < MIN_BITS ? MIN_BITS : bits) + 15) >>> 3
  }

  makeFilter(hashes: Uint32Array, count: number, filter: Uint8Array, filterOff: number): void {
    const bytes = this.filterBytes(count) - 1
    filter[filterOff + bytes] = this.#probes
    const bits = bytes * 8
    const inverse = 1 / bits
    for (let i = 0; i < count; i++) this.#set(filter, filterOff, bits, inverse, hashes[i])
  }

  keyMayMatch(
    key: Bytes,
    keyOff: number,
    keyLen: number,
    filter: Bytes,
    filterOff: number,
    filterLen: number,
  ): boolean {
    const bytes = filterLen - 1
    if (bytes < 1) return false
    const probes = filter[filterOff + bytes]
    if (probes > MAX_PROBES) return true
    // An unsigned integer for the compiler too: the remainder of doubles takes far longer.
    const bits = (bytes * 8) >>> 0
    let hash = hash32(key, keyOff, keyLen, SEED)
    const delta = rotate17(hash)
    for (let i = 0; i < probes; i++) {
      const bit = hash % bits
      if ((filter[filterOff + (bit >>> 3)] & (1 << (bit & 7))) === 0) return false
      hash = (hash + delta) >>> 0
    }
    return true
  }

  /**
   * The remainders are found by multiplying, since the processor divides one after another. The quotient is exact: adding a half keeps
   * (hash + 1/2) / bits at least 1 / 2 bits away from an integer, and the product is off by less than 2^-19 / bits.
   */
  #set(filter: Uint8Array, filterOff: number, bits: number, inverse: number, first: number): void {
    const probes = this.#probes
    const delta = rotate17(first)
    let hash = first
    for (let i = 0; i < probes; i++) {
      const bit = (hash - Math.imul(((hash + 0.5) * inverse) | 0, bits)) | 0
      filter[filterOff + (bit >>> 3)] |= 1 << (bit & 7)
      hash = (hash + delta) >>> 0
    }
  }
}

function rotate17(hash: number): number {
  return ((hash >>> 17) | (hash << 15)) >>> 0
}

/**
 * Comparator: the order of user keys, and the short keys that an index may use in place of long ones. Its name is stored
 * in the MANIFEST, and a database opens only with the comparator it was created with.
 * Source   google/leveldb util/comparator.cc
 */
import { commonPrefixLength, compareBytes } from './bytes.ts'
import { InvalidArgumentError } from './errors.ts'
import type { Bytes } from './types.ts'

/** An order of keys, as the engine uses it: on parts of buffers. */
export interface Comparator {
  /** Stored in the MANIFEST. LevelDB's own order is `leveldb.BytewiseComparator`. */
  readonly name: string
  /** Negative, 0 or positive as a[aOff, +aLen) sorts before, equal to or after b[bOff, +bLen). */
  compare(a: Bytes, aOff: number, aLen: number, b: Bytes, bOff: number, bLen: number): number
  /** A key k with start ≤ k < limit, as short as is easy to find; `start` itself is always right. */
  shortestSeparator(start: Bytes, limit: Bytes): Bytes
  /** A key k ≥ key, as short as is easy to find; `key` itself is always right. */
  shortSuccessor(key: Bytes): Bytes
}

/** Order of two keys that are arrays of their own. */
export function compareKeys(comparator: Comparator, a: Bytes, b: Bytes): number {
  return comparator.compare(a, 0, a.length, b, 0, b.length)
}

/** Unsigned lexicographic order of bytes: LevelDB's default, and varve's. */
export const bytewiseComparator: Comparator = {
  name: 'leveldb.BytewiseComparator',

  compare: compareBytes,

  shortestSeparator(start: Bytes, limit: Bytes): Bytes {
    const i = commonPrefixLength(start, 0, start.length, limit, 0, limit.length)
    if (i >= start.length || i >= limit.length) return start
    const byte = start[i]
    if (byte === 0xff || byte + 1 >= limit[i]) return start
    const separator = start.slice(0, i + 1)
    separator[i] = byte + 1
    return separator
  },

  shortSuccessor(key: Bytes): Bytes {
    const i = key.findIndex((byte) => byte !== 0xff)
    if (i < 0) return key
    const successor = key.slice(0, i + 1)
    successor[i]++
    return successor
  },
}

/** An order of keys of your own: the option `comparator`. */
export interface KeyOrder {
  /** Stored in the database. Must not start with `leveldb.`, `rocksdb.` or `varve.` */
  readonly name: string
  /**
   * Negative, 0 or positive as `a` sorts before, equal to or after `b`. Must be a total order, and stay the same for ever; keys for
   * which it is 0 are one key, shown in the bytes of any of its writes. The arguments are borrowed until it returns. A key for which
   * it throws, or which it does not find equal to itself, is not written. Any answer but a number is an InvalidArgumentError.
   */
  compare(a: Uint8Array, b: Uint8Array): number
}

/** Whether a name is none that users may give to their orders. */
export function isReservedName(name: string): boolean {
  return /^(leveldb|rocksdb|varve)\.|^$/.test(name)
}

/**
 * A comparator from a user's order; indexes keep whole keys, since only the user could shorten them. Its `compare` throws
 * InvalidArgumentError if the order answers anything but a number: every comparison with `<` would then say no.
 */
export function customComparator(order: KeyOrder): Comparator {
  return {
    name: order.name,
    compare(a, aOff, aLen, b, bOff, bLen) {
      const answer: unknown = order.compare(a.subarray(aOff, aOff + aLen), b.subarray(bOff, bOff + bLen))
      if (typeof answer === 'number' && !Number.isNaN(answer)) return answer
      const what = Object(answer) === answer ? typeof answer : String(answer)
      throw new InvalidArgumentError(`the comparator ${order.name} must return a number, not ${what}`)
    },
    shortestSeparator: (start) => start,
    shortSuccessor: (key) => key,
  }
}

/**
 * Before a key is written: an order of the caller's own may not be able to place it, since the key has another form than the others, or
 * the order is none. In a log such a key would keep the log from being replayed for ever.
 * @throws InvalidArgumentError if the order throws for the key, or does not answer 0 for it and itself
 */
export function checkComparable(comparator: Comparator, key: Bytes, offset: number, length: number): void {
  if (comparator === bytewiseComparator) return
  let order: number
  try {
    order = comparator.compare(key, offset, length, key, offset, length)
  } catch (cause) {
    if (cause instanceof InvalidArgumentError) throw cause
    throw new InvalidArgumentError('the comparator throws for a key', { cause })
  }
  if (order !== 0) throw new InvalidArgumentError('the comparator must return 0 for a key and itself')
}

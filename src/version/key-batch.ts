/**
 * KeyBatch: keys that are looked up together. They are asked in ascending order, table by table, so that each table is
 * visited once and in it each block once; a key that a layer knows leaves the batch.
 *
 * Invariant  pending[0, count) are the numbers of the keys that no layer has known so far, in ascending order of the keys
 * Source     for the sort's prefixes: Nyberg and others, AlphaSort (1994)
 */
import { bytewiseComparator, type Comparator } from '../base/comparator.ts'
import { TAG_BYTES } from '../base/internal-key.ts'
import * as Lookup from '../base/lookup.ts'
import type { Bytes, SequenceNumber } from '../base/types.ts'
import type { TableLookup } from './version.ts'

/** Where the values of a batch's keys go; the bytes are borrowed until return. */
export interface ManySink {
  takeOne(number: number, bytes: Bytes, offset: number, length: number): void
}

/** As many bytes as a number holds exactly. */
const PREFIX_BYTES = 6

export class KeyBatch {
  count: number
  readonly #comparator: Comparator
  readonly #keys: readonly Bytes[]
  readonly #pending: Int32Array

  /**
   * @param keys    by number
   * @param pending the numbers of those that are to be looked up, in any order; becomes the batch's
   */
  constructor(comparator: Comparator, keys: readonly Bytes[], pending: Int32Array) {
    this.#comparator = comparator
    this.#keys = keys
    this.#pending = comparator === bytewiseComparator ? sortBytewise(keys, pending) : sort(comparator, keys, pending)
    this.count = pending.length
  }

  key(index: number): Bytes {
    return this.#keys[this.#pending[index]]
  }

  /** Index of the first key at or after `begin` that is ≥ the user key of an encoded internal key. */
  firstFrom(begin: number, internalKey: Bytes): number {
    return this.#search(begin, internalKey, 0)
  }

  /** Index of the first key at or after `begin` that is > the user key of an encoded internal key. */
  firstAfter(begin: number, internalKey: Bytes): number {
    return this.#search(begin, internalKey, 1)
  }

  /**
   * Look up the keys [begin, limit) in a table; those that it knows leave.
   * @returns the index after those that stay
   */
  ask(table: TableLookup, begin: number, limit: number, sequence: SequenceNumber, sink: ManySink): number {
    const pending = this.#pending
    let kept = begin
    for (let i = begin; i < limit; i++) {
      const number = pending[i]
      const key = this.#keys[number]
      const answer = table.lookup(key, 0, key.length, sequence)
      if (answer === Lookup.ABSENT) pending[kept++] = number
      else if (answer === Lookup.FOUND) sink.takeOne(number, table.valBuf, table.valOff, table.valLen)
    }
    pending.copyWithin(kept, limit, this.count)
    this.count -= limit - kept
    return kept
  }

  /** Index of the first key at or after `begin` whose order to the user key is at least `order`. */
  #search(begin: number, internalKey: Bytes, order: number): number {
    const length = internalKey.length - TAG_BYTES
    let low = begin
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      const key = this.key(middle)
      if (this.#comparator.compare(key, 0, key.length, internalKey, 0, length) < order) low = middle + 1
      else high = middle
    }
    return low
  }
}

function sort(comparator: Comparator, keys: readonly Bytes[], numbers: Int32Array): Int32Array {
  return numbers.sort((a, b) => comparator.compare(keys[a], 0, keys[a].length, keys[b], 0, keys[b].length))
}

/** As sort, in the order of bytes: most comparisons are of numbers that hold the first bytes after what all keys share. */
function sortBytewise(keys: readonly Bytes[], numbers: Int32Array): Int32Array {
  if (numbers.length < 2) return numbers
  const shared = sharedLength(keys, numbers)
  const prefixes = new Float64Array(keys.length)
  for (const number of numbers) prefixes[number] = prefixAt(keys[number], shared)
  const { compare } = bytewiseComparator
  return numbers.sort(
    (a, b) => prefixes[a] - prefixes[b] || compare(keys[a], 0, keys[a].length, keys[b], 0, keys[b].length),
  )
}

function sharedLength(keys: readonly Bytes[], numbers: Int32Array): number {
  const first = keys[numbers[0]]
  let shared = first.length
  for (const number of numbers) {
    const key = keys[number]
    if (key.length < shared) shared = key.length
    let i = 0
    while (i < shared && key[i] === first[i]) i++
    shared = i
  }
  return shared
}

function prefixAt(key: Bytes, offset: number): number {
  let prefix = 0
  for (let i = offset; i < offset + PREFIX_BYTES; i++) prefix = prefix * 256 + (i < key.length ? key[i] : 0)
  return prefix
}

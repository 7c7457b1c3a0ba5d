/**
 * Dataset: the keys and values of a benchmark, the order in which a workload uses them, and what must be read back. All of
 * it is made before the clock starts, from one seed, and is the same for both engines.
 *
 * Format   key := 16 decimal digits of its index, so that index order is byte order; missing key := 15 digits and '.', which
 *          sorts between two keys that exist. Values are drawn from a pool of 4,096 random strings of 100 bytes.
 */
import { crc32c } from '../src/base/crc32c.ts'
import { Prng } from '../src/base/prng.ts'
import type { Bytes } from '../src/base/types.ts'
import { Tally } from './tally.ts'
import type { Order, Workload } from './workloads.ts'

export const KEY_BYTES = 16
export const VALUE_BYTES = 100
const POOL_COUNT = 4096
const NONE = -1
/** Spreads consecutive numbers: 2^32 divided by it, made odd. */
const GOLDEN_RATIO = 0x9e3779b1

/** Operations in order: the i-th one is of keys[i], and writes values[i]. */
export interface Operations {
  readonly keys: Bytes[]
  readonly values: Bytes[]
}

export class Dataset {
  /** What the database is filled with before the clock starts; empty for a workload that fills it itself. */
  readonly before: Operations = { keys: [], values: [] }
  readonly timed: Operations = { keys: [], values: [] }
  /** What the timed part must have read. */
  readonly expected: Tally = new Tally()
  readonly isReverse: boolean

  readonly #keys: Bytes[]
  readonly #pool: Bytes[] = []
  /** For each key the pool index of its value in the end, or NONE. */
  readonly #contents: Int32Array
  readonly #prng: Prng

  /**
   * @param keyCount distinct keys
   * @param operationCount operations of the timed part; a scan has one for each key
   */
  constructor(workload: Workload, keyCount: number, operationCount: number, seed: number) {
    this.isReverse = workload.order === 'descending'
    this.#prng = new Prng(seed)
    this.#keys = makeKeys(keyCount)
    this.#contents = new Int32Array(keyCount).fill(NONE)
    this.#makePool()
    if (workload.start !== 'empty') this.#addWrites(this.before, shuffled(keyCount, this.#prng))
    const order = this.#order(workload.order, operationCount)
    if (workload.kind === 'write') this.#addWrites(this.timed, order)
    else if (workload.kind === 'scan') this.#expectScan(order)
    else if (workload.kind === 'get') this.#addReads(order, workload.order === 'missing')
  }

  /** Entries that the database holds in the end. */
  get entryCount(): number {
    return this.#contents.reduce((count, value) => (value === NONE ? count : count + 1), 0)
  }

  /** Checksum of every byte that the database holds in the end, in key order. */
  get contentsChecksum(): number {
    let sum = 0
    this.#contents.forEach((value, i) => {
      if (value !== NONE) sum = entryChecksum(sum, this.#keys[i], this.#pool[value])
    })
    return sum
  }

  #makePool(): void {
    for (let i = 0; i < POOL_COUNT; i++) {
      const value = new Uint8Array(VALUE_BYTES)
      for (let j = 0; j < VALUE_BYTES; j++) value[j] = this.#prng.below(256)
      this.#pool.push(value)
    }
  }

  #order(order: Order, count: number): Uint32Array {
    const indexes = new Uint32Array(count)
    const keyCount = this.#keys.length
    for (let i = 0; i < count; i++) {
      if (order === 'ascending') indexes[i] = i
      else if (order === 'descending') indexes[i] = keyCount - 1 - i
      else indexes[i] = this.#prng.below(keyCount)
    }
    return indexes
  }

  /**
   * A key that comes again gets the same value again: of several writes at once classic-level completes any one last, so
   * with different values nothing could be said of what it holds in the end.
   */
  #addWrites({ keys, values }: Operations, order: Uint32Array): void {
    const salt = this.#prng.below(POOL_COUNT)
    for (const index of order) {
      const value = ((Math.imul(index, GOLDEN_RATIO) >>> 12) + salt) % POOL_COUNT
      keys.push(this.#keys[index])
      values.push(this.#pool[value])
      this.#contents[index] = value
    }
  }

  #addReads(order: Uint32Array, isMissing: boolean): void {
    const missing = isMissing ? makeMissingKeys(this.#keys) : []
    for (const index of order) {
      this.timed.keys.push(isMissing ? missing[index] : this.#keys[index])
      if (!isMissing) this.expected.addValue(this.#pool[this.#contents[index]])
    }
  }

  #expectScan(order: Uint32Array): void {
    for (const index of order) this.expected.addEntry(this.#keys[index], this.#pool[this.#contents[index]])
  }
}

/** Checksum of all bytes of an entry, going on from that of the entries before it. */
export function entryChecksum(sum: number, key: Bytes, value: Bytes): number {
  return crc32c(value, 0, value.length, crc32c(key, 0, key.length, sum))
}

/** Views of one slab: what a program holds that has read its keys from somewhere. */
function makeKeys(count: number): Bytes[] {
  const slab = new Uint8Array(count * KEY_BYTES)
  const keys: Bytes[] = []
  for (let i = 0; i < count; i++) {
    const key = slab.subarray(i * KEY_BYTES, (i + 1) * KEY_BYTES)
    for (let at = KEY_BYTES - 1, rest = i; at >= 0; at--, rest = Math.floor(rest / 10)) key[at] = 0x30 + (rest % 10)
    keys.push(key)
  }
  return keys
}

function makeMissingKeys(keys: readonly Bytes[]): Bytes[] {
  return keys.map((key) => {
    const missing = key.slice()
    missing[KEY_BYTES - 1] = 0x2e
    return missing
  })
}

/** The indexes below `count`, in random order. */
function shuffled(count: number, prng: Prng): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i)
  for (let i = count - 1; i > 0; i--) {
    const j = prng.below(i + 1)
    const index = order[i]
    order[i] = order[j]
    order[j] = index
  }
  return order
}

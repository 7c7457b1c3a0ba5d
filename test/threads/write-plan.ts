/**
 * WritePlan: a long random history, made from a seed by whoever needs it: the writer, to write it, and readers, to know what a
 * table may hold after each of its batches. A state is a number of batches; what a reader sees is compared with the states
 * in which it would see just that, and these are an interval.
 */
import { getFixed32, putFixed32 } from '../../src/base/coding.ts'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { hash32 } from '../../src/base/hash.ts'
import { Prng } from '../../src/base/prng.ts'
import { type Bytes, sequenceNumber } from '../../src/base/types.ts'
import * as ValueType from '../../src/base/value-type.ts'
import type { MemTable } from '../../src/memtable/memtable.ts'

const BATCHES = 10_000
const KEYS_MAX = 2000
const WRITES_MAX = 8
/** Most writes go to few keys, so that chains grow and batches overlap. */
const HOT_KEYS = 12
const RANGE_KEYS_MAX = 12
/** Prime, so that new keys go everywhere, and every one gets its turn. */
const STRIDE = 1237

/** What changed a key: the last one of each batch that did. */
interface Changes {
  readonly batches: number[]
  readonly sequences: number[]
  readonly areValues: boolean[]
}

interface Write {
  readonly type: number
  readonly key: number
  /** Of a range: the first key that it does not cover. */
  readonly limit: number
}

/** All numbers of a table, after some number of batches. */
interface Numbers {
  readonly entries: number
  readonly keys: number
  readonly tombstones: number
  readonly rangeTombstones: number
  readonly largest: number
}

export class WritePlan {
  readonly batches: number
  /** In order; all of them are written, if late. */
  readonly keys: readonly Uint8Array<ArrayBuffer>[]
  /** Of each key: by writes to it and by ranges over it; and by the former alone. */
  readonly changes: readonly Changes[]
  readonly versions: readonly Changes[]
  readonly numbers: Numbers[]
  /** The largest sequence of each state. */
  readonly lastSequences: number[]
  readonly #writes: Write[][]

  constructor(seed: number) {
    const prng = new Prng(seed)
    this.batches = BATCHES
    this.keys = randomKeys(prng)
    this.changes = this.keys.map(() => ({ batches: [], sequences: [], areValues: [] }))
    this.versions = this.keys.map(() => ({ batches: [], sequences: [], areValues: [] }))
    this.numbers = [{ entries: 0, keys: 0, tombstones: 0, rangeTombstones: 0, largest: 0 }]
    this.lastSequences = [0]
    this.#writes = [[]]
    for (let batch = 1; batch <= BATCHES; batch++) this.#addBatch(prng, batch)
  }

  /** Write a batch, and publish it. */
  write(table: MemTable, batch: number): void {
    let sequence = this.lastSequences[batch - 1]
    for (const { type, key, limit } of this.#writes[batch]) {
      const bytes = this.keys[key]
      sequence++
      const value = type === ValueType.RANGE_DELETION ? this.keys[limit] : valueFor(bytes, sequence)
      table.add(sequenceNumber(sequence), type, bytes, 0, bytes.length, value, 0, value.length)
    }
    table.publish()
  }

  #addBatch(prng: Prng, batch: number): void {
    const writes: Write[] = []
    let { entries, keys, tombstones, rangeTombstones, largest } = this.numbers[batch - 1]
    for (let count = 1 + prng.below(WRITES_MAX); count > 0; count--) {
      const write = this.#randomWrite(prng, batch)
      largest++
      writes.push(write)
      if (write.type === ValueType.RANGE_DELETION) {
        rangeTombstones++
        for (let key = write.key; key < write.limit; key++) change(this.changes[key], batch, largest, false)
        continue
      }
      const isValue = write.type === ValueType.VALUE
      entries++
      if (this.versions[write.key].batches.length === 0) keys++
      if (!isValue) tombstones++
      change(this.versions[write.key], batch, largest, isValue)
      change(this.changes[write.key], batch, largest, isValue)
    }
    this.#writes.push(writes)
    this.numbers.push({ entries, keys, tombstones, rangeTombstones, largest })
    this.lastSequences.push(largest)
  }

  #randomWrite(prng: Prng, batch: number): Write {
    // Keys come one after the other, spread over the plan.
    const fresh = Math.floor((batch * this.keys.length) / BATCHES)
    const isHot = prng.below(2) === 0
    const key = isHot ? prng.below(HOT_KEYS) * 7 : (prng.below(fresh + 1) * STRIDE) % this.keys.length
    const dice = prng.below(100)
    if (dice >= 97) {
      const limit = Math.min(this.keys.length - 1, key + 1 + prng.below(RANGE_KEYS_MAX))
      if (limit > key) return { type: ValueType.RANGE_DELETION, key, limit }
    }
    return { type: dice < 15 ? ValueType.DELETION : ValueType.VALUE, key, limit: 0 }
  }
}

function change({ batches, sequences, areValues }: Changes, batch: number, sequence: number, isValue: boolean): void {
  const last = batches.at(-1) === batch ? batches.length - 1 : batches.length
  batches[last] = batch
  sequences[last] = sequence
  areValues[last] = isValue
}

/** Short ones and long ones, which share beginnings, and end inside one another. */
function randomKeys(prng: Prng): Uint8Array<ArrayBuffer>[] {
  const keys = new Map<string, Uint8Array<ArrayBuffer>>()
  const symbols = 2 + prng.below(40)
  while (keys.size < KEYS_MAX) {
    const key = Uint8Array.from({ length: 1 + prng.below(14) }, () => prng.below(symbols) * 6)
    keys.set(key.join(), key)
  }
  return [...keys.values()].sort((a, b) => bytewiseComparator.compare(a, 0, a.length, b, 0, b.length))
}

/** Sequence, a hash of it and the key, and a filling. */
function valueFor(key: Bytes, sequence: number): Uint8Array<ArrayBuffer> {
  const value = new Uint8Array(8 + (sequence % 40))
  putFixed32(value, 0, sequence)
  putFixed32(value, 4, hash32(key, 0, key.length, sequence))
  return value.fill(sequence, 8)
}

/** Index of a number in an ascending list, or −1. */
export function placeOf(ascending: readonly number[], sought: number): number {
  let begin = 0
  let end = ascending.length
  while (begin < end) {
    const middle = (begin + end) >>> 1
    if (ascending[middle] < sought) begin = middle + 1
    else end = middle
  }
  return ascending[begin] === sought ? begin : -1
}

/** Whether a value is whole, and the one that was written with this key and sequence. */
export function isValueOf(key: Bytes, sequence: number, buffer: Bytes, offset: number, length: number): boolean {
  if (length !== 8 + (sequence % 40) || getFixed32(buffer, offset) !== sequence) return false
  if (getFixed32(buffer, offset + 4) !== hash32(key, 0, key.length, sequence)) return false
  for (let i = offset + 8; i < offset + length; i++) if (buffer[i] !== (sequence & 0xff)) return false
  return true
}

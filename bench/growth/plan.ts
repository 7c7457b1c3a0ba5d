/**
 * Plan: what a growth run does, and with which data: a database that is filled in random order, overwritten, partly
 * deleted, and read, twice, in segments that both engines run in turn. All of it follows from a few numbers, so nothing of
 * the size of the database is kept but one byte a key.
 *
 * Format   key := 16 decimal digits of its index; value := 100 bytes of a pool, at a place that key and segment decide
 */
import { Prng } from '../../src/base/prng.ts'
import type { Bytes } from '../../src/base/types.ts'

export type PhaseName = 'fillrandom' | 'overwrite' | 'delete' | 'readrandom' | typeof CACHED

/** Reads of a database that was opened again, with a large block cache. */
export const CACHED = 'readrandom, cached'

/** Operations of one phase and one engine between two looks at the figures. */
export interface Segment {
  readonly index: number
  readonly phase: PhaseName
  readonly begin: number
  readonly limit: number
}

export interface PlanOptions {
  readonly entries: number
  readonly seed: number
}

/** Operations of each phase, as a share of the entries. */
const PHASES: readonly (readonly [PhaseName, number])[] = [
  ['fillrandom', 1],
  ['overwrite', 0.5],
  ['delete', 0.25],
  ['readrandom', 0.25],
  [CACHED, 0.25],
]
const SEGMENTS_OF_FILL = 20
export const KEY_BYTES = 16
export const VALUE_BYTES = 100
const POOL_BYTES = 1 << 20
/** Products of two numbers below it are exact. */
const ENTRIES_MAX = 90_000_000
const GOLDEN_RATIO = 0x9e3779b1
/** In `generations`: the key is not there. */
const ABSENT = 0

export class Plan {
  readonly entries: number
  readonly segments: readonly Segment[]
  readonly #seed: number
  readonly #pool: Uint8Array<ArrayBuffer>
  /** For each key the segment that wrote it last, plus 1; ABSENT if none did, or one deleted it. */
  readonly #generations: Uint8Array
  readonly #multiplier: number

  constructor({ entries, seed }: PlanOptions) {
    if (entries > ENTRIES_MAX) throw new Error(`at most ${ENTRIES_MAX} entries, not ${entries}`)
    this.entries = entries
    this.#seed = seed
    this.segments = segmentsOf(entries)
    this.#generations = new Uint8Array(entries)
    this.#multiplier = coprimeNear(entries, Math.floor(entries * 0.6180339887))
    const prng = new Prng(seed)
    this.#pool = new Uint8Array(POOL_BYTES)
    for (let i = 0; i < POOL_BYTES; i++) this.#pool[i] = prng.below(256)
  }

  /** Which key operation `operation` of a segment is of. The fill takes every key once; the rest takes random ones. */
  keyIndex({ phase }: Segment, operation: number): number {
    if (phase === 'fillrandom' || phase === 'delete') return scattered(operation, this.#multiplier, this.entries)
    const spread = Math.imul(operation + 1, GOLDEN_RATIO) ^ Math.imul(this.#seed + phase.length, 0x85ebca6b)
    return (Math.imul(spread ^ (spread >>> 15), 0x2c1b3c6d) >>> 0) % this.entries
  }

  key(index: number): Uint8Array<ArrayBuffer> {
    const key = new Uint8Array(KEY_BYTES)
    for (let at = KEY_BYTES - 1, rest = index; at >= 0; at--, rest = Math.floor(rest / 10)) key[at] = 0x30 + (rest % 10)
    return key
  }

  /** The value that a segment gives a key; what comes twice in a segment gets the same one. */
  value(index: number, { index: segment }: Segment): Bytes {
    return this.#valueOf(index, segment + 1)
  }

  wrote(index: number, segment: Segment): void {
    this.#generations[index] = segment.index + 1
  }

  deleted(index: number): void {
    this.#generations[index] = ABSENT
  }

  /** @throws Error if `found` is not what the key holds */
  check(index: number, found: Bytes | undefined): void {
    const generation = this.#generations[index]
    const expected = generation === ABSENT ? undefined : this.#valueOf(index, generation)
    const isRight =
      expected === undefined || found === undefined
        ? expected === found
        : found.length === VALUE_BYTES && found.every((byte, i) => byte === expected[i])
    if (!isRight) throw new Error(`key ${index} was read wrong`)
  }

  /** Every `step`-th of the entries that are there now, by their indexes, in order. */
  *present(step: number): Generator<number> {
    let count = 0
    for (let index = 0; index < this.entries; index++) {
      if (this.#generations[index] !== ABSENT && count++ % step === 0) yield index
    }
  }

  /** Entries that are there now. */
  get liveCount(): number {
    let count = 0
    for (const generation of this.#generations) if (generation !== ABSENT) count++
    return count
  }

  #valueOf(index: number, generation: number): Bytes {
    const at = (Math.imul(index + 1, GOLDEN_RATIO) ^ Math.imul(generation, 0x27d4eb2f)) >>> 0
    const offset = at % (POOL_BYTES - VALUE_BYTES)
    return this.#pool.subarray(offset, offset + VALUE_BYTES)
  }
}

export function isRead(phase: PhaseName): boolean {
  return phase === 'readrandom' || phase === CACHED
}

function segmentsOf(entries: number): Segment[] {
  const length = Math.ceil(entries / SEGMENTS_OF_FILL)
  const segments: Segment[] = []
  for (const [phase, share] of PHASES) {
    const count = Math.floor(entries * share)
    for (let begin = 0; begin < count; begin += length) {
      segments.push({ index: segments.length, phase, begin, limit: Math.min(begin + length, count) })
    }
  }
  return segments
}

/** A permutation of the numbers below `count`, at most ENTRIES_MAX: their product with a number that shares no factor with it. */
function scattered(i: number, multiplier: number, count: number): number {
  return (i * multiplier) % count
}

function coprimeNear(count: number, start: number): number {
  let candidate = Math.max(1, start)
  while (greatestCommonDivisor(candidate, count) !== 1) candidate++
  return candidate
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}

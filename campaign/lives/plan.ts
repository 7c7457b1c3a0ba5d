/**
 * Plan: what a database goes through in one life, as plain data: a list of steps, a set of options, and the seed of whatever is
 * left to chance. Plans are drawn at random, or enumerated.
 */
import { Prng } from '../../src/base/prng.ts'
import type { Durability } from '../../src/base/types.ts'
import type { Options } from '../../src/db/options.ts'

export type Step =
  /** One write of about so many bytes: awaited, not awaited, or synchronous. */
  | { readonly type: 'write' | 'later' | 'sync'; readonly durability: Durability; readonly bytes: number }
  /** Writes of one turn. */
  | { readonly type: 'turn'; readonly durabilities: readonly Durability[] }
  | { readonly type: 'flush' }
  | { readonly type: 'compact' }
  | { readonly type: 'reopen' }
  | { readonly type: 'pass'; readonly ms: number }

export interface Plan {
  readonly seed: number
  /** A name of OPTION_SETS. */
  readonly options: string
  readonly steps: readonly Step[]
  /** One worker thread in so many dies of itself; none if there is no such number. */
  readonly deathOdds?: number
}

/** Everything small, so that a short life has files of every kind. */
const SMALL: Options = {
  workers: 0,
  writeBufferBytes: 16 * 1024,
  maxImmutableMemTables: 2,
  level0CompactionTrigger: 2,
  maxFileBytes: 4096,
  levelBytes: 16 * 1024,
  blockBytes: 1024,
  compression: 'none',
}

/** What the campaigns run with; each differs from the first in what it is named for. */
export const OPTION_SETS: Readonly<Record<string, Options>> = {
  inline: SMALL,
  worker: { ...SMALL, workers: 1 },
  workers: { ...SMALL, workers: 2 },
  skiplist: { ...SMALL, memtable: 'skiplist' },
  checksums: { ...SMALL, memtableChecksums: true },
  snappy: { ...SMALL, workers: 1, compression: 'snappy' },
  oneImmutable: { ...SMALL, workers: 2, maxImmutableMemTables: 1 },
  lateCompaction: { ...SMALL, level0CompactionTrigger: 6, bloomBitsPerKey: 0 },
}

const DURABILITIES: readonly Durability[] = ['buffered', 'os', 'os', 'disk']

/** A life of `length` steps; what is not a write is one in four. */
export function randomPlan(seed: number, length: number, sets: readonly string[]): Plan {
  const prng = new Prng(seed)
  const steps = Array.from({ length }, () => randomStep(prng))
  return { seed, options: sets[prng.below(sets.length)], steps }
}

function randomStep(prng: Prng): Step {
  const pick = <T>(from: readonly T[]): T => from[prng.below(from.length)]
  const durability = pick(DURABILITIES)
  switch (prng.below(16)) {
    case 0:
      return { type: 'flush' }
    case 1:
      return { type: 'compact' }
    case 2:
      return { type: 'reopen' }
    case 3:
      return { type: 'pass', ms: pick([1, 12, 300, 3000]) }
    case 4:
    case 5:
      return { type: 'turn', durabilities: Array.from({ length: 2 + prng.below(3) }, () => pick(DURABILITIES)) }
    default:
      return {
        type: pick(['write', 'write', 'later', 'sync']),
        durability,
        bytes: pick([10, 10, 100, 700, 3000, 6000]),
      }
  }
}

/** The steps that exhaustive plans are made of. */
export const ALPHABET: readonly Step[] = [
  { type: 'write', durability: 'os', bytes: 10 },
  { type: 'write', durability: 'disk', bytes: 10 },
  { type: 'write', durability: 'os', bytes: 9000 },
  { type: 'turn', durabilities: ['buffered', 'disk', 'os'] },
  { type: 'later', durability: 'disk', bytes: 9000 },
  { type: 'sync', durability: 'disk', bytes: 10 },
  { type: 'flush' },
  { type: 'compact' },
  { type: 'reopen' },
]

/** The sequence of so many steps with this number, in the order of the alphabet: there are as many as its power. */
export function sequenceAt(length: number, number: number): Step[] {
  return Array.from({ length }, (_, i) => ALPHABET[Math.floor(number / ALPHABET.length ** i) % ALPHABET.length])
}

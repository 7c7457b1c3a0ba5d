/**
 * Plan: which subjects are measured on which keys, and how often.
 */
import type { KeyKind } from './key-file.ts'
import { SUBJECTS, type SubjectName } from './subject.ts'

export interface Case {
  readonly kind: KeyKind
  readonly entries: number
  readonly subjects: readonly SubjectName[]
}

export interface Plan {
  readonly cases: readonly Case[]
  readonly rounds: number
  /** Lookups of present keys, and as many of missing ones. */
  readonly probes: number
  readonly warmUpEntries: number
  /** Inserts of the run that looks for pauses, and the capacity of its tables. */
  readonly pauseEntries: number
  readonly pauseTableBytes: number
  /** The writer that is read meanwhile: inserts of a round, and rounds. */
  readonly sharingEntries: number
  readonly sharingRounds: number
}

export const KINDS: Readonly<Record<KeyKind, string>> = {
  decimal: 'random decimal, 16 digits',
  binary: 'random binary, 16 bytes',
  uuid: 'UUIDs as text, 36 bytes',
  url: 'URLs, 77 to 81 bytes',
  sequential: 'sequential, 16 digits',
}
/** The case in which every subject takes part. */
export const STANDARD_KIND: KeyKind = 'decimal'

const STANDARD_ENTRIES = 500_000

const ALL = Object.keys(SUBJECTS) as SubjectName[]
const DUEL: readonly SubjectName[] = ['cpp', 'radix']
const MIB = 1024 * 1024

/** @param sizes entries; all subjects take part at 500,000 if that is among them, and else at the last one */
export function fullPlan(rounds: number, sizes: readonly number[]): Plan {
  const standard = sizes.includes(STANDARD_ENTRIES) ? STANDARD_ENTRIES : sizes[sizes.length - 1]
  return {
    cases: casesOf(sizes, standard),
    rounds,
    probes: 100_000,
    warmUpEntries: 60_000,
    pauseEntries: 10_000_000,
    pauseTableBytes: 64 * MIB,
    sharingEntries: 500_000,
    sharingRounds: 9,
  }
}

/** Everything once, and next to nothing of it: to see that it runs. */
export function quickPlan(): Plan {
  return {
    cases: casesOf([2000], 2000),
    rounds: 1,
    probes: 500,
    warmUpEntries: 500,
    pauseEntries: 20_000,
    pauseTableBytes: MIB,
    sharingEntries: 5000,
    sharingRounds: 2,
  }
}

/** @param standard the size at which every subject takes part */
function casesOf(sizes: readonly number[], standard: number): Case[] {
  return (Object.keys(KINDS) as KeyKind[]).flatMap((kind) =>
    sizes.map((entries) => ({
      kind,
      entries,
      subjects: kind === STANDARD_KIND && entries === standard ? ALL : DUEL,
    })),
  )
}

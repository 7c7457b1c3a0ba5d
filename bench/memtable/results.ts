/**
 * Results: a run of the benchmark as it is written down, and the figures that a report takes from it.
 */
import type { Machine } from '../machine.ts'
import { ratioOf, type Spread, spreadOf } from '../statistics.ts'
import type { KeyKind } from './key-file.ts'
import type { PauseFigures } from './pause-child.ts'
import { type Plan, STANDARD_KIND } from './plan.ts'
import type { SharingFigures } from './sharing-child.ts'
import type { Figures, SubjectName } from './subject.ts'

/** A number a round for each subject that took part. */
export interface CaseFigures {
  readonly kind: KeyKind
  readonly entries: number
  readonly figures: Readonly<Partial<Record<SubjectName, readonly Figures[]>>>
}

export interface MemTableRun {
  /** By which it was made. */
  readonly command: string
  readonly machine: Machine
  /** undefined where the system does not say: see StolenTime. */
  readonly stolenShare: number | undefined
  /** undefined if there is none, and so no C++ program. */
  readonly compiler: string | undefined
  readonly plan: Plan
  readonly cases: readonly CaseFigures[]
  readonly pause: PauseFigures
  readonly sharing: readonly SharingFigures[]
  readonly elapsedMs: number
}

export type Measure = 'insertNs' | 'getNs' | 'missingNs' | 'scanNs'

export function numbersOf({ figures }: CaseFigures, subject: SubjectName, field: keyof Figures): number[] | undefined {
  return figures[subject]?.map((one) => one[field] ?? Number.NaN)
}

export function medianOf(one: CaseFigures, subject: SubjectName, field: keyof Figures): number | undefined {
  const numbers = numbersOf(one, subject, field)
  return numbers === undefined ? undefined : spreadOf(numbers).median
}

/** How many times as long `subject` takes as varve's radix tree, a quotient a round. */
export function advantageOver(one: CaseFigures, subject: SubjectName, measure: Measure): Spread | undefined {
  const theirs = numbersOf(one, subject, measure)
  const ours = numbersOf(one, 'radix', measure)
  return theirs === undefined || ours === undefined ? undefined : ratioOf(theirs, ours)
}

/** The case in which every subject took part. */
export function standardCase({ cases, plan }: MemTableRun): CaseFigures {
  const index = plan.cases.findIndex(({ kind, subjects }) => kind === STANDARD_KIND && subjects.length > 2)
  return cases[index]
}

/** What a reading thread costs the writer, as a share of its time. */
export function readerCost({ insertNs }: SharingFigures, mode: 'other' | 'live'): Spread {
  const { median, min, max } = ratioOf(insertNs[mode], insertNs.alone)
  return { median: median - 1, min: min - 1, max: max - 1 }
}

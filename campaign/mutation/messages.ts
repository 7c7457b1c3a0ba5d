/**
 * Messages: between the campaign and the process that runs the tests (runner.ts): a job as a file, answers as lines of JSON.
 */

/** What a process is to do. */
export interface Job {
  /** Paths of compiled test files from test/, without extension. */
  readonly files: readonly string[]
  /** How many mutants or branches there are. */
  readonly places: number
  /** Undefined: run each test once, and tell what it reaches. */
  readonly hunts?: readonly Hunt[]
  /** By test: how many places it may reach with a mutant. */
  readonly stepsMax?: Readonly<Record<string, number>>
  /** Switched on before anything is loaded: what is computed while modules are loaded is computed wrong. */
  readonly fromTheStart?: number
}

/** A mutant, and how to look for it. */
export interface Hunt {
  readonly mutant: number
  /** Of collected tests, in this order. */
  readonly tests: readonly string[]
  /** How often the mutant may be reached by one test. */
  readonly limit: number
  /** Run each test without the mutant first, and leave out those that fail. */
  readonly isChecked?: boolean
}

export type Answer =
  /** All is loaded; `hits`: pairs of a place and how often it was reached meanwhile. */
  | { readonly kind: 'loaded'; readonly hits: readonly number[] }
  /** A test of a survey: it took so long, and reached this. */
  | {
      readonly kind: 'surveyed'
      readonly test: string
      readonly name: string
      readonly ms: number
      readonly error?: string
      readonly hits: readonly number[]
    }
  | { readonly kind: 'begun'; readonly mutant: number; readonly test: string }
  | { readonly kind: 'killed'; readonly mutant: number; readonly test: string; readonly error: string }
  /** A test fails with the mutant, and without it from then on: the process is of no use any more. */
  | { readonly kind: 'spoiled'; readonly mutant: number; readonly test: string }
  /** No test fails; `isSure`: each was run, and reached the mutant while it was on. */
  | { readonly kind: 'alive'; readonly mutant: number; readonly isSure: boolean }

/**
 * Campaign: a search for failures that goes on for as long as it is given: what it counts is how much was looked at, what it
 * finds is a defect. One seed, one run: what a campaign does depends on its seed and on how much time it has, and on nothing
 * else, as far as its subject allows.
 *
 * A finding is minimised by the campaign that makes it (minimize.ts) and comes with a reproduction: plain data that `replay`
 * takes. The runner keeps it as a file of test/regressions/, which a test replays from then on.
 */
import type { Machine } from '../bench/machine.ts'

/** `all`, or names of counts. */
export type SameThings = 'all' | readonly string[]

export interface Campaign {
  /** Short, and the name of its results: `t01-crash`. */
  readonly name: string
  /** What it does, as a phrase. */
  readonly title: string
  /** How long it runs in CI. */
  readonly ciSeconds: number
  /** Its part of a long run of all campaigns, in proportion to those of the others; 0 for none. */
  readonly longShare: number
  /**
   * What every run looks at again, whatever its seed is: of these counts that of the largest run counts, and no sum of runs. Not
   * given: each run looks at other things.
   */
  readonly sameThings?: SameThings
  /** Search until the context says that it is over. Throws only if the campaign itself is at fault. */
  run(context: CampaignContext): Promise<void>
  /** Do once more what led to a finding. @throws what is wrong, as long as it is */
  replay?(reproduction: unknown): Promise<void>
}

export interface CampaignContext {
  readonly seed: number
  /** When the time is over, by performance.now(). */
  readonly deadline: number
  /** Whether to stop: the time is over, somebody said so, or there are more findings than anybody reads. */
  isOver(): boolean
  /** So many more of what the campaign counts: `crash images`, `calls`. */
  count(what: string, by?: number): void
  /**
   * Something is wrong.
   * @param kind a few words, the same for the same defect
   * @param details what was expected, and what was found
   * @param reproduction what `replay` needs; plain data, minimal
   */
  finding(kind: string, details: string, reproduction: unknown): void
  /** How far it has come, in a unit of its own; without a total the time decides. */
  progress(done: number, total?: number): void
}

export interface Finding {
  readonly kind: string
  readonly details: string
  readonly reproduction: unknown
}

/** One run of a campaign. */
export interface CampaignResult {
  readonly name: string
  readonly title: string
  /** When it began: ISO 8601, UTC. */
  readonly date: string
  readonly commit: string
  readonly seed: number
  readonly seconds: number
  /** What it was given; undefined in results of earlier versions. */
  readonly plannedSeconds?: number
  /** It was ended before its time, or is still running. */
  readonly isCut?: boolean
  readonly counts: Readonly<Record<string, number>>
  readonly findings: readonly Finding[]
  readonly machine: Machine
}

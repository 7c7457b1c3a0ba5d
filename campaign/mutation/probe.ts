/**
 * Probe: what instrumented files (instrument.ts) report to, one a process. It says which mutant is on, counts how often each
 * place was reached, and ends a mutant that no longer comes to an end: by counting places, not by the clock, so that a machine that
 * is busy elsewhere finds nothing.
 */

/** A mutant reached its place, or all places together, far more often than the program as it is. */
export class RunawayError extends Error {}

/** No mutant is on. */
export const NONE = -1

export class Probe {
  /** The mutant that is on, or NONE. */
  active: number = NONE
  /** How often the active mutant may be reached. */
  limit: number = Number.MAX_SAFE_INTEGER
  /** How many places of all the active mutant may still reach. */
  stepsLeft: number = Number.MAX_SAFE_INTEGER
  ranAway = false
  /** The active mutant was reached. */
  wasOn = false
  /** By the first mutant of a site, or by branch. */
  readonly hits: Uint32Array

  constructor(length: number) {
    this.hits = new Uint32Array(length)
  }

  /** Whether one of these mutants of a site is on. */
  isOn(first: number, last: number): boolean {
    this.hits[first]++
    if (--this.stepsLeft < 0) this.#runAway()
    if (this.active < first || this.active > last) return false
    this.wasOn = true
    if (this.hits[first] > this.limit) this.#runAway()
    return true
  }

  #runAway(): never {
    this.ranAway = true
    throw new RunawayError(`mutant ${this.active} goes on and on`)
  }

  enter(branch: number): void {
    this.hits[branch]++
  }

  value<T>(branch: number, value: T): T {
    this.hits[value ? branch : branch + 1]++
    return value
  }

  given<T>(branch: number, value: T): T {
    this.hits[value !== undefined && value !== null ? branch : branch + 1]++
    return value
  }
}

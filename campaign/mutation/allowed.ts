/**
 * Allowed: branches that no test can take, and mutants that do what the program does. Each stands here by the text of its line,
 * as compiled, not by its number; one that is gone, or that a test notices after all, is a finding of T16.
 */

export interface AllowedBranch {
  readonly file: string
  readonly line: string
  /** As `Branch.way`. */
  readonly way: string
  readonly reason: string
}

export interface AllowedMutant {
  readonly file: string
  readonly line: string
  /** As `Mutant.change`. */
  readonly change: string
  readonly reason: string
}

export const UNREACHABLE: readonly AllowedBranch[] = []

export const EQUIVALENTS: readonly AllowedMutant[] = []

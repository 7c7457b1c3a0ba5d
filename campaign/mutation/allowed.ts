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

export const UNREACHABLE: readonly AllowedBranch[] = [
  {
    file: 'base/crc32c',
    line: 'if (length >= WORDS_FROM_BYTES && IS_LITTLE_ENDIAN && end <= bytes.length) {',
    way: 'IS_LITTLE_ENDIAN is false',
    reason: 'Node.js runs on one big-endian machine, and this is none; there the loop over bytes does it all',
  },
  {
    file: 'base/crc32c',
    line: 'if (length >= WORDS_FROM_BYTES && IS_LITTLE_ENDIAN && end <= bytes.length) {',
    way: 'end <= bytes.length is false',
    reason:
      'every caller has checked its bounds; one that has not must not read what lies behind the bytes in their buffer',
  },
]

export const EQUIVALENTS: readonly AllowedMutant[] = []

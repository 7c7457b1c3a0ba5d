/**
 * FuzzTarget: one decoder, with inputs to begin from and a way to make checksums right again, so that what is behind them is
 * reached. The property is the same for all: it returns, or throws a typed error; it ends soon; and it allocates in
 * proportion to its input (fuzz-run.ts).
 */
import type { Prng } from '../../src/base/prng.ts'
import type { Bytes } from '../../src/base/types.ts'
import type { Mutator } from './mutator.ts'

export interface FuzzTarget {
  readonly name: string
  /** Its share of the executions. */
  readonly weight: number
  readonly seeds: readonly Bytes[]
  /** Leave an input in the mutator. Without it: one of the seeds, changed. */
  make?(mutator: Mutator, prng: Prng): void
  /** Make the input's checksums right, in place. */
  repair?(input: Bytes): void
  /**
   * Decode all of an input.
   * @returns whether it was taken for a valid one, where the decoder says so without throwing
   */
  decode(input: Bytes): boolean
  /** Bytes of memory that it may take whatever the input. */
  readonly fixedBytes?: number
}

/** A decoder made more entries, or went on longer, than its input can hold. */
export class EndlessError extends Error {}

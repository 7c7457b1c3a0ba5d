/**
 * T2, all short lives: every sequence of so many steps of an alphabet, on each of a few sets of options, crashed before every
 * file-system call. Most bugs of this kind need no more than three steps on a fresh database.
 *
 * The lives of a length are complete, whatever the seed is; a run begins with the shortest, and says how far it came.
 */
import type { Campaign } from './campaign.ts'
import { FEW_MODES } from './lives/crashes.ts'
import { ALPHABET, type Plan, sequences } from './lives/plan.ts'
import { crashEverywhere, firstFailure } from './t01-crash.ts'

const OPTIONS: readonly string[] = ['inline', 'workers']
/** Weeks, for whoever has them. */
const LENGTH_MAX = 6

export const SEQUENCES: Campaign = {
  name: 't02-sequences',
  title: 'all short sequences of operations, crashed before every file-system call',
  ciSeconds: 50,
  longShare: 8,

  async run(context) {
    for (let length = 1; length <= LENGTH_MAX && !context.isOver(); length++) {
      const total = ALPHABET.length ** length * OPTIONS.length
      let done = 0
      for (const steps of sequences(length)) {
        for (const options of OPTIONS) {
          if (context.isOver()) return
          await crashEverywhere(context, { seed: context.seed, options, steps }, FEW_MODES)
          context.progress(++done, total)
          context.count(`lives of ${length} steps`)
        }
      }
    }
  },

  async replay(reproduction) {
    const error = await firstFailure(reproduction as Plan, FEW_MODES)
    if (error !== undefined) throw error
  },
}

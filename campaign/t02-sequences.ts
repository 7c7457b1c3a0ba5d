/**
 * T2, all short lives: every sequence of so many steps of an alphabet, on each of a few sets of options, crashed before every
 * file-system call. Most bugs of this kind need no more than three steps on a fresh database.
 *
 * The lives of a length are complete, whatever the seed is; a run begins with the shortest, and says how far it came.
 */
import type { Campaign } from './campaign.ts'
import { FEW_MODES } from './lives/crashes.ts'
import { ALPHABET, type Plan, sequenceAt } from './lives/plan.ts'
import { runSearch, type Search } from './search/search.ts'
import { crashEverywhere, firstFailure } from './t01-crash.ts'

const OPTIONS: readonly string[] = ['inline', 'workers']
/** Weeks, for whoever has them. */
const LENGTH_MAX = 6

export const SHORT_LIVES: Search = {
  name: 't02-sequences',
  limit: livesUpTo(LENGTH_MAX),

  async step(context, seed, step) {
    const plan = planAt(seed, step)
    await crashEverywhere(context, plan, FEW_MODES)
    const { length } = plan.steps
    if (!context.isOver()) context.count(`lives of ${length} ${length === 1 ? 'step' : 'steps'}, of ${livesOf(length)}`)
  },

  reproduction: planAt,
}

export const SEQUENCES: Campaign = {
  name: SHORT_LIVES.name,
  title: 'all short sequences of operations, crashed before every file-system call',
  ciSeconds: 25,
  longShare: 8,
  sameThings: 'all',
  run: (context) => runSearch(context, SHORT_LIVES),

  async replay(reproduction) {
    const error = await firstFailure(reproduction as Plan, FEW_MODES)
    if (error !== undefined) throw error
  },
}

function livesOf(length: number): number {
  return ALPHABET.length ** length * OPTIONS.length
}

function livesUpTo(length: number): number {
  return length === 0 ? 0 : livesUpTo(length - 1) + livesOf(length)
}

/** The lives are numbered, the shortest first. */
function planAt(seed: number, step: number): Plan {
  let length = 1
  while (livesUpTo(length) <= step) length++
  const at = step - livesUpTo(length - 1)
  const options = OPTIONS[at % OPTIONS.length]
  return { seed, options, steps: sequenceAt(length, Math.floor(at / OPTIONS.length)) }
}

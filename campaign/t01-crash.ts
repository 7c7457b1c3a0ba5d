/**
 * T1, a crash before every file-system call: of random lives, with and without worker threads; once, again during the recovery, and
 * again after a write (lives/crashes.ts has the promises).
 */

import type { CrashMode } from '../src/env/crash-image.ts'
import type { Campaign } from './campaign.ts'
import type { LaneContext } from './lane/tally.ts'
import { ALL_MODES, BrokenPromise, Crashes } from './lives/crashes.ts'
import { livedPlan } from './lives/moments.ts'
import { OPTION_SETS, type Plan, randomPlan } from './lives/plan.ts'
import { messageOf, minimize } from './minimize.ts'
import { runSearch, type Search } from './search/search.ts'

/** Steps of a life. */
const LENGTH = 40
const SETS = Object.keys(OPTION_SETS)

export const CRASHES: Search = {
  name: 't01-crash',
  step: (context, seed, step) => crashEverywhere(context, planOf(seed + step), ALL_MODES),
  reproduction: (seed, step) => planOf(seed + step),
}

export const CRASH: Campaign = {
  name: CRASHES.name,
  title: 'a crash before every file-system call, and another one after it',
  ciSeconds: 80,
  longShare: 12,
  run: (context) => runSearch(context, CRASHES),

  async replay(reproduction) {
    const error = await firstFailure(reproduction as Plan, ALL_MODES)
    if (error !== undefined) throw error
  },
}

function planOf(seed: number): Plan {
  const plan = randomPlan(seed, LENGTH, SETS)
  return seed % 3 === 0 ? { ...plan, deathOdds: 3 } : plan
}

/** Live a plan, and crash it at each of its calls. */
export async function crashEverywhere(context: LaneContext, plan: Plan, modes: readonly CrashMode[]): Promise<void> {
  const error = await firstFailure(plan, modes, context)
  if (error === undefined) return
  const kind = kindOf(error)
  const steps = await minimize(plan.steps, async (shorter) => {
    const other = await firstFailure({ ...plan, steps: shorter }, modes)
    return other !== undefined && kindOf(other) === kind
  })
  const minimal = { ...plan, steps }
  context.finding(kind, messageOf((await firstFailure(minimal, modes)) ?? error), minimal)
}

/** What is wrong first, if anything is. With a context, it is told what was done, and may say that it is enough. */
export async function firstFailure(plan: Plan, modes: readonly CrashMode[], context?: LaneContext): Promise<unknown> {
  try {
    const lived = await livedPlan(plan)
    const crashes = new Crashes(plan, lived)
    const { tally } = crashes
    context?.count('lives')
    context?.count('worker threads that died', lived.deaths)
    context?.count('flushes', lived.flushes)
    context?.count('compactions', lived.compactions)
    for (const moment of lived.moments) {
      if (context?.isOver()) {
        context.count('lives cut off by the clock')
        return undefined
      }
      const before = { ...tally }
      await crashes.check(moment, modes)
      context?.count('crash images', tally.images - before.images)
      context?.count('images of a crash during recovery', tally.doubleImages - before.doubleImages)
      context?.count('killed processes', tally.kills - before.kills)
      context?.count('images equal to one before', tally.equal - before.equal)
    }
    // Every one of them: calls between which nothing has changed are one moment.
    context?.count('file-system calls, each of them crashed before', lived.calls)
  } catch (error) {
    return error
  }
  return undefined
}

/** Of what a crash shows, in a few words. */
export function kindOf(error: unknown): string {
  return error instanceof BrokenPromise ? error.kind : 'an operation failed'
}

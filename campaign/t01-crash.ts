/**
 * T1, a crash before every file-system call: of random lives, with and without worker threads; once, again during the recovery, and
 * again after a write (lives/crashes.ts has the promises).
 */

import type { CrashMode } from '../src/env/crash-image.ts'
import type { Campaign, CampaignContext } from './campaign.ts'
import { ALL_MODES, BrokenPromise, Crashes } from './lives/crashes.ts'
import { livedPlan } from './lives/moments.ts'
import { OPTION_SETS, type Plan, randomPlan } from './lives/plan.ts'
import { messageOf, minimize } from './minimize.ts'

/** Steps of a life. */
const LENGTH = 40

export const CRASH: Campaign = {
  name: 't01-crash',
  title: 'a crash before every file-system call, and another one after it',
  ciSeconds: 120,
  longShare: 20,

  async run(context) {
    const sets = Object.keys(OPTION_SETS)
    for (let seed = context.seed; !context.isOver(); seed++) {
      const plan = randomPlan(seed, LENGTH, sets)
      await crashEverywhere(context, seed % 3 === 0 ? { ...plan, deathOdds: 3 } : plan, ALL_MODES)
    }
  },

  async replay(reproduction) {
    const error = await firstFailure(reproduction as Plan, ALL_MODES)
    if (error !== undefined) throw error
  },
}

/** Live a plan, and crash it at each of its calls. */
export async function crashEverywhere(
  context: CampaignContext,
  plan: Plan,
  modes: readonly CrashMode[],
): Promise<void> {
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
export async function firstFailure(
  plan: Plan,
  modes: readonly CrashMode[],
  context?: CampaignContext,
): Promise<unknown> {
  try {
    const lived = await livedPlan(plan)
    const crashes = new Crashes(plan, lived)
    const { tally } = crashes
    context?.count('lives')
    context?.count('file-system calls', lived.calls)
    context?.count('worker threads that died', lived.deaths)
    context?.count('flushes', lived.flushes)
    context?.count('compactions', lived.compactions)
    for (const moment of lived.moments) {
      if (context?.isOver()) break
      const before = { ...tally }
      await crashes.check(moment, modes)
      context?.count('crash images', tally.images - before.images)
      context?.count('images of a crash during recovery', tally.doubleImages - before.doubleImages)
      context?.count('killed processes', tally.kills - before.kills)
    }
  } catch (error) {
    return error
  }
  return undefined
}

function kindOf(error: unknown): string {
  return error instanceof BrokenPromise ? error.kind : 'an operation failed'
}

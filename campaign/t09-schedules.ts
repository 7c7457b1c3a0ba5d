/**
 * T9, seeded schedules: random operations against a model (test/model/), with worker threads as actors, in an order of events
 * that a seed decides: completions of syncs, timers, messages, slices of work, crashes. Every seed is run twice, and does the
 * same both times.
 */
import fc from 'fast-check'
import { type Operation, operations } from '../test/model/operations.ts'
import { ModelRun } from '../test/model/run.ts'
import type { Campaign, CampaignContext } from './campaign.ts'
import { ALL_MODES, Crashes } from './lives/crashes.ts'
import { livedPlan } from './lives/moments.ts'
import { type Plan, randomPlan } from './lives/plan.ts'
import { messageOf, minimize } from './minimize.ts'
import { Scheduler } from './sim/scheduler.ts'
import { SimWorld } from './sim/sim-world.ts'

/** Steps of a life whose threads die, and sets of options that have threads. */
const LENGTH = 60
const THREADED: readonly string[] = ['worker', 'workers', 'snappy', 'oneImmutable']

/** What a model run counts, in words. */
const WORDS: Readonly<Record<string, string>> = {
  flushesWithoutTable: 'flushes that needed no table',
  moves: 'tables moved down',
  rangeDeletes: 'range deletes',
  lost: 'writes lost as they may be',
  discarded: 'log tails discarded',
}

interface Schedule {
  readonly seed: number
  readonly operations: readonly Operation[]
}

interface Outcome {
  readonly hash: string
  readonly events: number
  readonly counts: Readonly<Record<string, number>>
  readonly error: unknown
}

export const SCHEDULES: Campaign = {
  name: 't09-schedules',
  title: 'seeded orders of completions, timers, messages and slices of work, each twice',
  ciSeconds: 30,
  longShare: 6,

  async run(context) {
    for (let seed = context.seed; !context.isOver(); seed++) {
      await one(context, seed)
      await withDeaths(context, seed)
    }
  },

  async replay(reproduction) {
    const { plan } = reproduction as { readonly plan?: Plan }
    if (plan !== undefined) {
      const lived = await livedPlan(plan)
      await new Crashes(plan, lived).check(lived.moments.at(-1)!, ALL_MODES)
      return
    }
    const { error } = await runSchedule(reproduction as Schedule)
    if (error !== undefined) throw error
  },
}

/** The operations of a seed. */
export function scheduleOf(seed: number): Schedule {
  return { seed, operations: fc.sample(operations, { seed, numRuns: 1 })[0] }
}

async function one(context: CampaignContext, seed: number): Promise<void> {
  const schedule = scheduleOf(seed)
  const [first, second] = [await runSchedule(schedule), await runSchedule(schedule)]
  context.count('seeds, each twice')
  context.count('operations', schedule.operations.length)
  context.count('events', first.events)
  for (const [what, count] of Object.entries(first.counts)) context.count(WORDS[what] ?? what, count)
  if (first.hash !== second.hash) {
    context.finding('a seed is not repeatable', `seed ${seed}: ${first.hash}, then ${second.hash}`, schedule)
  }
  if (first.error === undefined) return
  const message = messageOf(first.error)
  const minimal = await minimize(schedule.operations, async (shorter) => {
    const { error } = await runSchedule({ seed, operations: shorter })
    return error !== undefined && messageOf(error).slice(0, 20) === message.slice(0, 20)
  })
  context.finding('the model answers otherwise', `seed ${seed}: ${message}`, { seed, operations: minimal })
}

/** A planned life whose worker threads die, crashed at its end. */
async function withDeaths(context: CampaignContext, seed: number): Promise<void> {
  const plan: Plan = { ...randomPlan(seed, LENGTH, THREADED), deathOdds: 3 }
  const hashes: string[] = []
  try {
    for (let time = 0; time < 2; time++) {
      const lived = await livedPlan(plan)
      hashes.push(lived.hash)
      const crashes = new Crashes(plan, lived)
      await crashes.check(lived.moments.at(-1)!, ALL_MODES)
      context.count('worker threads that died', lived.deaths)
      context.count('crash images', crashes.tally.images)
    }
  } catch (error) {
    context.finding('a life with threads that die fails', `seed ${seed}: ${messageOf(error)}`, { plan })
  }
  context.count('lives with threads that die')
  if (hashes[0] === hashes.at(-1)) return
  context.finding('a seed is not repeatable', `seed ${seed}: ${hashes.join(', then ')}`, { plan })
}

export async function runSchedule({ seed, operations: list }: Schedule): Promise<Outcome> {
  const scheduler = new Scheduler(seed)
  const run = new ModelRun(new SimWorld(scheduler, 1 + (seed % 2)), true)
  let error: unknown
  try {
    await scheduler.until(run.run(list))
  } catch (thrown) {
    error = thrown
  }
  const { hash, count } = scheduler.trace
  return { hash, events: count, counts: run.counts, error }
}

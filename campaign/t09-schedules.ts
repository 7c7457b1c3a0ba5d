/**
 * T9, seeded schedules: random operations against a model (test/model/), with worker threads as actors, in an order of events
 * that a seed decides: completions of syncs, timers, messages, slices of work, crashes. Every seed is run twice, and does the
 * same both times.
 */
import fc from 'fast-check'
import { type Operation, operations } from '../test/model/operations.ts'
import { ModelRun } from '../test/model/run.ts'
import type { Campaign } from './campaign.ts'
import type { LaneContext } from './lane/tally.ts'
import { ALL_MODES, Crashes } from './lives/crashes.ts'
import { type LivedPlan, livedPlan } from './lives/moments.ts'
import { type Plan, randomPlan } from './lives/plan.ts'
import { messageOf, minimize } from './minimize.ts'
import { runSearch, type Search } from './search/search.ts'
import { Scheduler } from './sim/scheduler.ts'
import { SimWorld } from './sim/sim-world.ts'
import { kindOf } from './t01-crash.ts'

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

export const SEEDED_ORDERS: Search = {
  name: 't09-schedules',

  async step(context, seed, step) {
    await one(context, seed + step)
    await withDeaths(context, seed + step)
  },

  reproduction: (seed, step) => scheduleOf(seed + step),
}

export const SCHEDULES: Campaign = {
  name: SEEDED_ORDERS.name,
  title: 'seeded orders of completions, timers, messages and slices of work, each twice',
  ciSeconds: 15,
  longShare: 8,
  run: (context) => runSearch(context, SEEDED_ORDERS),

  async replay(reproduction) {
    const { plan } = reproduction as { readonly plan?: Plan }
    const { error } = plan === undefined ? await runSchedule(reproduction as Schedule) : await lifeWithDeaths(plan)
    if (error !== undefined) throw error
  },
}

/** The operations of a seed. */
export function scheduleOf(seed: number): Schedule {
  return { seed, operations: fc.sample(operations, { seed, numRuns: 1 })[0] }
}

async function one(context: LaneContext, seed: number): Promise<void> {
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

/** A planned life whose worker threads die, twice; crashed at its end. */
async function withDeaths(context: LaneContext, seed: number): Promise<void> {
  const plan: Plan = { ...randomPlan(seed, LENGTH, THREADED), deathOdds: 3 }
  const [first, second] = [await lifeWithDeaths(plan), await lifeWithDeaths(plan)]
  context.count('lives with threads that die')
  context.count('worker threads that died', first.deaths + second.deaths)
  context.count('crash images', first.images + second.images)
  if (first.hash !== second.hash) {
    context.finding('a seed is not repeatable', `seed ${seed}: ${first.hash}, then ${second.hash}`, { plan })
  }
  if (first.error === undefined) return
  const kind = kindOf(first.error)
  const steps = await minimize(plan.steps, async (shorter) => {
    const { error } = await lifeWithDeaths({ ...plan, steps: shorter })
    return error !== undefined && kindOf(error) === kind
  })
  const details = `seed ${seed}: ${messageOf(first.error)}`
  context.finding('a life with threads that die fails', details, { plan: { ...plan, steps } })
}

interface LifeWithDeaths {
  readonly hash: string | undefined
  readonly deaths: number
  readonly images: number
  readonly error: unknown
}

async function lifeWithDeaths(plan: Plan): Promise<LifeWithDeaths> {
  let lived: LivedPlan | undefined
  let images = 0
  let error: unknown
  try {
    lived = await livedPlan(plan)
    const crashes = new Crashes(plan, lived)
    await crashes.check(lived.moments.at(-1)!, ALL_MODES)
    images = crashes.tally.images
  } catch (thrown) {
    error = thrown
  }
  return { hash: lived?.hash, deaths: lived?.deaths ?? 0, images, error }
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

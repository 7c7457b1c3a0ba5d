/**
 * T9, seeded schedules: random operations against a model (test/model/), with worker threads as actors, in an order of events
 * that a seed decides: completions of syncs, timers, messages, slices of work, crashes. Every seed is run twice, and does the
 * same both times.
 */
import fc from 'fast-check'
import { type Operation, operations } from '../test/model/operations.ts'
import { ModelRun } from '../test/model/run.ts'
import type { Campaign, CampaignContext } from './campaign.ts'
import { messageOf, minimize } from './minimize.ts'
import { Scheduler } from './sim/scheduler.ts'
import { SimWorld } from './sim/sim-world.ts'

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
  ciSeconds: 40,
  longShare: 6,

  async run(context) {
    for (let seed = context.seed; !context.isOver(); seed++) await one(context, seed)
  },

  async replay(reproduction) {
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
  context.count('seeds')
  context.count('operations', schedule.operations.length)
  context.count('events', first.events)
  for (const [what, count] of Object.entries(first.counts)) context.count(what, count)
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

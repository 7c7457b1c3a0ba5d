/**
 * hunt: the program that looks for what is wrong with the engine that it is compiled with, in every way that the campaigns know,
 * in turn: first what is quick, then what comes from the seed, until so much processor time is spent. Status 1, and a line, as
 * soon as anything is found.
 *
 *   node hunt.js SECONDS SEED [FIRST]
 *
 * FIRST is the way to begin with: which one finds a mistake of a kind soonest is known.
 */
import { DamagePlan } from '../damage/damages.ts'
import { SHAPE_NAMES, shapeNamed } from '../damage/shapes.ts'
import { judge } from '../damage/verdict.ts'
import { FEW_MODES } from '../lives/crashes.ts'
import { ALPHABET, OPTION_SETS, type Plan, randomPlan, type Step } from '../lives/plan.ts'
import { messageOf } from '../minimize.ts'
import { firstFailure } from '../t01-crash.ts'
import { firstFault } from '../t03-faults.ts'
import { runSchedule, scheduleOf } from '../t09-schedules.ts'

/** Short: what a mistake needs is few steps. */
const LENGTH = 24
const SETS = Object.keys(OPTION_SETS)
/** Rotations, and writes of all kinds around them, in a few orders of events. */
const STEPS: readonly Step[] = [2, 2, 5, 2, 2, 1, 4, 2, 1, 3, 2, 6, 1, 7, 8, 1].map((index) => ALPHABET[index])
/** A log is complete while a part of it waits to be written, and what follows it is. */
const BUFFERED: readonly Step[] = [
  { type: 'write', durability: 'buffered', bytes: 9000 },
  { type: 'write', durability: 'buffered', bytes: 9000 },
  // Before the flush has its turn.
  { type: 'sync', durability: 'os', bytes: 10 },
  { type: 'write', durability: 'disk', bytes: 10 },
]
const LIVES: readonly Plan[] = [
  { seed: 1, options: 'inline', steps: STEPS.slice(0, 6) },
  { seed: 1, options: 'workers', steps: BUFFERED },
  { seed: 1, options: 'inline', steps: STEPS },
  { seed: 2, options: 'workers', steps: STEPS },
  { seed: 3, options: 'worker', steps: STEPS },
  { seed: 4, options: 'workers', steps: STEPS },
]
/** Three levels, and then deletions that are compacted in the upper two. */
const LEVELS: Plan = {
  seed: 5,
  options: 'inline',
  steps: [2, 2, 2, 2, 2, 2, 7, 2, 2, 2, 2, 2, 7, 0, 6, 0, 6, 0, 6, 0, 6, 0, 6, 8].map((index) => ALPHABET[index]),
}
/** Damages of logs in one turn. */
const DAMAGES = 200

/** The ways to look: turn after turn, each the answer to what is wrong. */
const WAYS: Readonly<Record<string, (seed: number, turn: number) => Promise<unknown>>> = {
  crashes: (seed, turn) => firstFailure(LIVES[turn] ?? randomPlan(seed + turn, LENGTH, SETS), FEW_MODES),
  faults: (seed, turn) =>
    firstFault(turn < 3 ? LIVES[turn] : { ...randomPlan(seed + turn, 16, SETS), options: 'inline' }),
  levels: (seed, turn) =>
    firstFailure(turn === 0 ? LEVELS : { ...randomPlan(seed + turn, 2 * LENGTH, SETS), options: 'inline' }, [0]),
  orders: async (seed, turn) => (await runSchedule(scheduleOf(seed + turn))).error,
  damages: firstDamage,
}

async function firstDamage(seed: number, turn: number): Promise<unknown> {
  const plan = new DamagePlan(await Promise.all(SHAPE_NAMES.map(shapeNamed)), seed)
  // From all over the plan, which is shorter than this prime.
  for (let i = turn * DAMAGES; i < (turn + 1) * DAMAGES; i++) {
    const { shape, damage } = plan.at((i * 1_000_003) % plan.complete)
    if (!damage.file.endsWith('.log')) continue
    try {
      await judge(await shapeNamed(shape), damage)
    } catch (error) {
      return new Error(`${shape}, ${JSON.stringify(damage)}: ${messageOf(error)}`)
    }
  }
  return undefined
}

async function hunt(seconds: number, seed: number, first: string): Promise<unknown> {
  const ways = Object.keys(WAYS).sort((a, b) => Number(b === first) - Number(a === first))
  for (let turn = 0; ; turn++) {
    for (const way of ways) {
      const error = await WAYS[way](seed, turn)
      if (error !== undefined) return new Error(`${way}, turn ${turn}: ${messageOf(error)}`)
      const { user, system } = process.cpuUsage()
      if (user + system > seconds * 1e6) return undefined
    }
  }
}

const [seconds, seed, first = 'crashes'] = process.argv.slice(2)
// A mistake may leave promises behind that nobody hears.
process.on('unhandledRejection', () => {})
const found = await hunt(Number(seconds), Number(seed), first)
if (found !== undefined) console.log(messageOf(found))
process.exit(found === undefined ? 0 : 1)

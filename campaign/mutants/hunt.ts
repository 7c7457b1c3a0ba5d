/**
 * hunt: the program that looks for what is wrong with the engine that it is compiled with: crashes, faults and seeded
 * schedules in turn, until the time is over. Status 1, and a line, as soon as anything is found.
 *
 *   node hunt.js SECONDS SEED
 */
import { FEW_MODES } from '../lives/crashes.ts'
import { ALPHABET, OPTION_SETS, type Plan, randomPlan, type Step } from '../lives/plan.ts'
import { messageOf } from '../minimize.ts'
import { firstFailure } from '../t01-crash.ts'
import { firstFault } from '../t03-faults.ts'
import { runSchedule, scheduleOf } from '../t09-schedules.ts'

/** Short: what a mistake needs is few steps. */
const LENGTH = 24
/** Rotations, and writes of all kinds around them, in a few orders of events. */
const STEPS: readonly Step[] = [2, 2, 5, 2, 2, 1, 4, 2, 1, 3, 2, 6, 1, 7, 8, 1].map((index) => ALPHABET[index])
const FIRST: readonly Plan[] = [
  { seed: 1, options: 'inline', steps: STEPS },
  { seed: 2, options: 'workers', steps: STEPS },
  { seed: 3, options: 'worker', steps: STEPS },
  { seed: 4, options: 'workers', steps: STEPS },
]

async function hunt(seconds: number, first: number): Promise<unknown> {
  const deadline = performance.now() + seconds * 1000
  for (const plan of FIRST) {
    const error = await firstFailure(plan, FEW_MODES)
    if (error !== undefined) return error
  }
  const failed = await firstFault(FIRST[0])
  if (failed !== undefined) return failed
  for (let seed = first; performance.now() < deadline; seed++) {
    const plan = randomPlan(seed, LENGTH, Object.keys(OPTION_SETS))
    const error =
      (await firstFailure(plan, FEW_MODES)) ??
      (await runSchedule(scheduleOf(seed))).error ??
      (seed % 4 === 0 ? await firstFault(plan) : undefined)
    if (error !== undefined) return error
  }
  return undefined
}

// A mistake may leave promises behind that nobody hears.
process.on('unhandledRejection', () => {})
const found = await hunt(Number(process.argv[2]), Number(process.argv[3]))
if (found !== undefined) console.log(messageOf(found))
process.exit(found === undefined ? 0 : 1)

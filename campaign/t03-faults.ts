/**
 * T3, a fault at every file-system call: each call of random lives fails, with each error, once or from then on; then power is
 * lost, and what is left is opened (test/crash/fault-run.ts has the promises).
 */

import { FaultRun } from '../test/crash/fault-run.ts'
import type { FaultCode, FileCall } from '../test/support/fault-call.ts'
import type { Campaign } from './campaign.ts'
import type { LaneContext } from './lane/tally.ts'
import { OPTION_SETS, type Plan, randomPlan, type Step } from './lives/plan.ts'
import { livePlan } from './lives/planned-life.ts'
import { messageOf, minimize } from './minimize.ts'
import { runSearch, type Search } from './search/search.ts'

const CODES: readonly FaultCode[] = ['EIO', 'ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'EACCES', 'EROFS', 'ESTALE']
/** Those whose jobs run inline, so that their calls fail, too. */
const SETS: readonly string[] = ['inline', 'skiplist', 'checksums', 'lateCompaction']
/** Steps of a life. */
const LENGTH = 16

interface Fault {
  readonly plan: Plan
  readonly call: number
  readonly code: FaultCode
  readonly isSticky: boolean
  readonly countReads: boolean
}

/** A step is one error, once or from then on, at each call of a life. */
export const FAULT_SWEEPS: Search = {
  name: 't03-faults',

  async step(context, seed, step) {
    const { plan, code, isSticky, countReads } = firstOf(seed, step)
    await failEverywhere(context, plan, code, isSticky, countReads)
    if (step % SWEEPS === SWEEPS - 1) context.count('lives')
  },

  reproduction: firstOf,
}

export const FAULTS: Campaign = {
  name: FAULT_SWEEPS.name,
  title: 'a fault at every file-system call, with every error, once and from then on',
  ciSeconds: 35,
  longShare: 10,
  run: (context) => runSearch(context, FAULT_SWEEPS),

  async replay(reproduction) {
    const { error } = await runFault(reproduction as Fault)
    if (error !== undefined) throw error
  },
}

/** Of a life. */
const SWEEPS = CODES.length * 2

/** The first fault of a step. */
function firstOf(seed: number, step: number): Fault {
  const life = seed + Math.floor(step / SWEEPS)
  const sweep = step % SWEEPS
  return {
    plan: planOf(life),
    call: 0,
    code: CODES[sweep >> 1],
    isSticky: sweep % 2 === 1,
    countReads: life % 4 === 0,
  }
}

function planOf(seed: number): Plan {
  return waiting(randomPlan(seed, LENGTH, SETS))
}

/** Without writes that nobody waits for: what is visible would not be certain. */
function waiting(plan: Plan): Plan {
  return { ...plan, steps: plan.steps.map((step): Step => (step.type === 'later' ? { ...step, type: 'write' } : step)) }
}

/** Fail each call of the life, in turn, as long as there is one. */
async function failEverywhere(
  context: LaneContext,
  plan: Plan,
  code: FaultCode,
  isSticky: boolean,
  countReads: boolean,
): Promise<void> {
  for (let call = 0; ; call++) {
    if (context.isOver()) {
      context.count('sweeps cut off by the clock')
      return
    }
    const fault: Fault = { plan, call, code, isSticky, countReads }
    const { hit, error } = await runFault(fault)
    if (hit === undefined && error === undefined) {
      context.count('sweeps over every call of a life')
      return
    }
    context.count(`faults ${isSticky ? 'from then on' : 'once'}`)
    context.count(`with ${code}`)
    if (hit !== undefined) context.count(`at ${hit.op}`)
    if (error === undefined) continue
    const kind = kindOf(error)
    const steps = await minimize(plan.steps, async (shorter) => (await fails(fault, shorter)) === kind)
    const minimal = await firstThatFails({ ...fault, plan: { ...plan, steps } })
    context.finding(kind, messageOf(error), minimal ?? fault)
    return
  }
}

/** What goes wrong first in a life whose calls fail, if anything does: as T3, with one error. */
export async function firstFault(plan: Plan): Promise<unknown> {
  for (const isSticky of [false, true]) {
    const fault = await firstThatFails({ plan: waiting(plan), call: 0, code: 'EIO', isSticky, countReads: false })
    if (fault !== undefined) return (await runFault(fault)).error
  }
  return undefined
}

/** How a shorter life fails, at whichever of its calls. */
async function fails(fault: Fault, steps: readonly Step[]): Promise<string | undefined> {
  const first = await firstThatFails({ ...fault, plan: { ...fault.plan, steps } })
  return first === undefined ? undefined : kindOf((await runFault(first)).error)
}

async function firstThatFails(fault: Fault): Promise<Fault | undefined> {
  for (let call = 0; ; call++) {
    const { hit, error } = await runFault({ ...fault, call })
    if (error !== undefined) return { ...fault, call }
    if (hit === undefined) return undefined
  }
}

/** @returns the first call that was made to fail, unless the life ends before it; and what is wrong */
async function runFault({ plan, ...where }: Fault): Promise<{ hit: FileCall | undefined; error: unknown }> {
  const options = OPTION_SETS[plan.options]
  const run = new FaultRun({ ...where, options }, (runner, onOpen) => livePlan(runner, plan.steps, onOpen))
  try {
    await run.run()
    await run.recover()
  } catch (error) {
    return { hit: run.hit, error }
  }
  return { hit: run.hit, error: undefined }
}

/** What an assertion says, without the place where it failed. */
function kindOf(error: unknown): string {
  const said = messageOf(error).split('\n')[0].split('): ').at(-1) ?? ''
  return said.replaceAll(/\d+/g, 'N').slice(0, 80)
}

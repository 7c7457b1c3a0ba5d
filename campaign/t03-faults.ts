/**
 * T3, a fault at every file-system call: each call of random lives fails, with each error, once or from then on; then power is
 * lost, and what is left is opened (test/crash/fault-run.ts has the promises).
 */
import type { FaultCode } from '../src/env/fault-call.ts'
import { FaultRun } from '../test/crash/fault-run.ts'
import type { Campaign, CampaignContext } from './campaign.ts'
import { OPTION_SETS, type Plan, randomPlan, type Step } from './lives/plan.ts'
import { livePlan } from './lives/planned-life.ts'
import { messageOf, minimize } from './minimize.ts'

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

export const FAULTS: Campaign = {
  name: 't03-faults',
  title: 'a fault at every file-system call, with every error, once and from then on',
  ciSeconds: 60,
  longShare: 10,

  async run(context) {
    for (let seed = context.seed; !context.isOver(); seed++) {
      const plan = planOf(seed)
      for (const code of CODES) {
        for (const isSticky of [false, true]) await failEverywhere(context, plan, code, isSticky, seed % 4 === 0)
      }
      context.count('lives')
    }
  },

  async replay(reproduction) {
    const { error } = await runFault(reproduction as Fault)
    if (error !== undefined) throw error
  },
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
  context: CampaignContext,
  plan: Plan,
  code: FaultCode,
  isSticky: boolean,
  countReads: boolean,
): Promise<void> {
  for (let call = 0; !context.isOver(); call++) {
    const fault: Fault = { plan, call, code, isSticky, countReads }
    const { isHit, error } = await runFault(fault)
    if (!isHit) return
    context.count(`faults ${isSticky ? 'from then on' : 'once'}`)
    context.count(code)
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
    const { isHit, error } = await runFault({ ...fault, call })
    if (error !== undefined) return { ...fault, call }
    if (!isHit) return undefined
  }
}

async function runFault({ plan, ...where }: Fault): Promise<{ isHit: boolean; error: unknown }> {
  const options = OPTION_SETS[plan.options]
  const run = new FaultRun({ ...where, options }, (runner, onOpen) => livePlan(runner, plan.steps, onOpen))
  try {
    await run.run()
    await run.recover()
  } catch (error) {
    return { isHit: true, error }
  }
  return { isHit: run.hit !== undefined, error: undefined }
}

/** What an assertion says, without the place where it failed. */
function kindOf(error: unknown): string {
  const said = messageOf(error).split('\n')[0].split('): ').at(-1) ?? ''
  return said.replaceAll(/\d+/g, 'N').slice(0, 80)
}

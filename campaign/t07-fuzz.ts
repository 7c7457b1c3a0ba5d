/**
 * T7, fuzzing: every decoder on inputs that were valid once and have been changed, with their checksums made right again. The
 * property is in fuzz/fuzz-run.ts.
 */

import type { Campaign, CampaignContext } from './campaign.ts'
import { executeOnce, fuzz, makeTargets } from './fuzz/fuzz-run.ts'
import { fromHex } from './fuzz/hex.ts'
import { EXECUTIONS, schedule, seedOf } from './fuzz/schedule.ts'
import { runLanes } from './lane/lane.ts'

export const FUZZ: Campaign = {
  name: 't07-fuzz',
  title: 'every decoder on hostile inputs',
  ciSeconds: 50,
  longShare: 14,
  run,
  replay,
}

/** An input; or, of what never ended, the step. */
type Reproduction =
  | { readonly target: string; readonly input: string }
  | { readonly seed: number; readonly step: number }

async function run(context: CampaignContext): Promise<void> {
  const { seed } = context
  const turns = schedule(await makeTargets())
  await runLanes(context, {
    module: new URL('./fuzz/fuzz-worker.js', import.meta.url),
    data: { seed },
    first: 0,
    limit: Number.MAX_SAFE_INTEGER,
    describe: (step) => ({
      details: turns[step % turns.length].name,
      reproduction: { seed, step } satisfies Reproduction,
    }),
  })
}

async function replay(reproduction: unknown): Promise<void> {
  const what = reproduction as Reproduction
  const targets = await makeTargets()
  if ('step' in what) {
    const turns = schedule(targets)
    fuzz(turns[what.step % turns.length], seedOf(what.seed, what.step), EXECUTIONS)
    return
  }
  const target = targets.find(({ name }) => name === what.target)
  if (target === undefined) throw new Error(`no decoder ${what.target}`)
  executeOnce(target, fromHex(what.input), true)
}

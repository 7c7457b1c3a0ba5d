/**
 * T6, damage: every byte of every file of small databases is changed in eleven ways, and every file is cut at every length,
 * removed, replaced and exchanged; each time the database is opened, read in every way, written to, and opened again.
 * What is allowed to happen is in damage/verdict.ts.
 *
 * In memory, so that it is thousands a second; special files are the real file system's (damage/special-files.ts).
 */
import type { Campaign, CampaignContext } from './campaign.ts'
import { type Case, DamagePlan } from './damage/damages.ts'
import { SHAPE_NAMES, shapeNamed } from './damage/shapes.ts'
import { ON_DISK, type SpecialCase, sampled, specialCases, trySpecial } from './damage/special-files.ts'
import { judge } from './damage/verdict.ts'
import { runLanes } from './lane/lane.ts'
import { partOf } from './part.ts'

/** What is done on disk takes no more of the time. */
const SPECIAL_SHARE = 0.2

export const DAMAGE: Campaign = {
  name: 't06-damage',
  title: 'damage to every byte of every kind of file',
  ciSeconds: 42,
  longShare: 9,
  run,
  replay,
}

async function run(context: CampaignContext): Promise<void> {
  const shapes = await Promise.all(SHAPE_NAMES.map(shapeNamed))
  const special = specialCases(shapes)
  await runLanes(partOf(context, SPECIAL_SHARE), {
    module: new URL('./damage/special-worker.js', import.meta.url),
    data: { seed: context.seed },
    first: 0,
    limit: special.length + ON_DISK,
    describe: (step) => ({
      details: `on disk, ${JSON.stringify(special[step] ?? step)}`,
      reproduction: special[step] ?? sampled(shapes, context.seed, step - special.length),
    }),
  })
  const plan = new DamagePlan(shapes, context.seed)
  await runLanes(context, {
    module: new URL('./damage/damage-worker.js', import.meta.url),
    data: { seed: context.seed },
    first: 0,
    limit: Number.MAX_SAFE_INTEGER,
    describe: (step) => ({ details: JSON.stringify(plan.at(step)), reproduction: plan.at(step) }),
    total: plan.complete,
  })
}

async function replay(reproduction: unknown): Promise<void> {
  const what = reproduction as Case | SpecialCase
  const shape = await shapeNamed(what.shape)
  if ('damage' in what) await judge(shape, what.damage)
  else await trySpecial(shape, what)
}

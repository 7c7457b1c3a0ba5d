/**
 * The thread of the damage campaign: step i is case i of the plan.
 */
import { takeSteps } from '../lane/lane-worker.ts'
import type { Tally } from '../lane/tally.ts'
import type { DamageData } from './damage-worker-data.ts'
import { DamagePlan } from './damages.ts'
import { SHAPE_NAMES, shapeNamed } from './shapes.ts'
import { judge, Violation } from './verdict.ts'

const shapes = await Promise.all(SHAPE_NAMES.map(shapeNamed))

await takeSteps((data) => {
  const plan = new DamagePlan(shapes, (data as DamageData).seed)
  return async (step: number, tally: Tally) => {
    const { shape, damage } = plan.at(step)
    tally.count('damaged databases opened')
    try {
      tally.count(await judge(await shapeNamed(shape), damage))
    } catch (error) {
      if (!(error instanceof Violation)) throw error
      tally.finding(error.kind, `${shape}, ${JSON.stringify(damage)}: ${error.message}`, { shape, damage })
    }
  }
})

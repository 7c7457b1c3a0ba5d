/**
 * The thread of the damage campaign: step i is case i of the plan.
 */
import { takeSteps } from '../lane/lane-worker.ts'
import type { Tally } from '../lane/tally.ts'
import type { DamageData } from './damage-worker-data.ts'
import { bytesOf, type Damage, DamagePlan } from './damages.ts'
import { SHAPE_NAMES, type Shape, shapeNamed } from './shapes.ts'
import { judge, Violation } from './verdict.ts'

/** Stacks take longer to make than most refusals: they are made for violations only. */
Error.stackTraceLimit = 0
const STACK = 20

const shapes = await Promise.all(SHAPE_NAMES.map(shapeNamed))

await takeSteps((data) => {
  const plan = new DamagePlan(shapes, (data as DamageData).seed)
  return async (step: number, tally: Tally) => {
    const { shape, damage } = plan.at(step)
    const known = await shapeNamed(shape)
    tally.count('damaged databases opened')
    if (plan.isFirstOfByte(step)) tally.count(`bytes of '${shape}' changed once, of ${bytesOf(known)}`)
    try {
      tally.count(await judge(known, damage))
    } catch (error) {
      if (!(error instanceof Violation)) throw error
      const { kind, message } = await withStack(known, damage, error)
      tally.finding(kind, `${shape}, ${JSON.stringify(damage)}: ${message}`, { shape, damage })
    }
  }
})

/** The same once more, and where it came from. */
async function withStack(shape: Shape, damage: Damage, seen: Violation): Promise<Violation> {
  Error.stackTraceLimit = STACK
  try {
    await judge(shape, damage)
  } catch (error) {
    if (error instanceof Violation) return error
  } finally {
    Error.stackTraceLimit = 0
  }
  return seen
}

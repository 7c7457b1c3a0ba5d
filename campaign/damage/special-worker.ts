/**
 * The thread of the damage campaign that uses the real file system: an open that waits for a pipe would hang it.
 */
import { takeSteps } from '../lane/lane-worker.ts'
import type { Tally } from '../lane/tally.ts'
import type { DamageData } from './damage-worker-data.ts'
import { SHAPE_NAMES, shapeNamed } from './shapes.ts'
import { judgeOnDisk, sampled, specialCases, trySpecial } from './special-files.ts'
import { Violation } from './verdict.ts'

const shapes = await Promise.all(SHAPE_NAMES.map(shapeNamed))
const cases = specialCases(shapes)

await takeSteps((data) => {
  const { seed } = data as DamageData
  return async (step: number, tally: Tally) => {
    const special = cases[step]
    const ordinary = special === undefined ? sampled(shapes, seed, step - cases.length) : undefined
    try {
      if (special !== undefined) {
        await trySpecial(await shapeNamed(special.shape), special)
        tally.count('pipes, links and directories in place of files')
      } else if (ordinary !== undefined) {
        await judgeOnDisk(await shapeNamed(ordinary.shape), ordinary.damage)
        tally.count('damaged databases opened on disk')
      }
    } catch (error) {
      if (!(error instanceof Violation)) throw error
      tally.finding(
        `on disk: ${error.kind}`,
        `${JSON.stringify(special ?? ordinary)}: ${error.message}`,
        special ?? ordinary,
      )
    }
  }
})

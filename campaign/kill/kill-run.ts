/**
 * Lives on several directories, one after another, until the time is over.
 */

import { Prng } from '../../src/base/prng.ts'
import type { CampaignContext } from '../campaign.ts'
import type { EngineName, Level } from '../engines/engine.ts'
import { LifeError } from './check-batches.ts'
import { Lives } from './lives.ts'

/** On one directory; it grows. */
const LIVES_MAX = 30

export interface KillRun {
  readonly engines: readonly EngineName[]
  readonly levels: readonly Level[]
  /** What its counts are called: of whom. */
  readonly whose: string
  /** Lives at most; without it, as many as there is time for. */
  readonly limit?: number
}

/** Directories that are written to at the same time; six of them are killed no more often on two cores. */
const AT_ONCE = 3

/** @returns what went wrong, instead of a finding, if it is somebody else's */
export async function runKills(context: CampaignContext, run: KillRun): Promise<string[]> {
  const prng = new Prng(context.seed)
  const failures: string[] = []
  const left = { lives: run.limit ?? Number.POSITIVE_INFINITY, directories: 0 }
  const lane = async (): Promise<void> => {
    while (left.lives > 0 && !context.isOver()) await runDirectory(context, run, prng, left, failures)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
  return failures
}

async function runDirectory(
  context: CampaignContext,
  { engines, levels, whose }: KillRun,
  prng: Prng,
  left: { lives: number; directories: number },
  failures: string[],
): Promise<void> {
  const level = levels[left.directories++ % levels.length]
  const seed = prng.next32()
  const lives = new Lives(engines, level, seed)
  try {
    for (let i = 0; i < LIVES_MAX && left.lives > 0 && !context.isOver(); i++) {
      left.lives--
      await lives.next()
      context.count(`SIGKILLs of ${whose} at '${level}'`)
    }
    await lives.look()
    context.count(`batches found whole of ${whose}`, lives.counts.batches)
  } catch (error) {
    if (!(error instanceof LifeError)) throw error
    const details = `${engines.join(' and ')} at ${level}, seed ${seed}, life ${lives.counts.lives + 1}: ${error.message}`
    if (engines.includes('varve')) context.finding('lost or wrong after SIGKILL', details, { engines, level, seed })
    else failures.push(details)
  } finally {
    lives.dispose()
  }
}

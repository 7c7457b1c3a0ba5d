/**
 * Lives on several directories, one after another, until the time is over.
 */
import type { CampaignContext } from '../campaign.ts'
import { Prng } from '../../src/base/prng.ts'
import type { EngineName, Level } from '../engines/engine.ts'
import { LifeError, Lives } from './lives.ts'

/** On one directory; it grows. */
const LIVES_MAX = 60

export interface KillRun {
  readonly engines: readonly EngineName[]
  readonly levels: readonly Level[]
  /** What its counts are called: of whom. */
  readonly whose: string
  /** Lives at most; without it, as many as there is time for. */
  readonly limit?: number
}

/** @returns what went wrong, instead of a finding, if it is somebody else's */
export async function runKills(context: CampaignContext, { engines, levels, whose, limit }: KillRun): Promise<string[]> {
  const prng = new Prng(context.seed)
  const failures: string[] = []
  const most = limit ?? Number.POSITIVE_INFINITY
  for (let done = 0; done < most && !context.isOver(); ) {
    const level = levels[prng.below(levels.length)]
    const seed = prng.next32()
    const lives = new Lives(engines, level, seed)
    try {
      for (let i = 0; i < LIVES_MAX && done < most && !context.isOver(); i++, done++) {
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
  return failures
}

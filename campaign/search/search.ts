/**
 * Search: a campaign whose steps have nothing to do with each other, and depend on its seed and their number alone. They are
 * taken on as many threads as there are processors (lane/lane.ts); a step that never lets go is a finding.
 */
import type { CampaignContext } from '../campaign.ts'
import { runLanes } from '../lane/lane.ts'
import type { LaneContext } from '../lane/tally.ts'

export interface Search {
  /** That of its campaign. */
  readonly name: string
  /** Steps after which all is done, if there are not as many as one likes. */
  readonly limit?: number
  step(context: LaneContext, seed: number, step: number): Promise<void>
  /** What a step does, for whoever has to do it again. */
  reproduction(seed: number, step: number): unknown
}

export interface SearchData {
  readonly name: string
  readonly seed: number
}

/** Take the steps until the time is over, or there are none left. */
export function runSearch(context: CampaignContext, { name, limit, reproduction }: Search): Promise<void> {
  const { seed } = context
  const data: SearchData = { name, seed }
  return runLanes(context, {
    module: new URL('./search-worker.js', import.meta.url),
    data,
    first: 0,
    limit: limit ?? Number.MAX_SAFE_INTEGER,
    hasLongSteps: true,
    describe: (step) => ({ details: `seed ${seed}, step ${step}`, reproduction: reproduction(seed, step) }),
  })
}

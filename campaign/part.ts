/**
 * A part of a campaign's time, as a campaign of its own that counts and finds for the whole.
 */
import type { CampaignContext } from './campaign.ts'

/** @param share of the time that is left, from 0 to 1 */
export function partOf(context: CampaignContext, share: number): CampaignContext {
  const now = performance.now()
  const deadline = now + (context.deadline - now) * share
  return {
    seed: context.seed,
    deadline,
    isOver: () => performance.now() >= deadline || context.isOver(),
    count: (what, by) => context.count(what, by),
    finding: (kind, details, reproduction) => context.finding(kind, details, reproduction),
    progress: (done, total) => context.progress(done, total),
  }
}

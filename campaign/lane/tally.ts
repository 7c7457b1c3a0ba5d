/**
 * Tally: what a part of a campaign counts and finds: the part of the campaign's context that also exists on a worker thread.
 */
import type { CampaignContext, Finding } from '../campaign.ts'

export type Tally = Pick<CampaignContext, 'count' | 'finding'>

/** A tally whose owner may have had enough. */
export type LaneContext = Tally & Pick<CampaignContext, 'isOver'>

/** Keeps what is counted and found until it is taken. */
export class KeptTally implements Tally {
  #counts: Record<string, number> = {}
  #findings: Finding[] = []

  count(what: string, by: number = 1): void {
    this.#counts[what] = (this.#counts[what] ?? 0) + by
  }

  finding(kind: string, details: string, reproduction: unknown): void {
    this.#findings.push({ kind, details, reproduction })
  }

  take(): Taken {
    const taken = { counts: this.#counts, findings: this.#findings }
    this.#counts = {}
    this.#findings = []
    return taken
  }
}

/** Plain data, so that it crosses threads. */
export interface Taken {
  readonly counts: Readonly<Record<string, number>>
  readonly findings: readonly Finding[]
}

export function addTo(tally: Tally, { counts, findings }: Taken): void {
  for (const [what, by] of Object.entries(counts)) tally.count(what, by)
  for (const { kind, details, reproduction } of findings) tally.finding(kind, details, reproduction)
}

/**
 * The campaigns, in the order in which all of them are run.
 */
import type { Campaign } from './campaign.ts'
import { CRASH } from './t01-crash.ts'
import { SEQUENCES } from './t02-sequences.ts'
import { FAULTS } from './t03-faults.ts'
import { MISTAKES } from './t04-mutants.ts'
import { MODELS } from './t08-models.ts'
import { SCHEDULES } from './t09-schedules.ts'
import { THREADS } from './t10-threads.ts'

export const CAMPAIGNS: readonly Campaign[] = [CRASH, SEQUENCES, FAULTS, MISTAKES, MODELS, SCHEDULES, THREADS]

/** @throws Error if there is none of that name; the beginning of a name is enough */
export function campaignNamed(name: string): Campaign {
  const found = CAMPAIGNS.find((campaign) => campaign.name === name || campaign.name.startsWith(`${name}-`))
  if (found !== undefined) return found
  throw new Error(`no campaign ${name}; there are ${CAMPAIGNS.map((campaign) => campaign.name).join(', ')}`)
}

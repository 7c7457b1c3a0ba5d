/**
 * The campaigns, in the order in which all of them are run.
 */
import type { Campaign } from './campaign.ts'
import { t05Kill } from './t05-kill.ts'
import { t06Damage } from './t06-damage.ts'
import { t07Fuzz } from './t07-fuzz.ts'
import { t11Exchange } from './t11-exchange.ts'

export const CAMPAIGNS: readonly Campaign[] = [t05Kill, t06Damage, t07Fuzz, t11Exchange]

/** @throws Error if there is none of that name; the beginning of a name is enough */
export function campaignNamed(name: string): Campaign {
  const found = CAMPAIGNS.find((campaign) => campaign.name === name || campaign.name.startsWith(`${name}-`))
  if (found !== undefined) return found
  throw new Error(`no campaign ${name}; there are ${CAMPAIGNS.map((campaign) => campaign.name).join(', ')}`)
}

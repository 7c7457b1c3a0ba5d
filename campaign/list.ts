/**
 * The campaigns, in the order in which all of them are run.
 */
import type { Campaign } from './campaign.ts'
import { FULL_DISK, PEERS_DAMAGE, PEERS_FULL_DISK, PEERS_KILL } from './peers.ts'
import { CRASH } from './t01-crash.ts'
import { SEQUENCES } from './t02-sequences.ts'
import { FAULTS } from './t03-faults.ts'
import { MISTAKES } from './t04-mutants.ts'
import { KILL } from './t05-kill.ts'
import { DAMAGE } from './t06-damage.ts'
import { FUZZ } from './t07-fuzz.ts'
import { MODELS } from './t08-models.ts'
import { SCHEDULES } from './t09-schedules.ts'
import { THREADS } from './t10-threads.ts'
import { EXCHANGE } from './t11-exchange.ts'
import { LOCKS } from './t12-locks.ts'
import { SOAK } from './t13-soak.ts'
import { BOUNDS } from './t14-bounds.ts'
import { LEAKS } from './t15-leaks.ts'
import { COVERAGE } from './t16-coverage.ts'
import { CUT_OFF } from './t18-cut-off.ts'
import { POWER } from './t19-power.ts'

export const CAMPAIGNS: readonly Campaign[] = [
  CRASH,
  SEQUENCES,
  FAULTS,
  MISTAKES,
  KILL,
  DAMAGE,
  FUZZ,
  MODELS,
  SCHEDULES,
  THREADS,
  EXCHANGE,
  LOCKS,
  SOAK,
  BOUNDS,
  LEAKS,
  COVERAGE,
  FULL_DISK,
  CUT_OFF,
  POWER,
  PEERS_DAMAGE,
  PEERS_KILL,
  PEERS_FULL_DISK,
]

/** @throws Error if there is none of that name; the beginning of a name is enough, and T1 is t01 */
export function campaignNamed(name: string): Campaign {
  const wanted = name.toLowerCase().replace(/^t(?=\d$)/, 't0')
  const found = CAMPAIGNS.find((campaign) => campaign.name === wanted || campaign.name.startsWith(`${wanted}-`))
  if (found !== undefined) return found
  throw new Error(`no campaign ${name}; there are ${CAMPAIGNS.map((campaign) => campaign.name).join(', ')}`)
}

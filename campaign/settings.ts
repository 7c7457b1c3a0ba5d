/**
 * Settings: the command line of the campaigns.
 */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import type { Campaign } from './campaign.ts'
import { CAMPAIGNS, campaignNamed } from './list.ts'
import { REGRESSIONS, RESULTS } from './places.ts'

export const USAGE = `npm run campaign -- NAME… | all | ci  [options]

  NAME…          these campaigns (t01, t01-crash)
  all            each of them, for its part of the time
  ci             each of them, for as long as it has in CI

  --seconds N    the time, of all together; of one campaign, what it has in CI is the default
  --hours N      the same in hours
  --seed N       what random choices come from (a new one each time)
  --out DIR      where results go (campaign/results)
  --findings DIR where findings go (test/regressions)
  --resume       without the campaigns that were done before, at this commit, with this --seed and time
  --list         name the campaigns

  VARVE_SUBJECTS=jobs/ VARVE_TESTS=jobs/,-jobs/chores npm run campaign -- t16
                 small changes of these files of src/, with these tests and without those that have a - before them`

/** A campaign, and how long it runs. */
export interface Planned {
  readonly campaign: Campaign
  readonly seconds: number
}

export interface Settings {
  readonly plan: readonly Planned[]
  readonly seed: number
  readonly out: string
  readonly findings: string
  readonly isResumed: boolean
}

/** @throws Error for an unknown option or a value that is none; undefined if help was asked for */
export function readSettings(argv: string[]): Settings | undefined {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      seconds: { type: 'string' },
      hours: { type: 'string' },
      seed: { type: 'string' },
      out: { type: 'string', default: RESULTS },
      findings: { type: 'string', default: REGRESSIONS },
      resume: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help || values.list || positionals.length === 0) return undefined
  if (values.resume && values.seed === undefined) throw new Error('--resume needs the --seed of the run to go on with')
  const hours = values.hours === undefined ? undefined : positive('hours', values.hours) * 3600
  const seconds = values.seconds === undefined ? hours : positive('seconds', values.seconds)
  return {
    plan: plan(positionals, seconds),
    seed: values.seed === undefined ? randomInt(2 ** 31) : positive('seed', values.seed),
    out: values.out,
    findings: values.findings,
    isResumed: values.resume,
  }
}

/** A line for each campaign. */
export function listing(): string {
  return CAMPAIGNS.map(({ name, title, ciSeconds }) => `  ${name.padEnd(18)} ${title} (CI: ${ciSeconds} s)`).join('\n')
}

/** What has no time in CI has so much if it is named. */
const NAMED_SECONDS = 60

function plan(names: readonly string[], seconds: number | undefined): Planned[] {
  const isAll = names[0] === 'all'
  const isNamed = !isAll && names[0] !== 'ci'
  const campaigns = isNamed ? names.map(campaignNamed) : CAMPAIGNS
  const share = ({ ciSeconds, longShare }: Campaign): number => {
    if (isAll && seconds !== undefined) return longShare
    return ciSeconds === 0 && isNamed ? NAMED_SECONDS : ciSeconds
  }
  const total = seconds === undefined ? undefined : campaigns.reduce((sum, campaign) => sum + share(campaign), 0)
  return campaigns
    .filter((campaign) => share(campaign) > 0)
    .map((campaign) => ({ campaign, seconds: (share(campaign) * (seconds ?? 1)) / (total ?? 1) }))
}

function positive(name: string, text: string): number {
  const value = Number(text)
  if (Number.isFinite(value) && value > 0) return value
  throw new Error(`--${name} takes a positive number, not ${text}`)
}

/**
 * main: runs campaigns one after another, keeps their results, and what they found as regressions. Status 1 if anything was
 * found, 2 if a campaign itself failed; the others run all the same. Ctrl-C ends the campaign that runs, and keeps what there
 * is; after any other end, what there was a minute before. --resume goes on behind the last campaign that was done.
 */
import { describeMachine } from '../bench/machine.ts'
import type { CampaignResult } from './campaign.ts'
import { repository } from './places.ts'
import { duration, ProgressLine } from './progress-line.ts'
import { keepFindings } from './regressions.ts'
import { keepResult, readResults } from './results.ts'
import { runCampaign } from './run-campaign.ts'
import { listing, type Planned, readSettings, type Settings, USAGE } from './settings.ts'

async function main(): Promise<void> {
  const settings = readSettings(process.argv.slice(2))
  if (settings === undefined) {
    console.log(`${USAGE}\n\n${listing()}`)
    return
  }
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  const plan = leftToDo(settings)
  let found = 0
  let failed = 0
  for (const [i, planned] of plan.entries()) {
    if (stop.signal.aborted) break
    if (plan.length > 1) announce(plan, i)
    try {
      found += await runOne(planned, settings, stop.signal)
    } catch (error) {
      console.error(planned.campaign.name, error)
      failed++
    }
  }
  const outcome = found === 0 ? 'nothing found' : `${found} FINDINGS`
  console.log(
    `seed ${settings.seed}: ${outcome}${failed === 0 ? '' : `, but ${failed} of ${plan.length} campaigns FAILED`}`,
  )
  process.exitCode = found > 0 ? 1 : failed > 0 ? 2 : 0
}

/** With --resume, without what has been done whole at this commit, with this seed, for as long. */
function leftToDo({ plan, out, seed, isResumed }: Settings): readonly Planned[] {
  if (!isResumed) return plan
  const results = readResults(out)
  const { commit } = describeMachine(repository())
  return plan.filter(({ campaign, seconds }) => {
    const isDone = results
      .get(campaign.name)
      ?.some(
        (run) =>
          run.commit === commit && run.seed === seed && run.isCut === false && (run.plannedSeconds ?? 0) >= seconds - 1,
      )
    if (isDone) console.log(`${campaign.name}: done before`)
    return !isDone
  })
}

/** Which campaign comes, and how long all of those that are left take. */
function announce(plan: readonly Planned[], at: number): void {
  const { campaign, seconds } = plan[at]
  const left = plan.slice(at).reduce((sum, planned) => sum + planned.seconds, 0)
  const end = new Date(Date.now() + left * 1000).toTimeString().slice(0, 5)
  console.log(
    `[${at + 1}/${plan.length}] ${campaign.name}, ${duration(seconds)}; all done in ${duration(left)}, at ${end}`,
  )
}

/** @returns how many findings there were */
async function runOne({ campaign, seconds }: Planned, settings: Settings, signal: AbortSignal): Promise<number> {
  const { seed, out, findings } = settings
  const keep = (result: CampaignResult): void => keepResult(out, result)
  const result = await runCampaign(campaign, { seed, seconds, signal, line: new ProgressLine(), keep })
  keep(result)
  const counted = Object.entries(result.counts).map(([what, count]) => `${count.toLocaleString('en')} ${what}`)
  const outcome = `${result.findings.length} findings in ${duration(result.seconds)}`
  console.log(`${campaign.name} (seed ${seed}): ${[...counted, outcome].join(', ')}`)
  for (const { kind, details } of result.findings) console.log(`  FOUND ${kind}: ${details.slice(0, 300)}`)
  if (campaign.replay !== undefined) {
    for (const name of keepFindings(findings, result)) console.log(`  ${name}`)
  }
  return result.findings.length
}

try {
  await main()
} catch (error) {
  console.error(error)
  process.exitCode = 2
}

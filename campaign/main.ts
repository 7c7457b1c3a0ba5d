/**
 * main: runs campaigns one after another, keeps their results, and what they found as regressions. Status 1 if anything was
 * found, 2 if a campaign itself failed. Ctrl-C ends the campaign that runs, and keeps what there is.
 */
import { duration, ProgressLine } from './progress-line.ts'
import { keepFindings } from './regressions.ts'
import { keepResult } from './results.ts'
import { runCampaign } from './run-campaign.ts'
import { listing, readSettings, type Settings, USAGE } from './settings.ts'

async function main(): Promise<void> {
  const settings = readSettings(process.argv.slice(2))
  if (settings === undefined) {
    console.log(`${USAGE}\n\n${listing()}`)
    return
  }
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  let found = 0
  for (const planned of settings.plan) {
    if (stop.signal.aborted) break
    found += await runOne(planned, settings, stop.signal)
  }
  console.log(found === 0 ? `seed ${settings.seed}: nothing found` : `seed ${settings.seed}: ${found} FINDINGS`)
  if (found > 0) process.exitCode = 1
}

/** @returns how many findings there were */
async function runOne(
  { campaign, seconds }: Settings['plan'][number],
  { seed, out, findings }: Settings,
  signal: AbortSignal,
): Promise<number> {
  const result = await runCampaign(campaign, { seed, seconds, signal, line: new ProgressLine() })
  keepResult(out, result)
  const counted = Object.entries(result.counts).map(([what, count]) => `${count.toLocaleString('en')} ${what}`)
  const outcome = `${result.findings.length} findings in ${duration(result.seconds)}`
  console.log(`${campaign.name} (seed ${seed}): ${[...counted, outcome].join(', ')}`)
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

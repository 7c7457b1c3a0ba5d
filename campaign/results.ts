/**
 * Results of campaigns as files: one a campaign, with all its runs, newest last.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CampaignResult } from './campaign.ts'

/** Runs that a file keeps. */
const RUNS_MAX = 200

/** Add a run to the file of its campaign, in place of what was kept of the same run before. */
export function keepResult(directory: string, result: CampaignResult): void {
  mkdirSync(directory, { recursive: true })
  const path = join(directory, `${result.name}.json`)
  const others = (existsSync(path) ? readRuns(path) : []).filter(({ date }) => date !== result.date)
  const runs = [...others, result].slice(-RUNS_MAX)
  // In one step: whoever reads it, or goes on after an end in the middle, finds the file whole.
  writeFileSync(`${path}.new`, `${JSON.stringify({ runs }, undefined, 2)}\n`)
  renameSync(`${path}.new`, path)
}

/** All runs in a directory by campaign, in the order of their names; none if there is no such directory. */
export function readResults(directory: string): Map<string, CampaignResult[]> {
  const results = new Map<string, CampaignResult[]>()
  if (!existsSync(directory)) return results
  for (const name of readdirSync(directory).sort()) {
    if (!name.endsWith('.json')) continue
    const runs = readRuns(join(directory, name))
    if (runs.length > 0) results.set(runs[0].name, runs)
  }
  return results
}

function readRuns(path: string): CampaignResult[] {
  return (JSON.parse(readFileSync(path, 'utf8')) as { readonly runs?: CampaignResult[] }).runs ?? []
}

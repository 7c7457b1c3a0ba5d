/**
 * Regressions: findings as files, which test/regressions.test.ts replays. A file says which campaign made it, what was wrong,
 * and how to do it again; it stays when the defect is gone.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hash32 } from '../src/base/hash.ts'
import type { CampaignResult, Finding } from './campaign.ts'

export interface Regression extends Finding {
  readonly campaign: string
  readonly seed: number
  readonly date: string
  readonly commit: string
}

/** Keep each finding as a file. @returns the names of the files */
export function keepFindings(directory: string, result: CampaignResult): string[] {
  mkdirSync(directory, { recursive: true })
  return result.findings.map(({ kind, details, reproduction }) => {
    const { name: campaign, seed, date, commit } = result
    const regression: Regression = { campaign, kind, details, seed, date, commit, reproduction }
    const name = `${campaign}-${slug(kind)}-${digest(JSON.stringify(reproduction))}.json`
    writeFileSync(join(directory, name), `${JSON.stringify(regression, undefined, 2)}\n`)
    return name
  })
}

/** All regressions by the names of their files. */
export function readRegressions(directory: string): Map<string, Regression> {
  const regressions = new Map<string, Regression>()
  if (!existsSync(directory)) return regressions
  for (const name of readdirSync(directory).sort()) {
    if (!name.endsWith('.json')) continue
    regressions.set(name, JSON.parse(readFileSync(join(directory, name), 'utf8')) as Regression)
  }
  return regressions
}

function slug(kind: string): string {
  return kind
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replaceAll(/^-|-$/g, '')
}

function digest(text: string): string {
  const bytes = new TextEncoder().encode(text)
  return hash32(bytes, 0, bytes.length, 1).toString(16).padStart(8, '0')
}

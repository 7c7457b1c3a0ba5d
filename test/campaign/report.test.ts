/**
 * RELIABILITY.md: made from results alone, and never claims more than they say.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeMachine } from '../../bench/machine.ts'
import type { CampaignResult } from '../../campaign/campaign.ts'
import { reliabilityPage, sumOf } from '../../campaign/report.ts'
import { repository } from '../support/paths.ts'

const machine = describeMachine(repository())

function result(name: string, commit: string, seed: number, counts: Record<string, number>): CampaignResult {
  const date = '2026-11-21T10:00:00.000Z'
  return { name, title: `what ${name} does`, date, commit, seed, seconds: 10, counts, findings: [], machine }
}

test('only runs of the newest commit are added up', () => {
  const sum = sumOf([
    result('t01-crash', 'aaa', 1, { 'crash images': 1000 }),
    result('t01-crash', 'bbb', 2, { 'crash images': 20 }),
    result('t01-crash', 'bbb', 3, { 'crash images': 3, lives: 1 }),
  ])
  assert.deepEqual([sum.counts, sum.seeds, sum.seconds, sum.runs], [{ 'crash images': 23, lives: 1 }, [2, 3], 20, 2])
})

test('the page has the promises, the figures, the command that repeats them, and what is not covered', () => {
  const results = new Map([
    ['t01-crash', [result('t01-crash', 'bbb', 7, { 'crash images': 12345 })]],
    ['t05-peers', [result('t05-peers', 'bbb', 7, { 'classic-level: lost': 3, 'varve: lost': 0 })]],
  ])
  const page = reliabilityPage(results, ['t01-crash-lost-00000000.json'])
  for (const part of [
    '## Promises',
    '12,345 crash images',
    'npm run campaign -- t01-crash --seconds 10 --seed 7',
    'LevelDB: 24 simulated crashes a run',
    '| classic-level | 3 |',
    '| varve | 0 |',
    '## Not covered',
    't01-crash-lost-00000000.json',
  ]) {
    assert.ok(page.includes(part), part)
  }
})

test('without results the page claims nothing', () => {
  const page = reliabilityPage(new Map(), [])
  assert.ok(page.includes('No results here.'))
  assert.doesNotMatch(page, /\d,\d{3} crash images/)
})

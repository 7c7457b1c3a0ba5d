/**
 * RELIABILITY.md: made from results alone, and never claims more than they say.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeMachine } from '../../bench/machine.ts'
import type { CampaignResult } from '../../campaign/campaign.ts'
import { CAMPAIGNS } from '../../campaign/list.ts'
import { reliabilityPage } from '../../campaign/report.ts'
import { sumOf } from '../../campaign/report-tables.ts'
import { diagnostics } from '../../campaign/t10-threads.ts'
import { GOALS, OTHERS, PROMISES } from '../../campaign/words.ts'
import { repository } from '../support/paths.ts'

const machine = describeMachine(repository())

function result(name: string, commit: string, seed: number, counts: Record<string, number>): CampaignResult {
  const date = '2026-11-21T10:00:00.000Z'
  return { name, title: `what ${name} does`, date, commit, seed, seconds: 10, counts, findings: [], machine }
}

test('only runs of the newest commit are added up; of what is greatest, the greatest counts', () => {
  const sum = sumOf([
    result('t01-crash', 'aaa', 1, { 'crash images': 1000 }),
    result('t01-crash', 'bbb', 2, { 'crash images': 20, 'greatest memory, MiB': 30 }),
    result('t01-crash', 'bbb', 3, { 'crash images': 3, lives: 1, 'greatest memory, MiB': 20 }),
  ])
  const counts = { 'crash images': 23, lives: 1, 'greatest memory, MiB': 30 }
  assert.deepEqual([sum.counts, sum.seeds, sum.seconds, sum.runs], [counts, [2, 3], 20, 2])
})

test('what every run looks at again is not added up: the largest run counts, with its seed, and any finding once', () => {
  const survivor = { kind: 'a mutant survives: x', details: 'x', reproduction: 1 }
  const other = { kind: 'a mutant survives: y', details: 'y', reproduction: 1 }
  const sum = sumOf(
    [
      {
        ...result('t04-mutants', 'bbb', 1, { mutants: 6, 'mutants found': 6, 'greatest memory, MiB': 9 }),
        findings: [other],
      },
      { ...result('t04-mutants', 'bbb', 2, { mutants: 32, 'mutants found': 31 }), findings: [survivor] },
      { ...result('t04-mutants', 'bbb', 3, { mutants: 31, 'mutants found': 30 }), findings: [survivor] },
      result('t04-mutants', 'bbb', 4, { mutants: 2, 'hunts ended by the clock': 1 }),
    ],
    'all',
  )
  assert.deepEqual(sum.counts, { mutants: 32, 'mutants found': 31, 'greatest memory, MiB': 9 })
  assert.deepEqual([sum.seeds, sum.runs, sum.seconds, sum.last.seed, sum.findings], [[2], 1, 10, 2, 2])
})

test('of runs that are as large, the newest counts', () => {
  const runs = [1, 2].map((seed) => result('t04-mutants', 'bbb', seed, { mutants: 32 }))
  assert.deepEqual(sumOf(runs, 'all').seeds, [2])
})

test('of counts that are said to be repeated, and of parts of a known whole, the greatest counts', () => {
  const sum = sumOf(
    [
      result('t10-threads', 'bbb', 1, { schedules: 20, operations: 5, 'lives of 2 steps, of 162': 100 }),
      result('t10-threads', 'bbb', 2, { schedules: 30, operations: 5, 'lives of 2 steps, of 162': 162 }),
      result('t10-threads', 'bbb', 3, { schedules: 10, operations: 5, 'lives of 2 steps, of 162': 90 }),
    ],
    ['schedules'],
  )
  assert.deepEqual(sum.counts, { schedules: 30, operations: 15, 'lives of 2 steps, of 162': 162 })
  assert.deepEqual([sum.seeds, sum.runs], [[1, 2, 3], 3])
})

test('the page counts what the campaigns look at again in each run once: mistakes, branches, mutants, short lives', () => {
  const twice = (name: string, counts: Record<string, number>): [string, CampaignResult[]] => [
    name,
    [result(name, 'bbb', 1, counts), result(name, 'bbb', 2, counts)],
  ]
  const page = reliabilityPage(
    new Map([
      twice('t02-sequences', { lives: 55, 'lives of 1 step, of 18': 18 }),
      twice('t04-mutants', { mutants: 32, 'mutants found': 32 }),
      twice('t07-fuzz', { executions: 1000 }),
      twice('t10-threads', { schedules: 70 }),
      twice('t14-bounds', { 'hostile databases': 14 }),
      twice('t16-coverage', { branches: 2044, 'branches taken': 2044, mutants: 300, 'mutants found': 290 }),
      twice('peers-damage', { 'varve: bytes of the database': 5000 }),
    ]),
    [],
  )
  for (const part of [
    '| T4 | deliberate mistakes found | 30 | 32 |',
    '| 32 mutants, 32 mutants found |',
    '| 55 lives |',
    '| lives of 1 step, of 18 | 18 |',
    '| schedules | 70 |',
    '| hostile databases | 14 |',
    '| 2,044 branches, 2,044 branches taken, 300 mutants, 290 mutants found |',
    '| bytes of the database | 5,000 |',
    '| T7 | executions of decoders | 300,000,000 | 2,000 |',
  ]) {
    assert.ok(page.includes(part), part)
  }
})

test('the page has the promises, the figures, the command that repeats them, and what is not covered', () => {
  const results = new Map([
    ['t01-crash', [result('t01-crash', 'bbb', 7, { 'crash images': 12345, 'killed processes': 55 })]],
    [
      'peers-damage',
      [result('peers-damage', 'bbb', 7, { 'classic-level: lost': 3, 'lmdb: lost': 4, 'varve: right': 9 })],
    ],
    [
      'peers-kill',
      [result('peers-kill', 'bbb', 7, { "SIGKILLs of varve at 'disk'": 16, "SIGKILLs of lmdb at 'os'": 2 })],
    ],
  ])
  const page = reliabilityPage(results, ['t01-crash-lost-00000000.json'])
  for (const part of [
    '## Promises',
    '| crash images | 12,345 |',
    '| T1 | images of crashes judged | 2,400,000 | 12,400 |',
    'npm run campaign -- t01-crash --seconds 10 --seed 7',
    'LevelDB: 24 simulated crashes per run',
    '|  | varve | classic-level | lmdb |',
    '| lost | 0 | 3 | 4 |',
    "| SIGKILLs at 'disk' | 16 | 0 |",
    '## Not covered',
    't01-crash-lost-00000000.json',
  ]) {
    assert.ok(page.includes(part), part)
  }
})

test('a campaign that was not run is said to be not run, wherever it is spoken of', () => {
  const results = new Map([['t01-crash', [result('t01-crash', 'bbb', 7, { 'crash images': 12345 })]]])
  const page = reliabilityPage(results, [])
  for (const { name, title } of CAMPAIGNS) {
    const row = page.split('\n').find((line) => line.startsWith(`| \`${name}\` |`))
    if (name.startsWith('peers')) assert.ok(page.includes(`**${title}**: not run.`), name)
    else assert.equal(row?.includes('| not run |'), name !== 't01-crash', name)
  }
  for (const { words } of GOALS.slice(1)) assert.match(page, new RegExp(`${words} \\| [\\d,]+ \\| not run \\|`))
})

test('every campaign that a promise, a goal or a comparison names is there', () => {
  const named = [
    ...PROMISES.flatMap(({ campaigns }) => campaigns),
    ...[...GOALS, ...OTHERS].map(({ campaign }) => campaign),
  ]
  const names = CAMPAIGNS.map(({ name }) => name)
  const missing = named.filter((one) => !names.some((name) => name.startsWith(`${one}-`) || name.endsWith(one)))
  assert.deepEqual(
    missing.filter((one) => one !== 'coverage'),
    [],
  )
})

test('findings are told', () => {
  const found = { ...result('t01-crash', 'bbb', 7, {}), findings: [{ kind: 'k', details: 'd', reproduction: 1 }] }
  assert.match(reliabilityPage(new Map([['t01-crash', [found]]]), []), /\| `t01-crash` \|[^|]+\| 1 \|/)
})

test('without results the page claims nothing', () => {
  const page = reliabilityPage(new Map(), [])
  assert.ok(!page.includes('Again:'))
  assert.doesNotMatch(page, /\d,\d{3} crash images/)
})

test('the figures that tests of threads give away are counted', () => {
  const output = [
    'ℹ 1,234 schedules',
    'ℹ 302749 operations in 45 tables, seed 1',
    'ℹ 7 operations: a fault',
    'ℹ pass 3',
  ]
  const counted = [
    ['schedules', 1234],
    ['operations found linearizable', 302749],
    ['tests passed', 3],
  ]
  assert.deepEqual(diagnostics(output.join('\n')), counted)
})

/**
 * report: writes RELIABILITY.md from the results of the campaigns, so that every claim in it has a command, a date, a commit and
 * seeds. With --publish, the results of this machine become those in docs/reliability/ first.
 *
 * A campaign without results is said to be not run. Runs of different commits are not added up: those of the newest commit count,
 * of each campaign by itself.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Campaign, CampaignResult } from './campaign.ts'
import { CAMPAIGNS } from './list.ts'
import { PUBLISHED, REGRESSIONS, RESULTS, repository } from './places.ts'
import { readRegressions } from './regressions.ts'
import {
  campaignTable,
  details,
  goalTable,
  isOfPeers,
  othersTable,
  peerTable,
  promiseList,
  sumOf,
  type Told,
} from './report-tables.ts'
import { readResults } from './results.ts'
import { GOALS, NOT_COVERED, OTHERS, PROMISES } from './words.ts'

const INTRODUCTION = `What varve promises about your data, how it is tested, and how much. A *campaign* is a program that searches for failures for as long as you let it, and counts what it has looked at. \`npm run reliability\` makes this page from the results of the campaigns (\`docs/reliability/*.json\`); it is not edited by hand.

A *finding* is a promise that was seen broken. A row has the findings at the commit that it names; each was reduced to a minimal case, which every run of the tests has replayed since. If each run of a campaign looks at other things, the counts are added up; what every run looks at again is counted once, as in the largest run.`

const PEERS_INTRODUCTION = `These were measured here, by one program for all of them, on one machine: engines for Node.js, with their default options except for the size of a write buffer (classic-level is LevelDB in C++, lmdb is LMDB in C). In a copy of a small database, one byte after the other is inverted, and the copy is opened and read; a process that writes is killed over and over; a disk is filled until a write fails, and then given room again. The programs are in \`campaign/peers/\`.`

/** The whole page. */
export function reliabilityPage(
  results: ReadonlyMap<string, readonly CampaignResult[]>,
  regressions: readonly string[],
  campaigns: readonly Pick<Campaign, 'name' | 'title' | 'sameThings'>[] = CAMPAIGNS,
): string {
  const all = campaigns.map(({ name, title, sameThings }): Told => {
    const runs = results.get(name) ?? []
    return { name, title, sum: runs.length === 0 ? undefined : sumOf(runs, sameThings) }
  })
  const own = all.filter(({ name }) => !isOfPeers(name))
  const peers = all.filter(({ name }) => isOfPeers(name))
  return `${[
    '# Reliability',
    INTRODUCTION,
    '## Promises',
    'In brackets are the campaigns that try to break a promise. [docs/durability.md](docs/durability.md) says in detail what survives which failure, and what an opening does about damage.',
    promiseList(PROMISES),
    '## Campaigns',
    campaignTable(own),
    '## How much',
    'The goals that were set for long runs, and what the results here add up to.',
    goalTable(GOALS, own),
    '## Compared with others',
    ...(peers.length === 0 ? [] : [PEERS_INTRODUCTION, ...peers.map(peerTable)]),
    'What other engines publish about their own tests, as far as we could find it. A run of one is not comparable with a run of another, so this shows what is searched for rather than who is better.',
    othersTable(OTHERS, own),
    '## Not covered',
    NOT_COVERED.map((gap) => `- ${gap}`).join('\n'),
    '## Found so far',
    regressions.length === 0
      ? 'No finding is kept in `test/regressions/`.'
      : `What campaigns have found, as minimal cases that every run of the tests replays:\n\n${regressions.map((name) => `- \`${name}\``).join('\n')}`,
    '## In detail',
    ...own.map(details),
  ].join('\n\n')}\n`
}

/** The runs of this machine that count become the published ones, campaign by campaign; those of others stay. */
function publish(): void {
  mkdirSync(PUBLISHED, { recursive: true })
  for (const [name, results] of readResults(RESULTS)) {
    const { commit } = results[results.length - 1]
    const runs = results.filter((run) => run.commit === commit)
    writeFileSync(join(PUBLISHED, `${name}.json`), `${JSON.stringify({ runs }, undefined, 2)}\n`)
  }
}

function main(): void {
  if (process.argv.includes('--publish')) publish()
  const results = readResults(PUBLISHED)
  const unknown = [...results.keys()].filter((name) => !CAMPAIGNS.some((campaign) => campaign.name === name))
  for (const name of unknown) console.error(`${name}.json belongs to no campaign, and is left out`)
  writeFileSync(repository('RELIABILITY.md'), reliabilityPage(results, [...readRegressions(REGRESSIONS).keys()]))
  console.log('RELIABILITY.md')
}

if (process.argv[1]?.endsWith('report.js')) main()

/**
 * report: writes RELIABILITY.md from the results of the campaigns, so that every claim in it has a command, a date, a commit and
 * seeds. With --publish, the results of this machine become those in docs/reliability/ first.
 *
 * Runs of different commits are not added up: those of the newest commit count, of each campaign by itself.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CampaignResult } from './campaign.ts'
import { PUBLISHED, REGRESSIONS, RESULTS, repository } from './places.ts'
import { duration } from './progress-line.ts'
import { readRegressions } from './regressions.ts'
import { readResults } from './results.ts'
import { NOT_COVERED, OTHERS, PROMISES } from './words.ts'

/** A campaign of this kind tells of other engines: its counts are named `ENGINE: WHAT`. */
const PEERS = /peers/

/** All runs of a campaign at one commit. */
interface Sum {
  readonly last: CampaignResult
  readonly runs: number
  readonly seeds: readonly number[]
  readonly seconds: number
  readonly counts: Readonly<Record<string, number>>
  readonly findings: number
}

export function sumOf(results: readonly CampaignResult[]): Sum {
  const last = results[results.length - 1]
  const runs = results.filter(({ commit }) => commit === last.commit)
  const counts: Record<string, number> = {}
  for (const run of runs) {
    for (const [what, count] of Object.entries(run.counts)) counts[what] = (counts[what] ?? 0) + count
  }
  return {
    last,
    runs: runs.length,
    seeds: [...new Set(runs.map(({ seed }) => seed))],
    seconds: runs.reduce((sum, run) => sum + run.seconds, 0),
    counts,
    findings: runs.reduce((sum, run) => sum + run.findings.length, 0),
  }
}

/** The whole page. */
export function reliabilityPage(
  results: ReadonlyMap<string, readonly CampaignResult[]>,
  regressions: readonly string[],
): string {
  const sums = [...results.values()].map(sumOf)
  const own = sums.filter(({ last }) => !PEERS.test(last.name))
  const peers = sums.filter(({ last }) => PEERS.test(last.name))
  return `${[
    '# Reliability',
    'What varve promises, how it is tested, and how much. Made by `npm run reliability` from the results of the campaigns (`docs/reliability/*.json`); not edited by hand. A campaign is a command: `npm run campaign -- NAME --seconds N --seed S` repeats what a line says, with more time if you like.',
    '## Promises',
    PROMISES.map((promise) => `- ${promise}`).join('\n'),
    'How much of a write survives what, and what an opening does about damage: [docs/durability.md](docs/durability.md).',
    '## Campaigns',
    own.length === 0 ? 'No results here.' : ownTable(own),
    ...own.map(details),
    '## Beside the others',
    'What other engines publish about their own tests, as far as we could read it; their figures are not ours, and a run of one is not a run of another.',
    othersTable(own),
    ...(peers.length === 0
      ? []
      : ['Other engines, by the same programs as ours, on the same machine:', ...peers.map(peerTable)]),
    '## Not covered',
    NOT_COVERED.map((gap) => `- ${gap}`).join('\n'),
    '## Regressions',
    regressions.length === 0
      ? 'What a campaign finds is made minimal and kept in `test/regressions/`, which every run of the tests replays. There are none.'
      : `What campaigns have found, made minimal, and replayed by every run of the tests:\n\n${regressions.map((name) => `- \`${name}\``).join('\n')}`,
  ].join('\n\n')}\n`
}

function ownTable(sums: readonly Sum[]): string {
  const rows = sums.map(({ last, runs, seconds, findings }) => [
    `\`${last.name}\``,
    last.title,
    last.date.slice(0, 10),
    `\`${last.commit}\``,
    String(runs),
    duration(seconds),
    String(findings),
  ])
  return table(['Campaign', 'What it does', 'Date', 'Commit', 'Runs', 'Time', 'Findings'], rows)
}

function details({ last, seeds, counts }: Sum): string {
  const counted = Object.entries(counts).map(([what, count]) => `${number(count)} ${what}`)
  const { cpu, cores, node } = last.machine
  return [
    `### ${last.name}`,
    `${counted.join(', ')}.`,
    `Seeds ${seeds.join(', ')}; ${cpu}, ${cores} cores, Node.js ${node.slice(1)}. Again: \`npm run campaign -- ${last.name} --seconds ${Math.ceil(last.seconds)} --seed ${last.seed}\``,
  ].join('\n\n')
}

function othersTable(sums: readonly Sum[]): string {
  const rows = OTHERS.map(({ campaign, what, others }) => {
    const sum = sums.find(({ last }) => last.name.startsWith(campaign))
    const ours = what.filter((name) => sum?.counts[name] !== undefined)
    const said = ours.map((name) => `${number(sum?.counts[name] ?? 0)} ${name}`).join(', ')
    return [campaign.toUpperCase(), said === '' ? '–' : `${said}, ${sum?.findings} findings`, others]
  })
  return table(['', 'varve', 'Others'], rows)
}

/** Counts named `ENGINE: WHAT`, as a table of engines by what. */
function peerTable({ last, counts }: Sum): string {
  const cells = Object.entries(counts).map(([name, count]) => [...name.split(': '), number(count)])
  const engines = [...new Set(cells.map(([engine]) => engine))]
  const whats = [...new Set(cells.map(([, what]) => what))]
  const rows = engines.map((engine) => [
    engine,
    ...whats.map((what) => cells.find(([e, w]) => e === engine && w === what)?.[2] ?? '–'),
  ])
  return `${last.title}, ${last.date.slice(0, 10)}, \`${last.commit}\`:\n\n${table(['Engine', ...whats], rows)}`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

function number(count: number): string {
  return count.toLocaleString('en')
}

/** The runs that count, without what a campaign says in passing. */
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
  const page = reliabilityPage(readResults(PUBLISHED), [...readRegressions(REGRESSIONS).keys()])
  writeFileSync(repository('RELIABILITY.md'), page)
  console.log('RELIABILITY.md')
}

if (process.argv[1]?.endsWith('report.js')) main()

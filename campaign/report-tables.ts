/**
 * The tables of RELIABILITY.md: of sums of runs, and of nothing else. Where a campaign has no runs, a cell says so.
 *
 * What several runs looked at is one thing, not several: such counts are those of the largest run (`sumOf`).
 */
import type { CampaignResult, SameThings } from './campaign.ts'
import { duration } from './progress-line.ts'
import type { Goal, Other, Promised } from './words.ts'

/** All runs of a campaign at one commit; the largest, if all look at the same things. */
export interface Sum {
  readonly last: CampaignResult
  readonly runs: number
  readonly seeds: readonly number[]
  readonly seconds: number
  readonly counts: Readonly<Record<string, number>>
  readonly findings: number
}

/** What is known of a campaign: without a sum, that it was not run. */
export interface Told {
  readonly name: string
  readonly title: string
  readonly sum: Sum | undefined
}

const NOT_RUN = 'not run'
/** A count of this kind is the greatest there was, and no amount. */
const GREATEST = /^greatest /
/** A count of this kind is a part of what there is, the same in each run. */
const PART = /, of \d+$/
/** A campaign of this kind tells of several engines. */
const PEERS = /^peers-/
const ENGINES = ['varve', 'classic-level', 'lmdb'] as const

export function isOfPeers(name: string): boolean {
  return PEERS.test(name)
}

/**
 * Runs of different commits are not added up: those of the newest one count.
 * @param same what every run looks at again
 */
export function sumOf(results: readonly CampaignResult[], same: SameThings = []): Sum {
  const { commit } = results[results.length - 1]
  const all = results.filter((run) => run.commit === commit)
  const runs = same === 'all' ? [largestOf(all)] : all
  const isOnce = (what: string): boolean => GREATEST.test(what) || PART.test(what) || same.includes(what)
  const counts: Record<string, number> = {}
  for (const run of all) {
    for (const [what, count] of Object.entries(run.counts)) {
      if (!runs.includes(run) && !GREATEST.test(what)) continue
      const before = counts[what] ?? 0
      counts[what] = isOnce(what) ? Math.max(before, count) : before + count
    }
  }
  const findings = all.flatMap((run) => run.findings.map(({ kind, details }) => `${kind}: ${details}`))
  return {
    last: runs[runs.length - 1],
    runs: runs.length,
    seeds: [...new Set(runs.map(({ seed }) => seed))],
    seconds: runs.reduce((sum, run) => sum + run.seconds, 0),
    counts,
    findings: same === 'all' ? new Set(findings).size : findings.length,
  }
}

/** The run that counted most; of several, the newest. */
function largestOf(runs: readonly CampaignResult[]): CampaignResult {
  const amountOf = ({ counts }: CampaignResult): number =>
    Object.entries(counts).reduce((sum, [what, count]) => (GREATEST.test(what) ? sum : sum + count), 0)
  return runs.reduce((largest, run) => (amountOf(run) >= amountOf(largest) ? run : largest))
}

export function promiseList(promises: readonly Promised[]): string {
  return promises.map(({ text, campaigns }) => `- ${text} (${campaigns.map(shortName).join(', ')})`).join('\n')
}

export function campaignTable(all: readonly Told[]): string {
  const rows = all.map(({ name, title, sum }) => {
    if (sum === undefined) return [`\`${name}\``, title, NOT_RUN, '–', '–', '–']
    const { last, seconds, findings } = sum
    const runs = sum.runs === 1 ? '' : ` in ${sum.runs} runs`
    const time = `${duration(seconds)}${runs}${last.isCut ? ', cut short' : ''}`
    return [`\`${name}\``, title, String(findings), time, last.date.slice(0, 10), `\`${last.commit}\``]
  })
  return table(['Campaign', 'What it does', 'Findings', 'Time', 'Date', 'Commit'], rows)
}

export function goalTable(goals: readonly Goal[], all: readonly Told[]): string {
  const rows = goals.map(({ campaign, counts, words, goal }) => {
    const sum = sumNamed(all, campaign)
    const reached = sum === undefined ? NOT_RUN : number(total(sum, counts))
    return [shortName(campaign), words, number(goal), reached]
  })
  return table(['', 'What is counted', 'Aimed at', 'Reached'], rows)
}

/** What a campaign has counted, and how to do it again. */
export function details({ name, title, sum }: Told): string {
  if (sum === undefined) return `### ${name}\n\nNot run: ${title}.`
  const { last, seeds, counts } = sum
  const rows = Object.entries(counts).map(([what, count]) => [what, number(count)])
  const { cpu, cores, node, system } = last.machine
  const command = `npm run campaign -- ${name} --seconds ${Math.ceil(last.seconds)} --seed ${last.seed}`
  return [
    `### ${name}`,
    `${title[0].toUpperCase()}${title.slice(1)}.`,
    rows.length === 0 ? 'Nothing was counted.' : table(['', 'Count'], rows),
    `Seed${seeds.length === 1 ? '' : 's'} ${seeds.join(', ')}; ${cpu}, ${cores} cores, ${system.split(' ')[0]}, Node.js ${node.slice(1)}. Again: \`${command}\``,
  ].join('\n\n')
}

export function othersTable(others: readonly Other[], all: readonly Told[]): string {
  const rows = others
    .filter(({ campaign }) => all.some(({ name }) => isNamed(name, campaign)))
    .map(({ campaign, what, others: theirs }) => {
      const sum = sumNamed(all, campaign)
      const ours = what.filter((name) => sum?.counts[name] !== undefined)
      const said = ours.map((name) => `${number(sum?.counts[name] ?? 0)} ${name}`).join(', ')
      return [shortName(campaign), said === '' ? NOT_RUN : said, theirs]
    })
  return table(['', 'varve', 'Others'], rows)
}

/** Counts of engines, as a table of what by engine; a share of the whole where there is one. */
export function peerTable({ title, sum }: Told): string {
  if (sum === undefined) return `**${title}**: ${NOT_RUN}.`
  const { counts, last, seeds } = sum
  const cells = Object.entries(counts).flatMap(([name, count]) => cellOf(name, count))
  const engines = ENGINES.filter((engine) => cells.some((cell) => cell.engine === engine))
  const whats = [...new Set(cells.map(({ what }) => what))]
  const rows = whats.map((what) => [
    what,
    ...engines.map((engine) => {
      const cell = cells.find((one) => one.engine === engine && one.what === what)
      return cell === undefined ? '0' : number(cell.count)
    }),
  ])
  const versions = `classic-level ${last.machine.classicLevel}, Node.js ${last.machine.node.slice(1)}`
  const when = `${last.date.slice(0, 10)}, \`${last.commit}\`, seed ${seeds.join(', ')}, ${versions}`
  return `**${title}** (${when}):\n\n${table(['', ...engines], rows)}`
}

/** `ENGINE: WHAT`, or what is `of ENGINE`. */
function cellOf(name: string, count: number): { engine: string; what: string; count: number }[] {
  const engine = ENGINES.find((one) => name.startsWith(`${one}: `) || new RegExp(` of ${one}\\b`).test(name))
  if (engine === undefined) return []
  return [{ engine, what: name.replace(`${engine}: `, '').replace(` of ${engine}`, ''), count }]
}

function sumNamed(all: readonly Told[], campaign: string): Sum | undefined {
  return all.find(({ name }) => isNamed(name, campaign))?.sum
}

/** `t01`, of `t01-crash`; `full-disk`, of `t17-full-disk`. */
function isNamed(name: string, campaign: string): boolean {
  return name === campaign || name.startsWith(`${campaign}-`) || name.endsWith(`-${campaign}`)
}

function shortName(campaign: string): string {
  const short = /^t0*(\d+)$/.exec(campaign)
  return short === null ? campaign : `T${short[1]}`
}

function total({ counts }: Sum, whats: readonly string[]): number {
  return whats.reduce((sum, what) => sum + (counts[what] ?? 0), 0)
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

function number(count: number): string {
  return count.toLocaleString('en')
}

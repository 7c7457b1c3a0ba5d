/**
 * Report of a growth run: a table by phase, the goals, and the charts.
 */
import type { LineChart } from '../charts.ts'
import type { Machine } from '../machine.ts'
import { spreadOf } from '../statistics.ts'
import { tellStolen } from '../stolen-time.ts'
import type { EngineName } from '../workloads.ts'
import type { SegmentFigures } from './child.ts'
import { CACHED, isRead, type PhaseName, type Segment } from './plan.ts'

export interface GrowthResult {
  readonly machine: Machine
  /** undefined where the system does not say: see StolenTime. */
  readonly stolenShare: number | undefined
  readonly entries: number
  readonly seed: number
  readonly writeBufferBytes: number
  readonly cacheBytes: number
  readonly largeCacheBytes: number
  readonly segments: readonly Segment[]
  readonly figures: Readonly<Record<EngineName, readonly SegmentFigures[]>>
}

type NamedChart = LineChart & { readonly name: string }

const MIB = 1024 * 1024
const PHASES: readonly PhaseName[] = ['fillrandom', 'overwrite', 'delete', 'readrandom', CACHED]
const THROUGHPUT_GOAL = 1.5
const LOOP_DELAY_GOAL_MS = 50
/** What memory may take beyond the configured budgets. */
const RSS_ALLOWANCE_BYTES = 100 * MIB
/** MemTables that may exist at once by default: one active, three frozen. */
const MEMTABLES = 4
/** varve's default tableCacheBytes. */
const TABLE_CACHE_BYTES = 128 * MIB

export function growthMarkdown(run: GrowthResult): string {
  const { machine, entries, seed, writeBufferBytes, cacheBytes, largeCacheBytes } = run
  const columns = [
    'phase',
    'engine',
    'µs/op',
    'ratio (lowest)',
    'p99.9 of a write, ms',
    'loop delay p99 / max, ms',
    'write amp.',
    'space amp.',
    'RSS max, MiB',
  ]
  return `${[
    `# A database that grows to ${entries.toLocaleString('en-US')} entries`,
    '',
    `varve ${machine.varve} (${machine.commit}) beside classic-level ${machine.classicLevel}, Node.js ${machine.node}; ` +
      `${machine.cpu}, ${machine.cores} cores, ${machine.system}, ${machine.fileSystem}${tellStolen(run.stolenShare)}.`,
    `${entries.toLocaleString('en-US')} entries of 16 + 100 bytes, incompressible, seed ${seed}; write buffers ` +
      `${writeBufferBytes / MIB} MiB, block caches ${cacheBytes / MIB} MiB, no compression; durability \`os\` / \`sync: false\`. ` +
      'Writes: 99 in flight, then one alone, whose latency is the one reported. Segments alternate between the engines; ' +
      'the other one is stopped meanwhile.',
    `classic-level maps its tables, so that in \`readrandom\` it has the page cache of the whole database beside its ` +
      `${cacheBytes / MIB} MiB, and varve has ${cacheBytes / MIB} MiB, and copies and verifies what is not in them. Before ` +
      `\`${CACHED}\` both are opened again with block caches of ${(largeCacheBytes / MIB).toLocaleString('en-US')} MiB, end their ` +
      'compactions, and are asked for every block twice, untimed.',
    '',
    row(columns),
    row(columns.map(() => '---')),
    ...PHASES.flatMap((phase) => [phaseRow(run, phase, 'varve'), phaseRow(run, phase, 'classic-level')]),
    '',
    ...goals(run),
    '',
    ...growthCharts(run).map(({ name }) => `![${name}](${name}.svg)`),
  ].join('\n')}\n`
}

export function growthCharts(run: GrowthResult): NamedChart[] {
  const sections = PHASES.map((phase) => ({ x: positionOf(run, firstOf(run, phase)), label: phase }))
  const chart = (
    name: string,
    title: string,
    yName: string,
    pick: (figures: SegmentFigures) => number,
    isLog = false,
  ): NamedChart => ({
    name,
    title,
    xName: 'million operations',
    yName,
    sections,
    isLog,
    lines: (['varve', 'classic-level'] as const).map((engine) => ({
      name: engine,
      points: run.figures[engine].map((figures) => [positionOf(run, figures.segment + 1), pick(figures)] as const),
    })),
  })
  return [
    chart('time', 'Time of an operation', 'µs', microseconds, true),
    chart('put-p999', 'p99.9 of a write that is awaited alone', 'ms', ({ putMs }) => Math.max(putMs.p999, 0.001), true),
    chart('loop-delay', 'Longest event-loop delay', 'ms', ({ loopDelayMs }) => loopDelayMs.max, true),
    chart('write-amplification', 'Write amplification', '×', ({ writeAmplification }) => writeAmplification),
    chart('space-amplification', 'Space amplification', '×', ({ spaceAmplification }) => spaceAmplification),
    chart('memory', 'Resident memory', 'MiB', ({ rssBytes }) => rssBytes / MIB),
  ]
}

function phaseRow(run: GrowthResult, phase: PhaseName, engine: EngineName): string {
  const figures = ofPhase(run, phase, engine)
  const times = spreadOf(figures.map(microseconds))
  const isWrite = !isRead(phase)
  return row([
    phase,
    engine,
    `${times.median.toFixed(2)} (${times.min.toFixed(2)}–${times.max.toFixed(2)})`,
    engine === 'varve' ? showRatio(ratios(run, phase)) : '',
    isWrite ? Math.max(...figures.map(({ putMs }) => putMs.p999)).toFixed(2) : '',
    `${Math.max(...figures.map((f) => f.loopDelayMs.p99)).toFixed(1)} / ${Math.max(...figures.map((f) => f.loopDelayMs.max)).toFixed(1)}`,
    figures.at(-1)?.writeAmplification.toFixed(2) ?? '',
    figures.at(-1)?.spaceAmplification.toFixed(2) ?? '',
    (Math.max(...figures.map(({ rssBytes }) => rssBytes)) / MIB).toFixed(0),
  ])
}

function goals(run: GrowthResult): string[] {
  const writes = (engine: EngineName): number =>
    Math.max(...run.figures[engine].filter(({ putMs }) => putMs.max > 0).map(({ putMs }) => putMs.p999))
  const delay = Math.max(...run.figures.varve.map(({ loopDelayMs }) => loopDelayMs.max))
  return [
    throughputGoal(
      run,
      'writes',
      PHASES.filter((phase) => !isRead(phase)),
    ),
    ...PHASES.filter(isRead).map((phase) => throughputGoal(run, `\`${phase}\``, [phase])),
    goal(
      "p99.9 of a write at most classic-level's (worst segment of each)",
      writes('varve') <= writes('classic-level'),
      `${writes('varve').toFixed(2)} and ${writes('classic-level').toFixed(2)} ms`,
    ),
    goal(`event loop blocked ≤ ${LOOP_DELAY_GOAL_MS} ms`, delay <= LOOP_DELAY_GOAL_MS, `${delay.toFixed(1)} ms`),
    memoryGoal(run, run.cacheBytes, '', ({ phase }) => phase !== CACHED),
    memoryGoal(run, run.largeCacheBytes, ` in \`${CACHED}\``, ({ phase }) => phase === CACHED),
  ]
}

function throughputGoal(run: GrowthResult, what: string, phases: readonly PhaseName[]): string {
  const lowest = Math.min(...phases.flatMap((phase) => ratios(run, phase)))
  const text = `throughput ≥ ${THROUGHPUT_GOAL} × in every segment of ${what}`
  return goal(text, lowest >= THROUGHPUT_GOAL, `lowest ${lowest.toFixed(2)}`)
}

function memoryGoal(run: GrowthResult, cacheBytes: number, where: string, isIn: (segment: Segment) => boolean): string {
  const budget = MEMTABLES * run.writeBufferBytes + cacheBytes + TABLE_CACHE_BYTES + RSS_ALLOWANCE_BYTES
  const figures = run.figures.varve.filter(({ segment }) => isIn(run.segments[segment]))
  const rss = Math.max(...figures.map(({ rssBytes }) => rssBytes))
  const text = `RSS${where} ≤ budgets + 100 MiB = ${(budget / MIB).toFixed(0)} MiB`
  return goal(text, rss <= budget, `${(rss / MIB).toFixed(0)} MiB, the benchmark's own included`)
}

function goal(text: string, isMet: boolean, figure: string): string {
  return `- ${text}: ${isMet ? 'met' : 'missed'} (${figure})`
}

function ratios(run: GrowthResult, phase: PhaseName): number[] {
  const level = ofPhase(run, phase, 'classic-level')
  return ofPhase(run, phase, 'varve').map((figures, i) => microseconds(level[i]) / microseconds(figures))
}

function showRatio(values: readonly number[]): string {
  const { median, min } = spreadOf(values)
  return `${median.toFixed(2)} (${min.toFixed(2)})`
}

function ofPhase(run: GrowthResult, phase: PhaseName, engine: EngineName): SegmentFigures[] {
  return run.figures[engine].filter(({ segment }) => run.segments[segment].phase === phase)
}

function firstOf(run: GrowthResult, phase: PhaseName): number {
  return run.segments.findIndex((segment) => segment.phase === phase)
}

/** Millions of operations before a segment. */
function positionOf(run: GrowthResult, segment: number): number {
  return run.segments.slice(0, segment).reduce((sum, { begin, limit }) => sum + limit - begin, 0) / 1e6
}

function microseconds({ elapsedMs, operations }: SegmentFigures): number {
  return (elapsedMs * 1000) / operations
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

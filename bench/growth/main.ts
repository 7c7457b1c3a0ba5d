/**
 * main: varve and classic-level as a database grows: a fill in random order, overwrites, deletes, random reads, with a small
 * block cache and with a large one; time, latency, write and space amplification, event-loop delay and memory over the run.
 * The engines take turns, segment by segment, and the one whose turn it is not is stopped (SIGSTOP), so that both meet the
 * same noise and neither works in the other's time. Writes Markdown, JSON and charts (SVG).
 *
 *   npm run bench:growth -- --entries 10000000 --out docs/growth
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { lineChart } from '../charts.ts'
import { describeMachine } from '../machine.ts'
import { StolenTime } from '../stolen-time.ts'
import { StoppedChild } from '../stopped-child.ts'
import type { EngineName } from '../workloads.ts'
import type { GrowthSpec, SegmentFigures } from './child.ts'
import { Plan, type Segment } from './plan.ts'
import { growthCharts, growthMarkdown } from './report.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const CHILD = fileURLToPath(new URL('child.js', import.meta.url))
const MIB = 1024 * 1024
const ENGINES: readonly EngineName[] = ['varve', 'classic-level']

function progress(engine: EngineName, { phase, limit }: Segment, { elapsedMs, operations }: SegmentFigures): void {
  console.error(`${phase} to ${limit} · ${engine}: ${((elapsedMs * 1000) / operations).toFixed(2)} µs/op`)
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      entries: { type: 'string', default: '10000000' },
      seed: { type: 'string', default: '1' },
      'write-buffer': { type: 'string', default: '64' },
      cache: { type: 'string', default: '32' },
      'large-cache': { type: 'string', default: '2048' },
      out: { type: 'string', default: join(ROOT, 'bench', 'results', 'growth') },
    },
  })
  const [entries, seed] = [Number(values.entries), Number(values.seed)]
  const settings = {
    writeBufferBytes: Number(values['write-buffer']) * MIB,
    cacheBytes: Number(values.cache) * MIB,
    largeCacheBytes: Number(values['large-cache']) * MIB,
  }
  const { segments } = new Plan({ entries, seed })
  const directory = mkdtempSync(join(tmpdir(), 'varve-growth-'))
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  const machine = describeMachine(ROOT)
  const stolen = new StolenTime()
  const children = new Map<EngineName, StoppedChild>()
  for (const engine of ENGINES) {
    const spec: GrowthSpec = { engine, entries, seed, directory: join(directory, engine), ...settings }
    children.set(engine, await StoppedChild.start(CHILD, spec))
  }
  const figures: Record<EngineName, SegmentFigures[]> = { varve: [], 'classic-level': [] }
  for (const [i, segment] of segments.entries()) {
    for (const engine of i % 2 === 0 ? ENGINES : [...ENGINES].reverse()) {
      const answer = (await (children.get(engine) as StoppedChild).ask(i)) as SegmentFigures
      figures[engine].push(answer)
      progress(engine, segment, answer)
    }
  }
  for (const child of children.values()) await child.ask('close')
  mkdirSync(values.out, { recursive: true })
  const run = { machine, stolenShare: stolen.share(), entries, seed, ...settings, segments, figures }
  writeFileSync(join(values.out, 'growth.json'), `${JSON.stringify(run, undefined, 1)}\n`)
  writeFileSync(join(values.out, 'growth.md'), growthMarkdown(run))
  for (const { name, ...chart } of growthCharts(run)) writeFileSync(join(values.out, `${name}.svg`), lineChart(chart))
}

await main()

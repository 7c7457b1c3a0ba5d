/**
 * Report of a run: the goals, what was measured on and with, a table for each scene, and the charts.
 */
import type { BarChart } from '../charts.ts'
import { spreadOf } from '../statistics.ts'
import { tellStolen } from '../stolen-time.ts'
import { goalsOf, showMicros, showRatio } from './goals.ts'
import { isEqual, PEERS, type PeerName } from './peers.ts'
import { advantageOver, figuresOf, type PeersRun, type StepFigures } from './results.ts'

type NamedChart = BarChart & { readonly name: string }

const MIB = 1024 * 1024
const CALLS: readonly (readonly [PeerName, string])[] = [
  [
    'varve',
    'put, WriteBatch, get, getSync, scan; the fastest scan is a cursor whose keys and values are copies, of ranges scanSync; in place, a cursor hands out no copies',
  ],
  [
    'classic-level',
    'LevelDB 1.20 in C++; put, batch, get, getSync, iterator; the fastest scan is nextv(1000), of ranges all()',
  ],
  ['lmdb', 'put, transaction, get, getRange; keys and values binary'],
  [
    'sqlite',
    'better-sqlite3, which is synchronous: prepared statements over one table WITHOUT ROWID; awaiting it costs one settled promise; “in flight” is one after another; batch is a transaction',
  ],
  ['memory-level', 'keeps everything in memory and nothing on a disk: beside the others for orientation, in no goal'],
  [
    'leveldb',
    'the same LevelDB from a C++ program, compiled with -O2 -DNDEBUG; its scene opens varve with the same options',
  ],
  ['memtable', "varve's MemTable without all else, as a floor: each entry is inserted as the engine does it"],
  [
    'bare',
    'no store: write(2) of the bytes of a LevelDB record (at `disk` with fdatasync), copies of the bytes that are read, of a missing key a hash, a word of an index and a byte of a filter',
  ],
]

export function peersMarkdown(run: PeersRun): string {
  const scenes = [...new Set(run.figures.map(({ sceneTitle }) => sceneTitle))]
  return `${[
    `# varve beside its peers, on ${shortName(run.machine.cpu)}`,
    '',
    ...introduction(run),
    '',
    '## Goals',
    '',
    'Ratios are medians of the quotients of single rounds, with the lowest and the highest of them. “≥ n × peer”: the peer takes n',
    "times as long; “≤ n × peer's time”: varve takes no more than n times as long.",
    '',
    ...goals(run),
    '',
    ...peersCharts(run).map(({ name, title }) => `![${title}](${name}.svg)`),
    '',
    ...scenes.flatMap((title) => ['', `## ${title}`, '', ...sceneTable(run, title)]),
    '',
    '## Event loop',
    '',
    eventLoop(run),
  ].join('\n')}\n`
}

export function peersCharts(run: PeersRun): NamedChart[] {
  const groups: readonly (readonly [name: string, title: string, figures: readonly string[]])[] = [
    [
      'writes',
      'Writes',
      ['puts.put1', 'puts.put10', 'puts.put100', 'puts.put1000', 'puts.putsync', 'million.fillbatch'],
    ],
    ['reads', 'Reads', ['million.get', 'million.missing', 'million.range10', 'million.mixed50', 'million.mixed95']],
    ['scans', 'Whole scans, an entry', ['million.scan', 'million.scanbest']],
    ['disk', 'Writes that survive a power cut', ['disk.disk1', 'disk.disksync', 'disk.disk64']],
    [
      'value-sizes',
      'A put, by the size of its value',
      ['10', '100', '1000', '10000', '1000000'].map((n) => `value${n}.fill`),
    ],
    [
      'key-sets',
      'getSync, by the kind of keys',
      ['decimal', 'uuid', 'packages', 'cities'].map((name) => `${name}.get`),
    ],
  ]
  return groups.flatMap(([name, title, names]) => {
    const steps = names.flatMap((one) => figuresOf(run, one) ?? [])
    const isScenes = new Set(steps.map(({ step }) => step)).size === 1
    if (steps.length === 0) return []
    const peers = run.peers.filter((peer) => steps.some(({ microseconds }) => microseconds[peer] !== undefined))
    const bars = peers.map((peer) => ({ name: PEERS[peer].title, values: steps.map((one) => rounded(one, peer)) }))
    const categories = steps.map(({ scene, step }) => (isScenes ? scene.replace('value', '') : step))
    return [{ name, title: `${title}: less is better`, yName: 'µs', isLog: true, categories, bars }]
  })
}

function eventLoop({ loop }: PeersRun): string {
  const beside =
    '`npm run bench:growth` has it beside classic-level, as a database grows: [growth.md](../../docs/growth/growth.md).'
  if (loop === undefined) return `Not measured in this run. ${beside}`
  return (
    `${loop.entries.toLocaleString('en-US')} puts in random order, 100 in flight, into varve: ${showMicros(loop.microseconds)} each; ` +
    `delay of the event loop p99 ${loop.p99Ms.toFixed(2)} ms, longest ${loop.maxMs.toFixed(2)} ms, the timer's resolution of 1 ms ` +
    `included. ${beside}`
  )
}

/** “Intel(R) Xeon(R) Processor” is long for a title. */
function shortName(cpu: string): string {
  return cpu
    .replace(/\((R|TM)\)|\bProcessor\b/g, '')
    .replace(/\s+/g, ' ')
    .trim()
}

function introduction(run: PeersRun): string[] {
  const { machine, node, versions, compiler, sizes, writeBufferBytes, cacheBytes } = run
  const versionList = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return [
    `Made by \`${run.command}\` in ${Math.round(run.elapsedMs / 1000)} s, varve ${machine.varve} at commit ${machine.commit}. Figures of`,
    'other runs differ; ratios less so. Compare within a row only.',
    '',
    `- ${machine.cpu}, ${machine.cores} cores, ${(machine.memoryBytes / 2 ** 30).toFixed(1)} GiB, ${machine.system}, data on ${machine.fileSystem}, load average ${machine.loadAverage.toFixed(2)} when it began${tellStolen(run.stolenShare)}`,
    `- Node.js ${node} for all peers; ${versionList.join(', ')}; ${compiler === undefined ? 'no C++ compiler, so no LevelDB in C++' : compiler}`,
    `- Write buffers ${writeBufferBytes / MIB} MiB, caches ${cacheBytes / MIB} MiB, of those that have them (SQLite: log and page cache); no compression; otherwise defaults`,
    `- The same keys and values, from one file a scene, and the same reads, compared by checksum; values of 100 random bytes unless said otherwise; up to ${sizes.rounds} rounds, and one before them that does not count`,
    '- Every peer has a process for a scene; they take every step in turn, and all but one are stopped (SIGSTOP). Reads begin when a directory has not changed for 1 s, so that background work has ended; varve by then has merged what it merges when nobody writes',
    ...durabilities(run),
    ...CALLS.filter(([peer]) => run.peers.includes(peer)).map(([peer, text]) => `- ${PEERS[peer].title}: ${text}`),
  ]
}

function goals(run: PeersRun): string[] {
  const rows = goalsOf(run).map(({ text, verdict, figure, limit }) =>
    row([text, verdict === 'missed' ? '**missed**' : verdict, figure, limit]),
  )
  return [row(['goal', 'verdict', 'figure', 'what limits it']), row(['---', '---', '---', '---']), ...rows]
}

function sceneTable(run: PeersRun, title: string): string[] {
  const steps = run.figures.filter(({ sceneTitle }) => sceneTitle === title)
  const peers = run.peers.filter((peer) => steps.some(({ microseconds }) => microseconds[peer] !== undefined))
  const columns = ['workload', 'operations', 'call', 'durability', ...peers.map((peer) => PEERS[peer].title)]
  return [
    row(columns),
    row(columns.map(() => '---')),
    ...steps.map((step) => row([...headCells(step), ...peers.map((peer) => cell(step, peer))])),
  ]
}

function headCells({ title, operations, call, durability }: StepFigures): string[] {
  return [title, operations.toLocaleString('en-US'), call, durability]
}

/** What the durability of a row is for each peer. */
function durabilities(run: PeersRun): string[] {
  const stores = run.peers.filter(isEqual)
  return (['os', 'disk'] as const).map((level) => {
    const meant = stores.map((peer) => `${PEERS[peer].title} ${PEERS[peer][level]}`).join('; ')
    return `- Durability \`${level}\`: what is acknowledged survives ${level === 'os' ? 'the process' : 'a power cut'}: ${meant}`
  })
}

function cell(step: StepFigures, peer: PeerName): string {
  const list = step.microseconds[peer]
  if (list === undefined) return '–'
  const { median, min, max } = spreadOf(list)
  const spread = `${showMicros(median)} (${showMicros(min)}–${showMicros(max)})`
  const ratio = peer === 'varve' ? undefined : advantageOver(step, peer)
  return ratio === undefined ? spread : `${spread}, ${showRatio(ratio)}`
}

function rounded({ microseconds }: StepFigures, peer: PeerName): number | undefined {
  const list = microseconds[peer]
  return list === undefined ? undefined : Number(spreadOf(list).median.toPrecision(3))
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

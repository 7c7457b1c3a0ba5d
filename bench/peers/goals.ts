/**
 * Goals: what varve should reach beside its peers, what a run says of it, and, of what is missed, the limit that holds it, by
 * figures of the same run where there are any.
 */
import { ratioOf, type Spread, spreadOf } from '../statistics.ts'
import type { LoopFigures } from './loop-child.ts'
import { PEERS, type PeerName } from './peers.ts'
import { figuresOf, type PeersRun } from './results.ts'

export interface GoalResult {
  readonly text: string
  readonly verdict: 'met' | 'met, not in every round' | 'missed' | 'not measured'
  readonly figure: string
  /** Of a missed one. */
  readonly limit: string
}

/** `atLeast`: the peer's time over varve's; `atMost`: varve's over the peer's. */
interface Goal {
  readonly text: string
  readonly figures: string
  readonly peer: PeerName
  readonly atLeast?: number
  readonly atMost?: number
  /** To quote, of the same run. */
  readonly floors?: readonly Floor[]
}

/** A part of the work that nobody can do without, by itself. */
type Floor = readonly [figures: string, peer: PeerName, what: string]

const WRITE: Floor = ['puts.putsync', 'bare', 'write(2) of the same bytes']
const TURN: Floor = ['puts.put1', 'bare', 'write(2) and one settled promise']
const BATCH: Floor = ['million.fillbatch', 'bare', 'write(2) of batches of 1,000']
const COPIES: Floor = ['million.scanbest', 'bare', 'copying key and value']
const COPY: Floor = ['million.get', 'bare', 'copying the value']
const MISS: Floor = ['million.missing', 'bare', 'hashing the key, a word of an index and a byte of a filter']
const TABLE = 'checksums, write(2) and fdatasync of the same bytes'

function inserting(figures: string): Floor {
  return [figures, 'memtable', 'inserting into the MemTable']
}

const GOALS: readonly Goal[] = [
  {
    text: 'awaited put, one at a time',
    figures: 'puts.put1',
    peer: 'classic-level',
    atLeast: 15,
    floors: [TURN, inserting('puts.putsync')],
  },
  {
    text: 'awaited puts, 1,000 in flight',
    figures: 'puts.put1000',
    peer: 'classic-level',
    atLeast: 5,
    floors: [BATCH, inserting('puts.put1000')],
  },
  {
    text: 'awaited puts, 1,000 in flight',
    figures: 'puts.put1000',
    peer: 'lmdb',
    atLeast: 5,
    floors: [BATCH, inserting('puts.put1000')],
  },
  {
    text: 'batches of 1,000 at random',
    figures: 'million.fillbatch',
    peer: 'classic-level',
    atLeast: 3,
    floors: [BATCH, inserting('million.fillbatch')],
  },
  {
    text: 'batches of 1,000 at random',
    figures: 'million.fillbatch',
    peer: 'lmdb',
    atLeast: 8,
    floors: [BATCH, inserting('million.fillbatch')],
  },
  {
    text: 'putSync, a write(2) each: 2.5 µs where that alone takes 1.5 µs',
    figures: 'puts.putsync',
    peer: 'bare',
    atMost: 2.5 / 1.5,
    floors: [WRITE, inserting('puts.putsync')],
  },
  { text: 'putSync', figures: 'cpp.fill', peer: 'leveldb', atMost: 1, floors: [WRITE, inserting('puts.putsync')] },
  {
    text: '`disk`, one writer, putSync',
    figures: 'disk.disksync',
    peer: 'bare',
    atMost: 1.15,
    floors: [['disk.disksync', 'bare', 'write(2) and fdatasync']],
  },
  {
    text: '`disk`, one writer, awaited',
    figures: 'disk.disk1',
    peer: 'bare',
    atMost: 1.15,
    floors: [['disk.disk1', 'bare', 'write(2) and an awaited fdatasync']],
  },
  { text: 'getSync, random, cached', figures: 'million.get', peer: 'classic-level', atLeast: 2.5, floors: [COPY] },
  { text: 'getSync, random, cached', figures: 'million.get', peer: 'lmdb', atLeast: 1, floors: [COPY] },
  { text: 'getSync, missing keys', figures: 'million.missing', peer: 'classic-level', atLeast: 4, floors: [MISS] },
  {
    text: 'whole scan, the fastest way of each',
    figures: 'million.scanbest',
    peer: 'classic-level',
    atLeast: 8,
    floors: [COPIES],
  },
  {
    text: 'whole scan, the fastest way of each',
    figures: 'million.scanbest',
    peer: 'lmdb',
    atLeast: 2,
    floors: [COPIES],
  },
  { text: 'range scan of 10', figures: 'million.range10', peer: 'classic-level', atLeast: 3 },
  {
    text: 'recovery of the log',
    figures: 'open.recovery',
    peer: 'classic-level',
    atLeast: 2,
    floors: [
      ['open.recovery', 'bare', 'reading the log and its checksums'],
      ['open.recovery', 'memtable', 'sorting the entries'],
      ['cpp.flush', 'bare', TABLE],
    ],
  },
  {
    text: 'flush on the worker',
    figures: 'cpp.flush',
    peer: 'leveldb',
    atLeast: 1,
    floors: [['cpp.flush', 'bare', TABLE]],
  },
  {
    text: 'compaction on the worker',
    figures: 'cpp.compact',
    peer: 'leveldb',
    atLeast: 1,
    floors: [['cpp.compact', 'bare', TABLE]],
  },
]
const WRITERS_GOAL = 20
const LOOP_P99_MS = 5
const LOOP_MAX_MS = 50

export function goalsOf(run: PeersRun): GoalResult[] {
  return [...GOALS.map((goal) => peerGoal(run, goal)), writersGoal(run), ...loopGoals(run)]
}

function peerGoal(run: PeersRun, goal: Goal): GoalResult {
  const { figures, peer, atLeast, atMost } = goal
  const isAtLeast = atLeast !== undefined
  const relation = isAtLeast ? `≥ ${atLeast} ×` : `≤ ${atMost?.toPrecision(3)} ×`
  const text = `${goal.text} ${relation} ${PEERS[peer].title}${isAtLeast ? '' : "'s time"}`
  const step = figuresOf(run, figures)
  const { varve, [peer]: other } = step?.microseconds ?? {}
  if (varve === undefined || other === undefined) return notMeasured(text)
  const ratio = isAtLeast ? ratioOf(other, varve) : ratioOf(varve, other)
  const [times, worst] = isAtLeast
    ? [ratio.median / atLeast, ratio.min / atLeast]
    : [(atMost ?? 1) / ratio.median, (atMost ?? 1) / ratio.max]
  const otherMedian = spreadOf(other).median
  const needed = isAtLeast ? otherMedian / atLeast : otherMedian * (atMost ?? 1)
  const figure = `${showRatio(ratio)}; ${showMicros(spreadOf(varve).median)} beside ${showMicros(otherMedian)}`
  return { text, ...judged(times, worst, () => limitOf(run, goal, needed)), figure }
}

/** Throughput of 64 writers at once over that of one. */
function writersGoal(run: PeersRun): GoalResult {
  const text = `\`disk\`, 64 writers ≥ ${WRITERS_GOAL} × one writer`
  const one = figuresOf(run, 'disk.disk1')?.microseconds.varve
  const many = figuresOf(run, 'disk.disk64')?.microseconds.varve
  if (one === undefined || many === undefined) return notMeasured(text)
  const ratio = ratioOf(one, many)
  const limit = (): string => 'no more than 64 ×, if one sync served all of them'
  return { text, ...judged(ratio.median / WRITERS_GOAL, ratio.min / WRITERS_GOAL, limit), figure: showRatio(ratio) }
}

function loopGoals({ loop }: PeersRun): GoalResult[] {
  if (loop === undefined)
    return [
      notMeasured('event-loop delay in random puts, p99'),
      notMeasured('event-loop delay in random puts, longest'),
    ]
  const during = `event-loop delay in ${loop.entries.toLocaleString('en-US')} random puts`
  const limit = (): string => 'on a busy machine, a delay includes waiting for a core' + tellLongest(loop.longest)
  return [['p99', loop.p99Ms, LOOP_P99_MS] as const, ['longest', loop.maxMs, LOOP_MAX_MS] as const].map(
    ([name, ms, most]) => ({
      text: `${during}, ${name} ≤ ${most} ms`,
      ...judged(most / ms, most / ms, limit),
      figure: `${ms.toFixed(2)} ms`,
    }),
  )
}

function tellLongest(longest: LoopFigures['longest']): string {
  if (longest === undefined) return ''
  return `; of the longest hundred puts, ${longest.ms.toFixed(1)} ms, the thread ran for ${longest.ranMs.toFixed(1)} ms`
}

/** @returns what the goal leaves for an operation, and what a part of it takes by itself */
function limitOf(run: PeersRun, { floors = [] }: Goal, needed: number): string {
  return [`takes ≤ ${showMicros(needed)}`, ...floors.map((floor) => showFloor(run, floor))].join('; ')
}

function showFloor(run: PeersRun, [figures, peer, what]: Floor): string {
  const list = figuresOf(run, figures)?.microseconds[peer]
  return `${what} alone: ${list === undefined ? 'not measured' : showMicros(spreadOf(list).median)}`
}

/** @param times how many times over the goal was reached, by the median and in the worst round */
function judged(times: number, worst: number, limit: () => string): Pick<GoalResult, 'verdict' | 'limit'> {
  if (times < 1) return { verdict: 'missed', limit: limit() }
  return { verdict: worst < 1 ? 'met, not in every round' : 'met', limit: '' }
}

function notMeasured(text: string): GoalResult {
  return { text, verdict: 'not measured', figure: '', limit: '' }
}

export function showRatio({ median, min, max }: Spread): string {
  return `${showNumber(median)} × (${showNumber(min)}–${showNumber(max)})`
}

export function showMicros(micros: number): string {
  return micros >= 10_000 ? `${showNumber(micros / 1000)} ms` : `${showNumber(micros)} µs`
}

/** Three significant digits. */
function showNumber(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}

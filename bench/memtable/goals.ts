/**
 * Goals: what the MemTable should reach, what a run says of it, and what holds back what is missed: told by figures of the same
 * run, since hardware counters are not to be had everywhere.
 */
import type { KeyKind } from './key-file.ts'
import {
  advantageOver,
  type CaseFigures,
  type Measure,
  type MemTableRun,
  medianOf,
  readerCost,
  standardCase,
} from './results.ts'
import { SUBJECTS, type SubjectName } from './subject.ts'

export interface Goal {
  readonly text: string
  readonly isMet: boolean
  readonly figure: string
  /** Of a missed one. */
  readonly why: string
}

const PAYLOAD_BYTES = 116
const BYTES_GOAL = 145
/** What a leaf takes beside its key and value: length of the key; sequence and type; length of the value (radix-leaf.ts). */
const LEAF_BYTES = 16
const PAUSE_GOAL_MS = 5
const READER_GOAL = 0.1
const HEAP_GOAL = 0.1
const PEER_INSERT_GOAL = 3
const PEERS: readonly SubjectName[] = ['btreeStrings', 'btreeBuffers', 'redBlackStrings', 'redBlackBuffers']
const AGAINST_CPP: readonly { text: string; measure: Measure; factor: number }[] = [
  { text: 'random insert', measure: 'insertNs', factor: 4 },
  { text: 'get', measure: 'getNs', factor: 3 },
  { text: 'ordered scan', measure: 'scanNs', factor: 2 },
]

export function goalsOf(run: MemTableRun): Goal[] {
  return [
    ...AGAINST_CPP.map(({ text, measure, factor }) => cppGoal(run, text, measure, factor)),
    bytesGoal(run),
    ...PEERS.flatMap((peer) => peerGoal(run, peer)),
    heapGoal(run),
    pauseGoal(run),
    ...run.sharing.map((figures) => {
      const cost = readerCost(figures, 'live')
      const other = readerCost(figures, 'other')
      return {
        text: `a reader on the live table costs the writer < 10 %, published every ${count(figures.batchEntries)}`,
        isMet: cost.median < READER_GOAL,
        figure: `${percent(cost.median)} (${percent(cost.min)} to ${percent(cost.max)})`,
        why: `a reader of another table, which shares nothing but the machine, costs ${percent(other.median)}`,
      }
    }),
  ]
}

/** Keys in random order: the ones that a MemTable is about. */
export function isRandom({ kind }: CaseFigures): boolean {
  return kind !== 'sequential'
}

function cppGoal(run: MemTableRun, text: string, measure: Measure, factor: number): Goal {
  const cells = run.cases.filter(isRandom).flatMap((one) => {
    const advantage = advantageOver(one, 'cpp', measure)
    return advantage === undefined ? [] : [{ one, median: advantage.median }]
  })
  const name = `${text} ≥ ${factor} × the C++ skip list, -O2, for all random keys and sizes`
  if (cells.length === 0) return { text: name, isMet: false, figure: 'not measured', why: 'there is no compiler' }
  cells.sort((a, b) => a.median - b.median)
  const met = cells.filter(({ median }) => median >= factor).length
  const [lowest, highest] = [cells[0], cells[cells.length - 1]]
  return {
    text: name,
    isMet: met === cells.length,
    figure:
      `${met} of ${cells.length}; lowest ${times(lowest.median)} (${place(lowest.one)}), ` +
      `highest ${times(highest.median)} (${place(highest.one)})`,
    why: whySlow(run, lowest.one, measure),
  }
}

/** Beside sequential keys of the same number, which keep the caches warm. */
function whySlow({ cases }: MemTableRun, one: CaseFigures, measure: Measure): string {
  const calm = cases.find(({ kind, entries }) => kind === 'sequential' && entries === one.entries)
  if (calm === undefined) return ''
  const parts = (['cpp', 'radix'] as const).map((subject) => {
    const [all, inCache] = [medianOf(one, subject, measure) ?? 0, medianOf(calm, subject, measure) ?? 0]
    return `${subject === 'cpp' ? 'C++' : 'varve'} takes ${ns(all)}, and ${ns(inCache)} of sequential keys`
  })
  return (
    `${place(one)}: ${parts.join('; ')}, whose entries and nodes lie side by side: ` +
    'the difference is what random order adds'
  )
}

function bytesGoal({ cases }: MemTableRun): Goal {
  const kinds: readonly KeyKind[] = ['decimal', 'binary', 'sequential']
  const cells = cases
    .filter(({ kind }) => kinds.includes(kind))
    .map((one) => ({ one, bytes: medianOf(one, 'radix', 'bytesAnEntry') ?? Number.NaN }))
    .sort((a, b) => b.bytes - a.bytes)
  const met = cells.filter(({ bytes }) => bytes <= BYTES_GOAL).length
  const [{ one, bytes }] = cells
  const cpp = medianOf(one, 'cpp', 'bytesAnEntry')
  return {
    text: `≤ ${BYTES_GOAL} bytes an entry for ${PAYLOAD_BYTES} of payload`,
    isMet: met === cells.length,
    figure: `${met} of ${cells.length}; highest ${bytes.toFixed(1)} (${place(one)})`,
    why:
      `a leaf takes ${PAYLOAD_BYTES + LEAF_BYTES} bytes with both lengths, sequence and type; the other ` +
      `${(bytes - PAYLOAD_BYTES - LEAF_BYTES).toFixed(1)} are nodes, copies that were replaced included` +
      (cpp === undefined ? '' : `. C++ takes ${cpp.toFixed(1)}`),
  }
}

function peerGoal(run: MemTableRun, peer: SubjectName): Goal[] {
  const one = standardCase(run)
  const advantage = advantageOver(one, peer, 'insertNs')
  if (advantage === undefined) return []
  return [
    {
      text: `random insert ≥ ${PEER_INSERT_GOAL} × ${SUBJECTS[peer].name}`,
      isMet: advantage.median >= PEER_INSERT_GOAL,
      figure: `${times(advantage.median)} (${times(advantage.min)} to ${times(advantage.max)})`,
      why:
        `the peer keeps the objects that it is given; ${ns(medianOf(one, peer, 'prepareNs') ?? 0)} for making key and value ` +
        'are not counted, while the MemTable copies both in',
    },
  ]
}

function heapGoal(run: MemTableRun): Goal {
  const one = standardCase(run)
  const ours = medianOf(one, 'radix', 'heapBytesAnEntry') ?? Number.NaN
  const theirs = Math.min(...PEERS.map((peer) => medianOf(one, peer, 'heapBytesAnEntry') ?? Number.POSITIVE_INFINITY))
  return {
    text: 'a tenth of the garbage-collected heap of either',
    isMet: ours <= theirs * HEAP_GOAL,
    figure: `${Math.max(0, ours).toFixed(1)} bytes an entry; the leanest of them ${theirs.toFixed(0)}`,
    why: '',
  }
}

function pauseGoal({ pause }: MemTableRun): Goal {
  return {
    text: `longest pause by garbage collection during ${count(pause.entries)} inserts < ${PAUSE_GOAL_MS} ms`,
    isMet: pause.longestMs < PAUSE_GOAL_MS,
    figure: `${pause.longestMs.toFixed(2)} ms`,
    why:
      `${pause.collections} collections took ${pause.totalMs.toFixed(1)} ms together, ` +
      `${(pause.totalMs / Math.max(1, pause.collections)).toFixed(2)} ms each; on a busy machine a pause includes waiting for a core`,
  }
}

export function place({ kind, entries }: CaseFigures): string {
  return `${kind}, ${count(entries)}`
}

export function count(number: number): string {
  return number.toLocaleString('en-US')
}

export function ns(number: number): string {
  return `${number < 10 ? number.toFixed(1) : Math.round(number)} ns`
}

export function times(ratio: number): string {
  return `${ratio.toFixed(2)} ×`
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}

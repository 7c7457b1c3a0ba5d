/**
 * Workloads: what is measured, as data. Names are those of LevelDB's db_bench where it has the like.
 *
 * db_bench writes one entry after another. Node programs seldom do: they await each write (fillawait), or many at once
 * (fill1000; fillseq, fillrandom and overwrite with 100), or write batches (fillbatch).
 */
export type EngineName = 'varve' | 'classic-level'

/** Which keys the operations take. Random ones may come again, as in db_bench. */
export type Order = 'ascending' | 'descending' | 'random' | 'missing'

/** What is called, and how many at a time. `scanBest` is each engine's fastest way through all entries. */
export type Call =
  | 'put'
  | 'put10'
  | 'put64'
  | 'put100'
  | 'put1000'
  | 'putSync'
  | 'batch1000'
  | 'get'
  | 'getSync'
  | 'scan'
  | 'scanBest'
  | 'scanInPlace'
  | 'range'
  | 'mixed'
  | 'open'

/** One row of the report. */
export interface Comparison {
  readonly varve: Call
  readonly level: Call
  /** How many times as fast varve means to be, at least. */
  readonly goal?: number
  /** Operations at most. */
  readonly operationsMax?: number
}

export interface Workload {
  readonly name: string
  readonly kind: 'write' | 'get' | 'scan' | 'open'
  /** `filled` by batches in random order; `crashed`: the copied files of an open database, all of it in the log. */
  readonly start: 'empty' | 'filled' | 'crashed'
  readonly order: Order
  readonly isDurable: boolean
  readonly comparisons: readonly Comparison[]
}

const write = { kind: 'write', start: 'empty', order: 'random', isDurable: false } as const
const get = { kind: 'get', start: 'filled', order: 'random', isDurable: false } as const
const scan = { kind: 'scan', start: 'filled', isDurable: false } as const
const put100: Comparison = { varve: 'put100', level: 'put100' }

/** Scans for `for await` on both sides; then the fastest of each. */
const scans: readonly Comparison[] = [
  { varve: 'scan', level: 'scan', goal: 4 },
  { varve: 'scanBest', level: 'scanBest' },
]

export const WORKLOADS: readonly Workload[] = [
  { ...write, name: 'fillseq', order: 'ascending', comparisons: [put100] },
  { ...write, name: 'fillrandom', comparisons: [put100] },
  { ...write, name: 'overwrite', start: 'filled', comparisons: [put100] },
  {
    ...write,
    name: 'fillawait',
    comparisons: [
      { varve: 'put', level: 'put', goal: 10, operationsMax: 100_000 },
      { varve: 'putSync', level: 'put', operationsMax: 100_000 },
    ],
  },
  { ...write, name: 'fill1000', comparisons: [{ varve: 'put1000', level: 'put1000' }] },
  { ...write, name: 'fillbatch', comparisons: [{ varve: 'batch1000', level: 'batch1000', goal: 1.5 }] },
  {
    ...write,
    name: 'fillsync',
    isDurable: true,
    comparisons: [
      { varve: 'put', level: 'put', operationsMax: 2000 },
      { varve: 'putSync', level: 'put', operationsMax: 2000 },
    ],
  },
  {
    ...get,
    name: 'readrandom',
    comparisons: [
      { varve: 'getSync', level: 'getSync', goal: 1 },
      { varve: 'get', level: 'get', operationsMax: 100_000 },
    ],
  },
  { ...get, name: 'readmissing', order: 'missing', comparisons: [{ varve: 'getSync', level: 'getSync' }] },
  { ...scan, name: 'readseq', order: 'ascending', comparisons: scans },
  {
    ...scan,
    name: 'readreverse',
    order: 'descending',
    comparisons: scans.map(({ varve, level }) => ({ varve, level })),
  },
  {
    name: 'recover',
    kind: 'open',
    start: 'crashed',
    order: 'random',
    isDurable: false,
    comparisons: [{ varve: 'open', level: 'open' }],
  },
]

const LABELS: Readonly<Record<Call, string | Readonly<Record<EngineName, string>>>> = {
  put: 'await put',
  put10: '10 puts at once',
  put64: '64 puts at once',
  put100: '100 puts at once',
  put1000: '1,000 puts at once',
  putSync: 'putSync',
  batch1000: 'batch of 1,000',
  get: 'await get',
  getSync: 'getSync',
  scan: { varve: 'scan', 'classic-level': 'iterator' },
  scanBest: { varve: 'cursor', 'classic-level': 'nextv(1000)' },
  scanInPlace: 'cursor, in place',
  range: { varve: 'scanSync', 'classic-level': 'iterator.all' },
  mixed: 'getSync, and puts of which up to 100 are awaited at once',
  open: 'open',
}

/** A call in words, for the report. */
export function callLabel(call: Call, engine: EngineName): string {
  const label = LABELS[call]
  return typeof label === 'string' ? label : label[engine]
}

/** @throws Error if there is none of that name */
export function workloadNamed(name: string): Workload {
  const found = WORKLOADS.find((workload) => workload.name === name)
  if (found !== undefined) return found
  throw new Error(`there is no workload ${name}; there are ${WORKLOADS.map((workload) => workload.name).join(', ')}`)
}

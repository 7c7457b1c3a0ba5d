/**
 * The thread of the tests with real threads: attaches, and does what its workerData says; tells how it went by messages.
 *
 *   read    until told to stop: all keys of a batch are of one batch, not older than the last that the owner had acknowledged,
 *           and never older than one read before
 *   write   some keys of its own, each visible here once it is acknowledged
 *   pin     a snapshot and a scan that has begun, for ever
 *   sleep   until woken, with no turn of the event loop; then one read
 */
import { parentPort, workerData } from 'node:worker_threads'
import { attach, type DBReader, type ShareHandle, type Snapshot } from '../../src/public/index.ts'

export const KEYS: readonly string[] = ['a0', 'a1', 'm', 'z0', 'z1']

/** Shared words. */
export const ACKNOWLEDGED = 0
export const STOP = 1
/** Threads that have taken their first snapshot. */
export const READING = 2
export const WORDS = 3

export interface Orders {
  readonly handle: ShareHandle
  readonly what: 'read' | 'write' | 'pin' | 'sleep'
  readonly words: SharedArrayBuffer
  /** Of the keys that it writes. */
  readonly name: string
}

/** What it tells at the end. */
export interface Report {
  readonly reads: number
  readonly batches: number
  readonly snapshots: number
  readonly fault: string | undefined
}

const decoder = new TextDecoder()

function numberOf(value: Uint8Array | undefined): number {
  return value === undefined ? 0 : Number(decoder.decode(value))
}

function same(values: readonly (Uint8Array | undefined)[]): number {
  const numbers = new Set(values.map(numberOf))
  if (numbers.size !== 1 || values.length !== KEYS.length) throw new Error(`parts of batches ${[...numbers]}`)
  return [...numbers][0]
}

type Read = (reader: DBReader, snapshot?: Snapshot) => number

const READS: readonly Read[] = [
  (reader, snapshot) => same(reader.getManySync(KEYS, snapshot && { snapshot })),
  (reader, snapshot) => {
    const found: (Uint8Array | undefined)[] = []
    for (const [key, value] of reader.scanSync(snapshot && { snapshot })) if (key[0] !== 0x66) found.push(value)
    return found.length === 0 ? 0 : same(found)
  },
  (reader, snapshot) => {
    const found: (Uint8Array | undefined)[] = []
    for (const [key, value] of reader.scanSync({ reverse: true, ...(snapshot && { snapshot }) }))
      if (key[0] !== 0x66) found.push(value)
    return found.length === 0 ? 0 : same(found)
  },
  (reader, snapshot) => numberOf(reader.getSync('m', snapshot && { snapshot })),
]

function readUntilTold(reader: DBReader, words: Int32Array): Report {
  let reads = 0
  let snapshots = 0
  let newest = 0
  const seen = new Set<number>()
  let held: { snapshot: Snapshot; batch: number } | undefined
  while (Atomics.load(words, STOP) === 0) {
    const read = READS[reads % READS.length]
    const acknowledged = Atomics.load(words, ACKNOWLEDGED)
    const batch = read(reader)
    if (batch < acknowledged) throw new Error(`${batch} is older than ${acknowledged}, which was acknowledged`)
    if (batch < newest) throw new Error(`${batch} after ${newest}`)
    newest = batch
    seen.add(batch)
    if (held !== undefined && read(reader, held.snapshot) !== held.batch) throw new Error('a snapshot changed')
    if (reads++ % 50 === 0) {
      held?.snapshot.close()
      const snapshot = reader.snapshot()
      held = { snapshot, batch: READS[0](reader, snapshot) }
      if (snapshots++ === 0) Atomics.add(words, READING, 1)
    }
  }
  held?.snapshot.close()
  return { reads, batches: seen.size, snapshots, fault: undefined }
}

async function write(reader: DBReader, name: string): Promise<void> {
  for (let i = 0; i < 300; i++) {
    const key = `f${name}${i}`
    await reader.put(key, `${i}`, { durability: 'os' })
    if (numberOf(reader.getSync(key)) !== i) throw new Error(`${key} was acknowledged, and is not there`)
  }
  await Promise.all(Array.from({ length: 300 }, (_, i) => (i % 2 === 0 ? reader.delete(`f${name}${i}`) : undefined)))
}

async function run({ handle, what, words, name }: Orders): Promise<Partial<Report>> {
  const shared = new Int32Array(words)
  const reader = await attach(handle, { blockCacheBytes: 64 * 1024 })
  if (what === 'read') {
    const report = readUntilTold(reader, shared)
    await reader.close()
    return report
  }
  if (what === 'write') {
    await write(reader, name)
    await reader.close()
    return {}
  }
  if (what === 'sleep') {
    parentPort?.postMessage('ready')
    Atomics.wait(shared, STOP, 0)
    const batches = same(reader.getManySync(KEYS))
    await reader.close()
    return { batches }
  }
  const scan = reader.scanSync()
  scan.next()
  reader.snapshot()
  parentPort?.postMessage('ready')
  // For ever, and with nothing that looks at the port.
  Atomics.wait(shared, STOP, 0)
  return {}
}

run(workerData as Orders).then(
  (report) => parentPort?.postMessage({ fault: undefined, ...report }),
  (error) => parentPort?.postMessage({ fault: `${error.stack}` }),
)

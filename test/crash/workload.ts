/**
 * Workload: a short life of a database, the same on every run, for the crash and the fault matrix: writes at all
 * durabilities, alone, in turns and in batches, rotations, flushes that come late, a flush, a close and a reopening. The
 * ledger keeps what each write was told, so that what is found afterwards can be held against it.
 *
 * Every write puts its own number under `last` and under a key of its own, and changes a few keys that all writes share;
 * so a state tells which writes are in it, whole or in part.
 */
import type { VarveError, WriteOutcome } from '../../src/base/errors.ts'
import type { Durability } from '../../src/base/types.ts'
import { WriteBatch } from '../../src/batch/write-batch.ts'
import type { DB } from '../../src/db/db.ts'
import { open } from '../../src/db/open.ts'
import type { Options } from '../../src/db/options.ts'
import type { FaultEnvironment } from '../support/fault-env.ts'

export const DIRECTORY = '/db'
export const OPTIONS: Options = {
  workers: 0,
  writeBufferBytes: 16384,
  maxImmutableMemTables: 2,
  level0CompactionTrigger: 2,
  maxFileBytes: 8192,
  levelBytes: 16384,
  compression: 'none',
}

/** Keys and values as text: what a scan finds, or should find. */
export type State = Map<string, string>

/** A put, or a delete without a value; with an end, of all keys before it. */
export type Op = readonly [key: string, value: string | undefined, end?: string]

export interface Write {
  readonly index: number
  readonly ops: readonly Op[]
  readonly durability: Durability
  outcome: 'started' | 'acknowledged' | WriteOutcome
}

/** What was written long before the flush, what the same batch has just written, and what no write ever touches. */
const RANGES: readonly Op[] = [
  ['gone1', undefined, 'gone3'],
  ['shared0', undefined, 'shared2'],
  ['x', undefined, 'y'],
]

export class Ledger {
  readonly writes: Write[] = []
  /** So many writes are durable for certain. */
  durable = 0
  /** So many writes outlive the process for certain. */
  kept = 0

  /** A new write, of about `bytes` bytes. */
  begin(durability: Durability, bytes: number = 10): Write {
    const index = this.writes.length + 1
    const value = `${index}${'.'.repeat(bytes)}`
    const ops: Op[] = [
      ['last', String(index)],
      [`own${index}`, value],
      [`shared${index % 3}`, String(index)],
      [`gone${(index + 1) % 4}`, undefined],
      ...(index % 3 === 1 ? RANGES : []),
      [`gone${index % 4}`, String(index)],
    ]
    const write: Write = { index, ops, durability, outcome: 'started' }
    this.writes.push(write)
    return write
  }

  acknowledged(write: Write): void {
    write.outcome = 'acknowledged'
    if (write.durability === 'disk') this.durable = Math.max(this.durable, write.index)
    if (write.durability !== 'buffered') this.kept = Math.max(this.kept, write.index)
  }

  /** The first `count` writes, or all so far, are in synced tables. */
  flushed(count: number = this.writes.length): void {
    this.durable = Math.max(this.durable, count)
    this.kept = Math.max(this.kept, count)
  }

  /** The state after the first `count` writes. */
  model(count: number): State {
    return stateOf(this.writes.slice(0, count))
  }
}

/** The state after these writes. */
export function stateOf(writes: readonly Write[]): State {
  const state: State = new Map()
  for (const { ops } of writes) apply(state, ops)
  return new Map([...state].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Change a state as a batch of these does. @returns it */
export function apply(state: State, ops: readonly Op[]): State {
  for (const [key, value, end] of ops) {
    if (value !== undefined) state.set(key, value)
    else for (const held of [...state.keys()]) if (isDeleted(held, key, end)) state.delete(held)
  }
  return state
}

function isDeleted(held: string, key: string, end: string | undefined): boolean {
  return end === undefined ? held === key : key <= held && held < end
}

/** What the database holds. */
export function readState(db: DB): State {
  const state: State = new Map()
  for (const [key, value] of db.scanSync()) state.set(Buffer.from(key).toString(), Buffer.from(value).toString())
  return state
}

/** A state for the message of a failed assertion. */
export function summary(state: State): string {
  const keys = [...state.keys()].filter((key) => key.startsWith('own')).map((key) => key.slice(3))
  return `last ${state.get('last')}, writes ${keys.sort((a, b) => Number(a) - Number(b)).join(' ')}`
}

/** How the steps of the workload are carried out; the matrices differ in what they do about failures. */
export interface Runner {
  readonly environment: FaultEnvironment
  readonly ledger: Ledger
  /** Beside those of every life, and before them. */
  readonly options?: Options
  /** Wait for a step that may fail; answers whether it did what it should. */
  step(promise: Promise<unknown>): Promise<boolean>
  /** Let time pass, and what is due in it happen. */
  pass(durationMs: number): Promise<void>
}

/** The whole life. Ends early if the database cannot be opened; `onOpen` is told of each opening. */
export async function live(runner: Runner, onOpen: (db: DB) => void = () => {}): Promise<void> {
  const first = await begin(runner, onOpen)
  if (first === undefined) return
  await childhood(runner, first)
  await growth(runner, first)
  if (await runner.step(first.close())) runner.ledger.flushed()
  const second = await begin(runner, onOpen)
  if (second === undefined) return
  await age(runner, second)
  if (await runner.step(second.close())) runner.ledger.flushed()
}

/** Open the database, if it can be. */
export async function begin(runner: Runner, onOpen: (db: DB) => void): Promise<DB | undefined> {
  let db: DB | undefined
  const opening = open(DIRECTORY, { ...OPTIONS, ...runner.options, environment: runner.environment }).then((opened) => {
    db = opened
  })
  await runner.step(opening)
  if (db !== undefined) {
    onOpen(db)
  }
  return db
}

/** Small writes of all durabilities. */
async function childhood(runner: Runner, db: DB): Promise<void> {
  for (const durability of ['os', 'disk', 'buffered', 'os', 'disk'] as const) {
    await write(runner, db, durability)
  }
  await turn(runner, db, ['os', 'buffered', 'os'])
  await turn(runner, db, ['os', 'disk', 'os'])
  writeSync(runner, db, 'os')
  writeSync(runner, db, 'disk')
}

/**
 * Writes that fill MemTables, and durable ones, of both kinds, while older MemTables wait with logs that are not synced.
 * In the crash matrix the first two tables fail, and wait for these timers.
 */
async function growth(runner: Runner, db: DB): Promise<void> {
  for (const bytes of [6000, 6000, 6000, 10]) await write(runner, db, 'os', bytes)
  await write(runner, db, 'disk')
  await runner.pass(200)
  for (const bytes of [6000, 6000, 600]) await write(runner, db, 'os', bytes)
  await write(runner, db, 'buffered', 6000)
  await write(runner, db, 'os')
  writeSync(runner, db, 'disk')
  await write(runner, db, 'os', 600)
  await runner.pass(2000)
  await turn(runner, db, ['os', 'os'])
  const count = runner.ledger.writes.length
  if ((await runner.step(db.flush())) && count === runner.ledger.writes.length) runner.ledger.flushed()
  await write(runner, db, 'os')
  await runner.step(db.compactRange())
  await write(runner, db, 'os', 700)
  writeSync(runner, db, 'os')
}

async function age(runner: Runner, db: DB): Promise<void> {
  await write(runner, db, 'os', 600)
  await turn(runner, db, ['os', 'os'])
  await write(runner, db, 'disk')
  await write(runner, db, 'os', 600)
  await write(runner, db, 'os', 12_000)
  await write(runner, db, 'os', 6000)
  await write(runner, db, 'os')
}

async function write(runner: Runner, db: DB, durability: Durability, bytes?: number): Promise<void> {
  await runner.step(commit(runner.ledger, db, durability, bytes))
}

/** Writes of one turn, awaited together. */
export async function turn(runner: Runner, db: DB, durabilities: readonly Durability[]): Promise<void> {
  const commits = durabilities.map((durability) => commit(runner.ledger, db, durability))
  await runner.step(
    Promise.allSettled(commits).then((outcomes) => {
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
    }),
  )
}

/** One write; what becomes of it is in the ledger. */
export async function commit(ledger: Ledger, db: DB, durability: Durability, bytes?: number): Promise<void> {
  const started = ledger.begin(durability, bytes)
  try {
    await db.write(batchOf(started.ops), { durability })
  } catch (error) {
    started.outcome = (error as VarveError).outcome ?? 'started'
    throw error
  }
  ledger.acknowledged(started)
}

/** As commit, before it returns. */
export function writeSync(runner: Runner, db: DB, durability: Durability, bytes?: number): void {
  const started = runner.ledger.begin(durability, bytes)
  try {
    db.writeSync(batchOf(started.ops), { durability })
  } catch (error) {
    started.outcome = (error as VarveError).outcome ?? 'started'
    return
  }
  runner.ledger.acknowledged(started)
}

export function batchOf(ops: readonly Op[]): WriteBatch {
  const batch = new WriteBatch()
  for (const [key, value, end] of ops) {
    if (end !== undefined) batch.deleteRange(key, end)
    else if (value === undefined) batch.delete(key)
    else batch.put(key, value)
  }
  return batch
}

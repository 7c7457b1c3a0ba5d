/**
 * An owner and a reader on two threads, in schedules that are drawn: who goes is decided before every access to the words that they
 * share (turns.ts). So either of them can be stopped anywhere, while the other does a part of what it does, which interleavings.test.ts
 * cannot: there, one of them is done with all of it before the other goes on.
 * Strategy    batches, rotations, flushes and compactions of tiny buffers, beside one operation of a reader whose port is full of
 *             changes, with up to six changes of turns
 * Invariants  what is read is of one batch, not older than the last one before the schedule; a scan and a snapshot stay as they are
 * VARVE_SEED draws others, and VARVE_THREADS_OPERATIONS asks for more of them.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setImmediate as eventLoop } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { Environment } from '../../src/base/environment.ts'
import { Prng } from '../../src/base/prng.ts'
import type { DB } from '../../src/db/db.ts'
import { open } from '../../src/db/open.ts'
import { nodeEnvironment, WriteBatch } from '../../src/public/index.ts'
import { CHECK, END, FAILED, KEYS, OPERATION, RESULT, STALLED, SWITCHES_MAX, Turns, type TurnsOrders } from './turns.ts'

const SEED = Number(process.env['VARVE_SEED'] ?? 1)
/** A schedule takes as long as so many of the operations that are asked for elsewhere. */
const SCHEDULES = Number(process.env['VARVE_THREADS_OPERATIONS'] ?? 1_000_000) / 20_000
const PROGRAM = fileURLToPath(new URL('./turns-reader.js', import.meta.url))
const FILLER = 'f'.repeat(2000)
/** Steps between two changes of turns are as often one or two as a hundred: most of a race lies between two accesses, the rest anywhere. */
const STEPS_LOG_MAX = 7

class Owner {
  readonly db: DB
  readonly turns: Turns = new Turns(0)
  /** Number of the last batch. */
  written = 0
  readonly #worker: Worker

  constructor(t: TestContext, db: DB) {
    this.db = db
    this.play(1)
    const handle = db.share()
    const workerData: TurnsOrders = { handle, turns: this.turns.words.buffer }
    const worker = new Worker(PROGRAM, { workerData, transferList: [handle.port] })
    t.after(() => worker.terminate())
    this.#worker = worker
  }

  /** Batches and more, with so many flushes. */
  play(flushes: number): void {
    const before = this.db.stats().flushes
    for (let i = 0; this.db.stats().flushes < before + flushes; i++) {
      this.db.putSync(`m${i}`, FILLER)
      if (i % 4 === 0) this.#writeBatch()
    }
    this.#writeBatch()
  }

  /** @returns the reader's result */
  async run(operation: number, isReaderFirst: boolean, switches: readonly number[], flushes: number): Promise<number> {
    const { turns } = this
    turns.words[OPERATION] = operation
    turns.begin(switches)
    if (isReaderFirst) turns.handOver()
    try {
      if (flushes > 0) this.play(flushes)
    } finally {
      turns.end()
    }
    const result = turns.words[RESULT]
    if (result === FAILED) assert.fail(String((await this.heard())[0]))
    return result
  }

  /** What the reader posts next. */
  heard(): Promise<unknown[]> {
    return once(this.#worker, 'message')
  }

  async end(): Promise<void> {
    const ended = once(this.#worker, 'exit')
    this.turns.words[OPERATION] = END
    this.turns.leave()
    await ended
  }

  #writeBatch(): void {
    this.written++
    const batch = new WriteBatch()
    for (const key of KEYS) batch.put(key, String(this.written))
    this.db.writeSync(batch)
  }
}

/** Files of which nothing is waited for: they need not outlast the test. */
function withoutSyncs(): Environment {
  const environment = nodeEnvironment()
  const { files } = environment
  const createWritable = files.createWritable.bind(files)
  files.syncFile = () => {}
  files.syncDirectory = () => {}
  files.createWritable = (path) => Object.assign(createWritable(path), { sync: () => {} })
  return environment
}

async function openIn(t: TestContext): Promise<DB> {
  const directory = mkdtempSync(join(tmpdir(), 'varve-turns-'))
  const small = { writeBufferBytes: 16384, maxFileBytes: 4096, level0CompactionTrigger: 1, levelBytes: 4096 }
  const db = await open(directory, { environment: withoutSyncs(), workers: 0, durability: 'buffered', ...small })
  t.after(async () => {
    await db.close()
    rmSync(directory, { recursive: true, force: true })
  })
  return db
}

test('an owner and a reader that are stopped anywhere, and go on in turns, are as one after the other', async (t) => {
  const owner = new Owner(t, await openIn(t))
  await owner.heard()
  const prng = new Prng(SEED)
  const drawn = (count: number): number => prng.next32() % count
  let stalled = 0
  for (let schedule = 0; schedule < SCHEDULES; schedule++) {
    // They are in the reader's port, which does not turn its event loop.
    for (let changes = drawn(3); changes > 0; changes--) owner.play(1)
    const before = owner.written
    const switches: number[] = []
    for (let step = -1; switches.length < SWITCHES_MAX; switches.push(step))
      step += 1 + drawn(2 << drawn(STEPS_LOG_MAX))
    const [operation, isReaderFirst, flushes] = [drawn(CHECK), drawn(2) === 0, 1 + drawn(4)]
    const told = `schedule ${schedule} of seed ${SEED}: ${operation} ${isReaderFirst} ${switches} ${flushes}`
    const result = await owner.run(operation, isReaderFirst, switches, flushes)
    if (result === STALLED) stalled++
    else assert.ok(result >= before && result <= owner.written, `${told}: ${result} of ${before} to ${owner.written}`)
    if (drawn(2) === 0) owner.play(1)
    assert.equal(await owner.run(CHECK, true, [], 0), 0)
    if (drawn(2) === 0) await eventLoop()
  }
  await owner.end()
  t.diagnostic(`${SCHEDULES} schedules of an owner and a reader`)
  assert.ok(stalled < SCHEDULES / 2)
})

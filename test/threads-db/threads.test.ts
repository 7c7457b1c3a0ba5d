/**
 * Tests of one database and several real threads, on real files: readers beside a writer with tiny buffers, writers on other
 * threads, threads that die while they use something, and threads that sleep.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setImmediate as eventLoop } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { DB } from '../../src/db/db.ts'
import { open } from '../../src/db/open.ts'
import type { Options } from '../../src/db/options.ts'
import { WriteBatch } from '../../src/public/index.ts'
import { ACKNOWLEDGED, KEYS, type Orders, READING, type Report, STOP, WORDS } from './program.ts'

const PROGRAM = fileURLToPath(new URL('./program.js', import.meta.url))
const SMALL: Options = { writeBufferBytes: 16384, maxFileBytes: 4096, level0CompactionTrigger: 2, levelBytes: 8192 }
const FILLER = 'f'.repeat(500)

class Thread {
  readonly worker: Worker
  readonly #messages: unknown[] = []
  #wake: () => void = () => {}

  constructor(t: TestContext, db: DB, what: Orders['what'], words: Int32Array<SharedArrayBuffer>, name: string = '') {
    const handle = db.share()
    const workerData: Orders = { handle, what, words: words.buffer, name }
    this.worker = new Worker(PROGRAM, { workerData, transferList: [handle.port] })
    // A test that fails does not wait for it.
    t.after(() => this.worker.terminate())
    this.worker.on('message', (message) => this.#tell(message))
    this.worker.on('error', (error) => this.#tell({ fault: String(error) }))
  }

  async next(): Promise<unknown> {
    while (this.#messages.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve))
    return this.#messages.shift()
  }

  /** The last message; the thread has done all it was told. */
  async report(): Promise<Report> {
    const report = (await this.next()) as Report
    assert.equal(report.fault, undefined)
    return report
  }

  #tell(message: unknown): void {
    this.#messages.push(message)
    this.#wake()
  }
}

function tablesOf(directory: string): number {
  return readdirSync(directory).filter((name) => /\.(ldb|sst)$/.test(name)).length
}

async function openIn(t: TestContext, options: Options = {}): Promise<{ db: DB; directory: string }> {
  const directory = mkdtempSync(join(tmpdir(), 'varve-threads-'))
  const db = await open(directory, { ...SMALL, ...options })
  t.after(async () => {
    await db.close()
    rmSync(directory, { recursive: true, force: true })
  })
  return { db, directory }
}

function newWords(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(4 * WORDS))
}

function batch(number: number): WriteBatch {
  const made = new WriteBatch()
  for (const key of KEYS) made.put(key, `${number}`)
  return made.put(`f${number % 200}`, FILLER)
}

/** Write batches from one number to another, some of them at once, some in a loop that never yields. */
async function write(db: DB, words: Int32Array, from: number, to: number): Promise<void> {
  for (let i = from; i <= to; ) {
    if (i % 3 === 0) {
      const burst = Array.from({ length: 20 }, (_, k) => db.write(batch(i + k)))
      await Promise.all(burst)
      i += 20
    } else {
      for (let k = 0; k < 20; k++) db.writeSync(batch(i++))
      await eventLoop()
    }
    Atomics.store(words, ACKNOWLEDGED, i - 1)
  }
}

function stop(words: Int32Array): void {
  Atomics.store(words, STOP, 1)
  Atomics.notify(words, STOP)
}

/** Until what is said holds; gives up after far longer than it can take. */
async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; !condition(); i++) {
    assert.ok(i < 10_000, `waited in vain for ${condition}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

test('threads read whole batches, never older than what was acknowledged, through flushes and compactions', async (t) => {
  for (const workers of [2, 0]) {
    const { db, directory } = await openIn(t, { workers })
    const words = newWords()
    await write(db, words, 1, 20)
    const threads = [new Thread(t, db, 'read', words, 'a'), new Thread(t, db, 'read', words, 'b')]
    await until(() => db.stats().readers === 2)
    await write(db, words, 21, 1500)
    // On a busy machine a thread may not have had its turn yet.
    for (let i = 1501; Atomics.load(words, READING) < threads.length; i += 60) await write(db, words, i, i + 59)
    stop(words)
    for (const thread of threads) {
      const { reads, batches, snapshots } = await thread.report()
      t.diagnostic(`${reads} reads, of ${batches} batches, ${snapshots} snapshots`)
      assert.ok(reads > 0 && snapshots > 0)
    }
    const { flushes, compactions } = db.stats()
    t.diagnostic(`workers ${workers}: ${flushes} flushes, ${compactions} compactions`)
    assert.ok(flushes > 10 && compactions > 0)
    await until(() => db.stats().readers === 0)
    await db.flush()
    await until(() => !db.stats().isCompacting && tablesOf(directory) === db.stats().tables.length)
  }
})

test('what a thread pins stays, and goes when the thread is ended', async (t) => {
  const { db, directory } = await openIn(t, { compression: 'none' })
  const words = newWords()
  await write(db, words, 1, 400)
  await db.compactRange()
  const thread = new Thread(t, db, 'pin', words)
  assert.equal(await thread.next(), 'ready')
  assert.equal(db.stats().openSnapshots, 1)
  await write(db, words, 401, 800)
  await db.compactRange()
  assert.equal(db.stats().levels[0].tables, 0, 'also what a compaction under way before did not take')
  assert.ok(tablesOf(directory) > db.stats().tables.length, 'the tables of the scan are still there')
  // The snapshot keeps an old version of each key, and so its bytes.
  const pinned = db.stats().tables.reduce((sum, { bytes }) => sum + bytes, 0)
  await thread.worker.terminate()
  await until(() => db.stats().readers === 0)
  assert.equal(db.stats().openSnapshots, 0)
  await until(() => !db.stats().isCompacting && tablesOf(directory) === db.stats().tables.length)
  await write(db, words, 801, 1000)
  await db.compactRange()
  assert.equal(db.stats().levels[0].tables, 0)
  assert.ok(db.stats().tables.reduce((sum, { bytes }) => sum + bytes, 0) < pinned * 0.75)
})

test('the descriptors of a thread that is ended are closed', { skip: process.platform !== 'linux' }, async (t) => {
  const { db, directory } = await openIn(t)
  const words = newWords()
  await write(db, words, 1, 400)
  await db.compactRange()
  const descriptors = (): number => readdirSync('/proc/self/fd').length
  const thread = new Thread(t, db, 'pin', words)
  await thread.next()
  const before = descriptors()
  await thread.worker.terminate()
  await until(() => descriptors() < before)
  assert.ok(tablesOf(directory) > 0)
})

test('a thread that slept through many changes of large MemTables reads the newest batch when it wakes', async (t) => {
  const { db } = await openIn(t, { writeBufferBytes: 32 * 1024 * 1024 })
  const words = newWords()
  await db.write(batch(1))
  const thread = new Thread(t, db, 'sleep', words)
  assert.equal(await thread.next(), 'ready')
  for (let i = 2; i < 12; i++) {
    await db.write(batch(i))
    await db.flush()
  }
  stop(words)
  assert.equal((await thread.report()).batches, 11)
})

test('writes of several threads are acknowledged once they are visible, and are in the database', async (t) => {
  const { db } = await openIn(t)
  const words = newWords()
  const threads = ['a', 'b'].map((name) => new Thread(t, db, 'write', words, name))
  await write(db, words, 1, 200)
  for (const thread of threads) await thread.report()
  for (const name of ['a', 'b']) {
    const keys = Array.from(db.keysSync({ gte: `f${name}`, lt: `f${name}~` }), (key) => Buffer.from(key).toString())
    const expected = Array.from({ length: 150 }, (_, i) => `f${name}${2 * i + 1}`)
    assert.deepEqual(keys, expected.sort())
  }
})

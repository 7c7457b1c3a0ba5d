/**
 * Tests of flushes on a real worker thread, on real files: a synchronous loop that never yields, a thread that dies, one
 * that never answers, none at all, and closing meanwhile.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Environment, WorkerThread } from '../../src/base/environment.ts'
import { LockedError } from '../../src/base/errors.ts'
import type { DB } from '../../src/db/db.ts'
import { open } from '../../src/db/open.ts'
import type { Options } from '../../src/db/options.ts'
import { nodeEnvironment } from '../../src/env/node-env.ts'

const VALUE = 'v'.repeat(3000)

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'varve-worker-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

function openSmall(directory: string, options: Options = {}): Promise<DB> {
  return open(directory, { writeBufferBytes: 16384, maxImmutableMemTables: 1, ...options })
}

/** Node's environment, with threads made by `start`, which is given the real way to make one. */
function withThreads(start: (real: () => WorkerThread | undefined) => WorkerThread | undefined): Environment {
  const node = nodeEnvironment()
  return {
    files: node.files,
    clock: node.clock,
    random32: () => node.random32(),
    later: (delayMs, task, keepAlive) => node.later(delayMs, task, keepAlive),
    soon: (task) => node.soon(task),
    sleep: (durationMs) => node.sleep(durationMs),
    keepFromTransfer: (buffer) => node.keepFromTransfer(buffer),
    waitWhile: (...wait) => node.waitWhile(...wait),
    publish: (name, detail) => node.publish(name, detail),
    startWorker: () => start(() => node.startWorker()),
  }
}

/** A thread whose messages `post` may change. */
function intercepted(thread: WorkerThread, post: (message: unknown) => void): WorkerThread {
  return {
    post,
    onMessage: (handler) => thread.onMessage(handler),
    onExit: (handler) => thread.onExit(handler),
    receiveNow: () => thread.receiveNow(),
    keepAlive: (keep) => thread.keepAlive(keep),
    callOff: () => thread.callOff(),
    terminate: () => thread.terminate(),
  }
}

function keys(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `key${String(i).padStart(4, '0')}`)
}

async function expectAll(db: DB, expected: readonly string[]): Promise<void> {
  assert.deepEqual(
    Array.from(db.keysSync(), (key) => Buffer.from(key).toString()),
    expected,
  )
}

test('a loop of putSync that never yields makes progress, and says why it waited', async (t) => {
  const directory = scratch(t)
  const db = await openSmall(directory)
  const stalls: string[] = []
  db.on('stall', ({ phase, reason, immutableMemTables }) => stalls.push(`${phase} ${reason} ${immutableMemTables}`))
  for (const key of keys(200)) db.putSync(key, VALUE)
  // No event has been handled since the loop began: whatever was flushed, the loop took from the worker by hand.
  const { flushes, immutables, stalls: count } = db.stats()
  assert.ok(flushes > 20, `${flushes} flushes`)
  assert.ok(immutables.length <= 1)
  assert.ok(count > 0 && stalls.length === 2 * count, `${count} stalls, ${stalls.length} events`)
  assert.equal(stalls[0], 'begin memtables 1')
  assert.match(stalls[1], /^end memtables [01]$/)
  await expectAll(db, keys(200))
  await db.close()
  const again = await openSmall(directory)
  assert.equal(again.recoveryInfo.entries, 0)
  await expectAll(again, keys(200))
  await again.close()
})

test('awaited writes go on while the worker flushes', async (t) => {
  const db = await openSmall(scratch(t), { maxImmutableMemTables: 4 })
  const flushed: number[] = []
  db.on('flush', ({ entries }) => flushed.push(entries))
  await Promise.all(keys(100).map((key) => db.put(key, VALUE)))
  await db.flush()
  assert.equal(
    flushed.reduce((sum, entries) => sum + entries, 0),
    100,
  )
  assert.deepEqual(db.stats().immutables, [])
  await expectAll(db, keys(100))
  await db.close()
})

test('closing while a flush runs waits for it', async (t) => {
  const directory = scratch(t)
  const db = await openSmall(directory, { maxImmutableMemTables: 4 })
  for (const key of keys(20)) db.putSync(key, VALUE)
  assert.ok(db.stats().immutables.length > 0)
  await db.close()
  const again = await openSmall(directory)
  assert.deepEqual([again.recoveryInfo.entries, again.recoveryInfo.discarded], [0, []])
  await expectAll(again, keys(20))
  await again.close()
})

/** The first thread dies of its first job; later ones are as they should be. Each is waited for, however long it takes to begin. */
function dyingOnce(): { environment: Environment; started: () => number } {
  let count = 0
  const environment = withThreads((real) => {
    const thread = real()!
    const isFirst = count++ === 0
    const post = (message: unknown): void => thread.post(isFirst ? null : message)
    return { ...intercepted(thread, post), callOff: () => false }
  })
  return { environment, started: () => count }
}

/** Threads that end when they are told to, and `end` is called. */
function lingering(): { environment: Environment; end: () => void } {
  let end = (): void => {}
  const isOver = new Promise<void>((resolve) => {
    end = resolve
  })
  const environment = withThreads((real) => {
    const thread = real()!
    return {
      ...intercepted(thread, (message) => thread.post(message)),
      terminate: () => isOver.then(() => thread.terminate()),
    }
  })
  return { environment, end }
}

/** Once the lock is let go of, which nobody is told. */
async function opensAgain(directory: string): Promise<void> {
  for (;;) {
    try {
      return await (await openSmall(directory)).close()
    } catch (error) {
      if (!(error instanceof LockedError)) throw error
      await turn()
    }
  }
}

function hasFigures(db: DB): boolean {
  try {
    db.stats()
    return true
  } catch {
    return false
  }
}

test('closing keeps the lock until every thread has ended', async (t) => {
  const directory = scratch(t)
  const { environment, end } = lingering()
  const db = await openSmall(directory, { environment })
  await db.put('a', '1')
  await db.flush()
  const closing = db.close()
  // All else has been let go of when there are no figures any more.
  while (hasFigures(db)) await turn()
  await assert.rejects(openSmall(directory), { code: 'LOCKED' })
  end()
  await closing
  await (await openSmall(directory)).close()
})

test('a thread that does not end keeps the lock, and not the one who closes', async (t) => {
  const directory = scratch(t)
  const { environment, end } = lingering()
  const db = await openSmall(directory, { environment, stallTimeoutMs: 60 })
  await db.put('a', '1')
  await db.flush()
  await db.close()
  await assert.rejects(openSmall(directory), { code: 'LOCKED' })
  end()
  await opensAgain(directory)
})

test('a worker that dies fails its job, which another one does', async (t) => {
  const { environment, started } = dyingOnce()
  const db = await openSmall(scratch(t), { environment })
  const errors: string[] = []
  db.on('background-error', ({ error, attempt }) => errors.push(`${attempt} ${error.message}`))
  await db.put('a', '1')
  // A flush tells of the first try that fails; the next one begins another.
  await assert.rejects(db.flush(), { code: 'IO_ERROR' })
  await db.flush()
  assert.match(
    errors.join(),
    /^1 the worker thread ended before its job was done \(Cannot read properties of null.*\)$/,
  )
  assert.deepEqual([started(), db.stats().tables.length], [2, 1])
  await expectAll(db, ['a'])
  await db.close()
})

test('a worker that dies while a synchronous writer waits is replaced, and no write is refused', async (t) => {
  const { environment, started } = dyingOnce()
  const db = await openSmall(scratch(t), { environment })
  const errors: string[] = []
  db.on('background-error', ({ error }) => errors.push(error.message))
  // The end of a thread is an event, of which a loop that never yields hears by the thread's last message.
  for (const key of keys(40)) db.putSync(key, VALUE)
  assert.deepEqual([errors, started()], [['the worker thread ended before its job was done'], 2])
  await expectAll(db, keys(40))
  await db.close()
})

test('where there are no threads, jobs run inline', async (t) => {
  const db = await openSmall(scratch(t), { environment: withThreads(() => undefined) })
  for (const key of keys(50)) db.putSync(key, VALUE)
  assert.equal(db.stats().stalls, 0)
  assert.ok(db.stats().flushes > 5)
  await expectAll(db, keys(50))
  await db.close()
})

test('a write that waits longer than stallTimeoutMs is refused, synchronous or not', async (t) => {
  let thread: WorkerThread | undefined
  const jobs: unknown[] = []
  let isHeld = true
  const environment = withThreads((real) => {
    const started = real()!
    thread = started
    return intercepted(started, (message) => (isHeld ? jobs.push(message) : started.post(message)))
  })
  const db = await openSmall(scratch(t), { environment, stallTimeoutMs: 60 })
  for (const key of keys(12)) await db.put(key, VALUE)
  await assert.rejects(db.put('late', VALUE), { code: 'STALLED', outcome: 'not-written' })
  assert.throws(() => db.putSync('late', VALUE), { code: 'STALLED', outcome: 'not-written' })
  assert.equal(db.getSync('late'), undefined)
  assert.equal(jobs.length, 1)
  // The worker gets its job after all, and writes are taken again.
  isHeld = false
  const flushed = new Promise((resolve) => db.on('flush', resolve))
  thread?.post(jobs[0])
  await flushed
  db.putSync('late', VALUE)
  await expectAll(db, [...keys(12), 'late'])
  await db.close()
})

test('a flush freezes no more MemTables than may wait: it waits for one to be free, as a write does', async (t) => {
  let thread: WorkerThread | undefined
  const jobs: unknown[] = []
  const environment = withThreads((real) => {
    const started = real()!
    thread = started
    return intercepted(started, (message) => (jobs.length === 0 ? jobs.push(message) : started.post(message)))
  })
  const db = await openSmall(scratch(t), { environment })
  const flushes: Promise<void>[] = []
  for (const key of keys(3)) {
    await db.put(key, VALUE)
    flushes.push(db.flush())
    for (let i = 0; i < 3; i++) await turn()
    assert.equal(db.stats().immutables.length, 1)
  }
  assert.equal(db.stats().active.entries, 2)
  thread?.post(jobs[0])
  await Promise.all(flushes)
  assert.deepEqual([db.stats().flushes, db.stats().active.entries], [2, 0])
  await db.close()
})

test('a job that cannot be handed to the thread fails, and the next one is taken', async (t) => {
  const directory = scratch(t)
  let failures = 2
  const environment = withThreads((real) => {
    const thread = real()
    assert.ok(thread !== undefined)
    return intercepted(thread, (message) => {
      if (failures-- > 0) throw new DOMException('it cannot be cloned', 'DataCloneError')
      thread.post(message)
    })
  })
  const db = await openSmall(directory, { environment, workers: 1 })
  const failed: string[] = []
  db.on('background-error', ({ work }) => failed.push(work))
  for (const key of keys(20)) await db.put(key, VALUE)
  await db.flush()
  assert.deepEqual(failed, ['flush', 'flush'])
  await db.close()
})

const CLOSINGS: readonly [what: string, fill: (db: DB) => void, threads: number][] = [
  ['little', (db) => db.putSync('key', VALUE), 0],
  ['much', (db) => db.putSync('key', VALUE.repeat(100)), 1],
  ['a range delete', (db) => db.deleteRangeSync('a', 'b'), 1],
]

for (const [what, fill, threads] of CLOSINGS) {
  test(`closing with ${what} in memory starts ${threads === 0 ? 'no thread' : 'a thread'}`, async (t) => {
    let started = 0
    const environment = withThreads((real) => {
      started++
      return real()
    })
    const directory = scratch(t)
    const db = await open(directory, { environment })
    db.putSync('here', VALUE)
    fill(db)
    await db.close()
    assert.equal(started, threads)
    const again = await open(directory)
    assert.equal(again.recoveryInfo.entries, 0)
    assert.ok(again.hasSync('here'))
    await again.close()
  })
}

/**
 * Writes that compaction holds back: slowed down, stopped, let go on, refused; and what is not refused.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DB } from '../../src/db/db.ts'
import { open } from '../../src/db/open.ts'
import type { Options } from '../../src/db/options.ts'
import type { StallDetail } from '../../src/db/reports/events.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { FaultEnvironment } from '../support/fault-env.ts'
import { DIRECTORY } from './directories.ts'

const VALUE = '.'.repeat(6000)

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

interface Held {
  readonly memory: MemoryEnvironment
  readonly db: DB
  readonly stalls: StallDetail[]
  /** Let compactions read their inputs again. */
  letGo(): void
}

/** A database whose compactions fail, since they cannot open their inputs, while flushes succeed. */
async function held(options: Options): Promise<Held> {
  const memory = new MemoryEnvironment()
  const environment = new FaultEnvironment(memory, { directory: DIRECTORY })
  environment.setFaults(({ op, path }) => (op === 'open' && path.endsWith('.ldb') ? { code: 'EIO' } : undefined))
  const db = await open(DIRECTORY, { workers: 0, writeBufferBytes: 16384, environment, ...options })
  const stalls: StallDetail[] = []
  db.on('stall', (detail) => stalls.push(detail))
  return { memory, db, stalls, letGo: () => environment.setFaults(undefined) }
}

const STOP: Options = { level0CompactionTrigger: 2, level0SlowdownTrigger: 3, level0StopTrigger: 3 }

/** Await something while time passes in small steps. */
async function inTime<T>(memory: MemoryEnvironment, promise: Promise<T>, stepMs: number = 1): Promise<T> {
  let isSettled = false
  const settle = (): void => {
    isSettled = true
  }
  promise.then(settle, settle)
  for (let steps = 0; !isSettled; steps++) {
    assert.ok(steps < 100_000, 'it hangs')
    await turn()
    if (!isSettled && steps % 4 === 3) memory.runTimers(memory.clock.micros / 1000 + stepMs)
  }
  return promise
}

/** Overlapping tables, one a flush. */
function fillLevel0({ db, memory }: Held, tables: number): Promise<void> {
  return inTime(memory, fill())

  async function fill(): Promise<void> {
    for (let i = 0; i < tables; i++) {
      await db.put('a', VALUE)
      await db.put('z', VALUE)
      await db.flush()
    }
  }
}

/** One after the other, each in a group of its own. */
async function putAll(db: DB, count: number, value: string = VALUE): Promise<void> {
  for (let i = 0; i < count; i++) await db.put(`k${i}`, value)
}

test('a stop at level 0 lasts until a compaction has been done, and says why', async () => {
  const here = await held(STOP)
  const { memory, db, stalls, letGo } = here
  await fillLevel0(here, 3)
  assert.equal(db.stats().stallReason, 'level0-tables')
  const writes = putAll(db, 6)
  for (let i = 0; i < 40; i++) {
    await turn()
    memory.runTimers(memory.clock.micros / 1000 + 1)
  }
  assert.deepEqual(
    stalls.map(({ phase, reason }) => [phase, reason]),
    [['begin', 'level0-tables']],
  )
  letGo()
  await inTime(memory, writes)
  assert.deepEqual(stalls.at(-1)?.phase, 'end')
  assert.ok(db.stats().levels[0].tables < 3)
  await inTime(memory, db.close())
})

for (const isSync of [false, true]) {
  test(`a stop that no compaction can end refuses ${isSync ? 'synchronous ' : ''}writes, with the cause`, async () => {
    const here = await held({ ...STOP, stallTimeoutMs: 1_000_000 })
    const { memory, db } = here
    await fillLevel0(here, 3)
    const write = async (): Promise<void> => {
      if (isSync) for (let i = 0; i < 6; i++) db.putSync(`k${i}`, VALUE)
      else await putAll(db, 6)
    }
    await assert.rejects(inTime(memory, write(), 100), (error: Error & { code: string; outcome: string }) => {
      assert.equal(error.code, 'STALLED')
      assert.equal(error.outcome, 'not-written')
      assert.match(error.message, /level 0 is full.*cannot open/)
      assert.ok(error.cause instanceof Error)
      return true
    })
    await inTime(memory, db.close())
  })
}

test('a stop ends by refusal when it has lasted too long', async () => {
  const here = await held({ ...STOP, stallTimeoutMs: 20 })
  const { memory, db } = here
  await fillLevel0(here, 3)
  await assert.rejects(inTime(memory, putAll(db, 6)), { code: 'STALLED', message: /after 20 ms/ })
  await inTime(memory, db.close())
})

test('range deletes wait as other writes do', async () => {
  const here = await held({ ...STOP, stallTimeoutMs: 20 })
  const { memory, db, stalls } = here
  await fillLevel0(here, 3)
  const deletes = async (): Promise<void> => {
    for (let i = 0; i < 1000; i++) await db.deleteRange(`zz${i}`, `zz${i}~`)
  }
  await assert.rejects(inTime(memory, deletes()), { code: 'STALLED' })
  assert.deepEqual([stalls[0].reason, stalls[0].immutableMemTables, db.stats().flushes], ['level0-tables', 0, 3])
  await inTime(memory, db.close())
})

test('flushing is not stopped by level 0, nor is closing', async () => {
  const here = await held(STOP)
  const { memory, db, letGo } = here
  await fillLevel0(here, 5)
  await inTime(memory, db.put('b', VALUE))
  await inTime(memory, db.close())
  letGo()
  const again = await open(DIRECTORY, { workers: 0, environment: memory })
  assert.equal(again.recoveryInfo.entries, 0)
  assert.equal(again.getSync('b')?.length, VALUE.length)
  await again.close()
})

const SLOW: Options = {
  level0CompactionTrigger: 1,
  level0SlowdownTrigger: 1,
  level0StopTrigger: 4,
  writeBufferBytes: 2 ** 20,
}

test('writes are slowed down before they stop: a burst waits for timers', async () => {
  const here = await held(SLOW)
  const { memory, db } = here
  // The first one is moved to level 1.
  await fillLevel0(here, 4)
  const startMs = memory.clock.micros / 1000
  await inTime(memory, putAll(db, 10, 'x'.repeat(50_000)))
  // At two thirds of the way to the stop the rate is 4 MiB a second.
  const tookMs = memory.clock.micros / 1000 - startMs
  assert.ok(tookMs > 60 && tookMs < 1000, `${tookMs} ms`)
  const { delayedMs, stalls } = db.stats()
  assert.ok(delayedMs > 50)
  assert.equal(stalls, 0)
  await inTime(memory, db.close())
})

test('a synchronous writer that is too fast sleeps', async () => {
  const here = await held(SLOW)
  const { memory, db } = here
  // The first one is moved to level 1.
  await fillLevel0(here, 4)
  const startMs = memory.clock.micros / 1000
  for (let i = 0; i < 10; i++) db.putSync(`k${i}`, 'x'.repeat(50_000))
  assert.ok(memory.clock.micros / 1000 - startMs > 60)
  assert.ok(db.stats().delayedMs > 50)
  await inTime(memory, db.close())
})

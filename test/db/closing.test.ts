/**
 * Closing at any moment, also right after a failure: what the MANIFEST names, or may name, stays, and what it does not, goes.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Scheduler } from '../../campaign/sim/scheduler.ts'
import { SimEnvironment } from '../../campaign/sim/sim-environment.ts'
import type { DB } from '../../src/db/db.ts'
import { open } from '../../src/db/open.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { type VarveError, WriteBatch } from '../../src/public/index.ts'
import { FaultEnvironment } from '../support/fault-env.ts'
import { DIRECTORY, openIn } from './directories.ts'

const COUNT = 60

function batch(value: string, count: number = COUNT): WriteBatch {
  const made = new WriteBatch()
  for (let i = 0; i < count; i++) made.put(`key${1000 + i}`, value)
  return made
}

function valuesOf(db: DB): string[] {
  return Array.from(db.scanSync(), ([, value]) => Buffer.from(value).toString())
}

function tablesOf(paths: readonly string[]): number[] {
  return paths.filter((path) => path.endsWith('.ldb')).map((path) => Number.parseInt(path.slice(-10), 10))
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Close after so many events of a compaction on a worker thread. @returns whether it was over by then */
async function closeAfter(seed: number, events: number): Promise<boolean> {
  const scheduler = new Scheduler(seed)
  const environment = new SimEnvironment(scheduler)
  const options = { environment, workers: 1, maxFileBytes: 4096, blockBytes: 1024 }
  const db = await scheduler.until(open(DIRECTORY, options))
  for (const value of ['old', 'new'.repeat(50)]) {
    await scheduler.until(db.write(batch(value)))
    await scheduler.until(db.flush())
  }
  let outcome = ''
  const compacted = db.compactRange().then(
    () => {
      outcome = 'done'
    },
    (error) => {
      outcome = error.code
    },
  )
  for (let i = 0; i < events && outcome === ''; i++) {
    await turn()
    scheduler.step()
  }
  const isDone = outcome === 'done'
  await scheduler.until(db.close())
  await compacted
  assert.match(outcome, /^(done|CLOSED)$/)
  const where = `seed ${seed}, after ${events} events`
  const found = environment.files.list(DIRECTORY)
  const again = await scheduler.until(open(DIRECTORY, { environment, workers: 0, readOnly: true }))
  assert.deepEqual(valuesOf(again), Array(COUNT).fill('new'.repeat(50)), where)
  const named = again.stats().tables.map(({ number }) => number)
  assert.deepEqual(tablesOf(found), named.sort(), where)
  await scheduler.until(again.close())
  return isDone
}

test('wherever in a compaction a database is closed, it holds what was written, in tables that the MANIFEST names', async () => {
  let rounds = 0
  for (let seed = 1; seed <= 6; seed++) {
    for (let events = 0; !(await closeAfter(seed, events)); events++) rounds++
  }
  assert.ok(rounds > 20, `${rounds} rounds`)
})

test('tables that a failed edit of the MANIFEST may name stay where they are, though a compaction is thrown away', async () => {
  const memory = new MemoryEnvironment()
  const environment = new FaultEnvironment(memory, { directory: DIRECTORY })
  const db = await openIn(memory, { environment, writeBufferBytes: 2 ** 23 })
  for (const value of ['old', 'new']) {
    await db.write(batch(value.repeat(200), 6000))
    await db.flush()
  }
  const compacted = assert.rejects(db.compactRange(), { code: 'READ_ONLY' })
  while (!db.stats().isCompacting) await turn()
  environment.setFaults(({ op, path }) => (op === 'sync' && path.startsWith('MANIFEST') ? { code: 'EIO' } : undefined))
  db.putSync('key', 'value')
  await assert.rejects(db.flush(), { code: 'READ_ONLY' })
  assert.ok(db.stats().isCompacting)
  environment.setFaults(undefined)
  await db.close()
  await compacted
  // The edit is in the file, whatever the sync said.
  const again = await openIn(memory, {})
  assert.equal(Buffer.from(again.getSync('key') ?? []).toString(), 'value')
  assert.equal(valuesOf(again).length, 6001)
  await again.close()
})

test('a scan that ends after a failure of the log removes no table', async () => {
  const memory = new MemoryEnvironment()
  const environment = new FaultEnvironment(memory, { directory: DIRECTORY })
  const db = await openIn(memory, { environment })
  await db.write(batch('old'))
  await db.flush()
  const scan = db.scanSync()
  scan.next()
  await db.write(batch('new'))
  await db.compactRange()
  const before = tablesOf(memory.paths())
  assert.equal(before.length, 2)
  environment.setFaults(({ op }) => (op === 'append' ? { code: 'EIO' } : undefined))
  assert.throws(() => db.putSync('a', '1'), { code: 'IO_ERROR' })
  scan.close()
  await turn()
  assert.deepEqual(tablesOf(memory.paths()), before)
  environment.setFaults(undefined)
  await db.close()
  const again = await openIn(memory, {})
  assert.deepEqual(valuesOf(again), Array(COUNT).fill('new'))
  assert.equal(tablesOf(memory.paths()).length, 1)
  await again.close()
})

test("closing after the log failed, with writes that no sync has made durable, says what failed, with the system's error as cause", async () => {
  for (const op of ['append', 'sync']) {
    const memory = new MemoryEnvironment()
    const environment = new FaultEnvironment(memory, { directory: DIRECTORY })
    const db = await openIn(memory, { environment })
    db.putSync('acknowledged', '1')
    environment.setFaults((call) => (call.op === op && call.path.endsWith('.log') ? { code: 'ENOSPC' } : undefined))
    assert.throws(() => db.putSync('refused', '2', { durability: 'disk' }), { code: 'IO_ERROR' })
    environment.setFaults(undefined)
    await assert.rejects(db.close(), (error: VarveError) => {
      assert.deepEqual([error.code, (error.cause as { code?: string }).code], ['IO_ERROR', 'ENOSPC'])
      assert.match(error.message, /takes no more writes after an earlier failure \(.*ENOSPC/)
      return true
    })
  }
})

test('closing leaves no timer: none of writes that are held back, of tables to be looked at, or of a flush to be tried again', async () => {
  const memory = new MemoryEnvironment()
  const first = await openIn(memory, {})
  await first.write(batch('v'))
  await first.flush()
  await first.close()
  const environment = new FaultEnvironment(memory, { directory: DIRECTORY })
  const db = await openIn(memory, { environment })
  environment.setFaults(({ op, path }) => (op === 'create' && path.endsWith('.ldb') ? { code: 'EIO' } : undefined))
  db.putSync('a', '1')
  await assert.rejects(db.flush(), { code: 'IO_ERROR' })
  db.putSync('b', '2', { durability: 'buffered' })
  assert.ok(memory.timerCount >= 3)
  await db.close()
  assert.equal(memory.timerCount, 0)
})

test('once the log has failed no flush that waits for another try is tried, and nothing is compacted', async () => {
  const memory = new MemoryEnvironment()
  const environment = new FaultEnvironment(memory, { directory: DIRECTORY })
  const db = await openIn(memory, { environment, level0CompactionTrigger: 2 })
  // Two tables of level 0 are made; what they are compacted to is not, nor is the next one.
  let tables = 0
  environment.setFaults(({ op, path }) =>
    op === 'create' && path.endsWith('.ldb') && ++tables > 2 ? { code: 'EIO' } : undefined,
  )
  for (const value of ['old', 'older']) {
    await db.write(batch(value))
    await db.flush()
  }
  await db.write(batch('new'))
  await assert.rejects(db.flush(), { code: 'IO_ERROR' })
  assert.ok(tables > 3)
  environment.setFaults(({ op, path }) => (op === 'append' && path.endsWith('.log') ? { code: 'EIO' } : undefined))
  assert.throws(() => db.putSync('a', '1'), { code: 'IO_ERROR' })
  environment.setFaults(undefined)
  environment.takeCalls()
  memory.runTimers(memory.clock.monotonicMs() + 60_000)
  await turn()
  assert.deepEqual(environment.takeCalls(), [])
  assert.deepEqual(valuesOf(db), Array(COUNT).fill('new'))
  // What was acknowledged is in the MemTables alone.
  await assert.rejects(db.close(), { code: 'IO_ERROR' })
})

test('closing lets go of what backups hold that nobody reads on, and whoever does is told', async () => {
  const memory = new MemoryEnvironment()
  const db = await openIn(memory)
  await db.write(batch('x'.repeat(400)))
  await db.flush()
  await db.put('a', '1')
  const begun = db.backup()
  await begun.next()
  // In the middle of a table, which is open.
  const further = db.backup()
  for (let i = 0; i < 3; i++) await further.next()
  const read = db.backup()
  for await (const _ of read);
  const unread = db.backup()
  const asked = db.backup()
  const answer = asked.next()
  const closing = db.close()
  const code = 'CLOSED'
  await assert.rejects(answer, { code })
  await closing
  assert.deepEqual([memory.files.locks.size, memory.files.openCount], [0, 0])
  for (const stream of [begun, further, unread]) await assert.rejects(stream.next(), { code })
  for (const stream of [begun, asked, read]) assert.deepEqual(await stream.next(), { done: true, value: undefined })
})

/**
 * What a database does when nobody writes: level 0 becomes part of level 1, and what hides old versions goes down, where that costs
 * little.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DB } from '../../src/db/db.ts'
import { open } from '../../src/db/open.ts'
import type { Options } from '../../src/db/options.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { WriteBatch } from '../../src/public/index.ts'
import { FaultEnvironment } from '../support/fault-env.ts'
import { DIRECTORY, openIn } from './directories.ts'

const WRITE_BUFFER_BYTES = 256 * 1024
const REST_MS = 200
/** What level 1 may hold where tables are to go down. */
const LEVEL_BYTES = 64 * 1024
/** Longer than the pause after a first failure. */
const RETRY_MS = 20_000
/** Between two looks at whether writes come. */
const SHORTER_MS = REST_MS / 2

interface Resting {
  readonly db: DB
  /** Why each compaction was begun. */
  readonly reasons: string[]
  readonly memory: MemoryEnvironment
  readonly environment: FaultEnvironment
  /** Let time pass, and what was begun then come to its end. */
  readonly pass: (durationMs: number) => Promise<void>
}

async function resting(options: Options = {}): Promise<Resting> {
  const memory = new MemoryEnvironment()
  const environment = new FaultEnvironment(memory, { directory: DIRECTORY })
  const db = await open(DIRECTORY, {
    environment,
    writeBufferBytes: WRITE_BUFFER_BYTES,
    compression: 'none',
    ...options,
  })
  const reasons: string[] = []
  db.on('compaction', ({ phase, reason }) => {
    if (phase === 'begin') reasons.push(reason)
  })
  const pass = async (durationMs: number): Promise<void> => {
    memory.runTimers(memory.clock.monotonicMs() + durationMs)
    for (let idle = 0; idle < 5; idle++) {
      await new Promise((resolve) => setImmediate(resolve))
      if (db.stats().isCompacting || db.stats().immutables.length > 0) idle = 0
    }
  }
  return { db, reasons, memory, environment, pass }
}

/** `count` values of 100 bytes under keys that spread over all there are. */
async function write(db: DB, count: number, value: string): Promise<void> {
  const batch = new WriteBatch()
  for (let i = 0; i < count; i++) batch.put(`k${String((i * 7919) % 10_000).padStart(5, '0')}`, value.repeat(100))
  await db.write(batch)
}

async function writeTables(db: DB, count: number, entries: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await write(db, entries, String(i))
    await db.flush()
  }
}

function tablesOf(db: DB): number[] {
  return db.stats().levels.map(({ tables }) => tables)
}

test('two tables of level 0 are merged once nobody has written for a while, and read as before', async () => {
  const { db, reasons, pass } = await resting()
  await writeTables(db, 2, 1000)
  await pass(SHORTER_MS)
  assert.deepEqual(reasons, [])
  const before = Array.from(db.scanSync(), ([key, value]) => `${key} ${value}`)
  await pass(REST_MS)
  assert.deepEqual(reasons, ['rest'])
  assert.deepEqual(tablesOf(db).slice(0, 3), [0, 1, 0])
  assert.deepEqual(
    Array.from(db.scanSync(), ([key, value]) => `${key} ${value}`),
    before,
  )
  await db.close()
})

test('a single table of level 0 with nothing below it stays where it is, and no timer runs', async () => {
  const { db, reasons, memory, pass } = await resting()
  await writeTables(db, 1, 1000)
  assert.equal(memory.timerCount, 0)
  await pass(10 * REST_MS)
  assert.deepEqual(reasons, [])
  await db.close()
})

test('nothing is merged as long as writes come, and then it is', async () => {
  const { db, reasons, pass } = await resting()
  await writeTables(db, 2, 1000)
  for (let i = 0; i < 10; i++) {
    await write(db, 10, 'x')
    await pass(SHORTER_MS)
  }
  assert.deepEqual(reasons, [])
  await pass(2 * REST_MS)
  assert.deepEqual(reasons, ['rest'])
  await db.close()
})

test('a MemTable that was filled and flushed since the last look is no rest, though the next one is empty', async () => {
  const { db, reasons, pass } = await resting()
  await writeTables(db, 2, 1000)
  await pass(SHORTER_MS)
  await writeTables(db, 1, 1000)
  await pass(SHORTER_MS)
  assert.deepEqual(reasons, [])
  await pass(REST_MS)
  assert.deepEqual(reasons, ['rest'])
  await db.close()
})

test('a trickle of writes is as good as none', async () => {
  const { db, reasons, pass } = await resting()
  await writeTables(db, 2, 1000)
  await db.put('a', 'x')
  await pass(SHORTER_MS)
  await db.put('b', 'x')
  await pass(REST_MS)
  assert.deepEqual(reasons, ['rest'])
  await db.close()
})

for (const [what, entries, isTaken] of [
  ['a small MemTable goes along', 100, true],
  ['a MemTable that is large beside the tables stays, since it answers faster', 1000, false],
] as const) {
  test(what, async () => {
    const { db, reasons, pass } = await resting()
    await writeTables(db, 2, 1000)
    await write(db, entries, 'm')
    await pass(2 * REST_MS)
    assert.deepEqual(reasons, ['rest'])
    assert.deepEqual(tablesOf(db).slice(0, 2), [0, 1])
    assert.equal(db.stats().active.entries, isTaken ? 0 : entries)
    assert.equal(Buffer.from(db.getSync('k00000') ?? []).toString(), 'm'.repeat(100))
    await db.close()
  })
}

test('a small MemTable whose flush fails at first goes along all the same: the merge waits for it', async () => {
  const { db, reasons, environment, pass } = await resting()
  await writeTables(db, 2, 1000)
  await write(db, 100, 'm')
  // The first look only sees that something was written.
  await pass(REST_MS)
  environment.setFaults(({ op, path }) => (op === 'create' && path.endsWith('.ldb') ? { code: 'EIO' } : undefined))
  const looked = pass(REST_MS)
  assert.deepEqual([reasons, db.stats().immutables.length], [[], 1])
  environment.setFaults(undefined)
  await pass(RETRY_MS)
  await looked
  assert.deepEqual(reasons, ['rest'])
  assert.deepEqual(tablesOf(db).slice(0, 2), [0, 1])
  await db.close()
})

test('writes that come while the MemTable that goes along is flushed put the merge off', async () => {
  const { db, reasons, environment, pass } = await resting()
  await writeTables(db, 2, 1000)
  await write(db, 100, 'm')
  await pass(REST_MS)
  environment.setFaults(({ op, path }) => (op === 'create' && path.endsWith('.ldb') ? { code: 'EIO' } : undefined))
  const looked = pass(REST_MS)
  environment.setFaults(undefined)
  await write(db, 1000, 'n')
  await pass(REST_MS)
  await looked
  assert.deepEqual([reasons, tablesOf(db)[0]], [[], 3])
  await pass(2 * REST_MS)
  assert.deepEqual([reasons, tablesOf(db).slice(0, 2)], [['rest'], [0, 1]])
  await db.close()
})

test('a single timer looks for what follows a merge, though the MemTable that goes along has changed the layers as well', async () => {
  const { db, memory, pass } = await resting()
  await writeTables(db, 2, 1000)
  await write(db, 100, 'm')
  await pass(REST_MS)
  memory.runTimers(memory.clock.monotonicMs() + REST_MS)
  assert.ok(db.stats().isCompacting)
  assert.deepEqual([db.stats().active.entries, memory.timerCount], [0, 1])
  await db.close()
})

for (const [what, durability] of [
  ['its turn', 'os'],
  ['its sync', 'disk'],
] as const) {
  test(`while a write waits for ${what}, the database is not at rest`, async () => {
    const { db, reasons, memory, pass } = await resting()
    await writeTables(db, 2, 1000)
    memory.holdSyncs()
    const written = db.put('key', 'value', { durability })
    if (durability === 'disk') await pass(0)
    memory.runTimers(memory.clock.monotonicMs() + REST_MS)
    assert.deepEqual([reasons, memory.timerCount], [[], 1])
    memory.releaseSyncs()
    await written
    await pass(2 * REST_MS)
    assert.deepEqual(reasons, ['rest'])
    await db.close()
  })
}

test('a MemTable for which no log can be begun stays, and the tables are merged without it', async () => {
  const { db, reasons, environment, pass } = await resting()
  await writeTables(db, 2, 1000)
  await write(db, 100, 'm')
  environment.setFaults(({ op, path }) => (op === 'create' && path.endsWith('.log') ? { code: 'EMFILE' } : undefined))
  await pass(2 * REST_MS)
  assert.deepEqual(reasons, ['rest'])
  assert.deepEqual([tablesOf(db).slice(0, 2), db.stats().active.entries], [[0, 1], 100])
  environment.setFaults(undefined)
  await db.close()
})

test('what level 1 would be rewritten for waits until as much has come together', async () => {
  const { db, reasons, pass } = await resting()
  await writeTables(db, 2, 1500)
  await pass(2 * REST_MS)
  assert.deepEqual(reasons, ['rest'])
  await writeTables(db, 1, 400)
  await pass(2 * REST_MS)
  assert.deepEqual(reasons, ['rest'], 'a small table above a large one')
  await writeTables(db, 1, 1500)
  await pass(2 * REST_MS)
  assert.deepEqual(reasons, ['rest', 'rest'], 'with a large one beside it')
  await db.close()
})

/** Two tables in level 2, and in level 0 one above each, with other values of some keys. */
async function restingOnTwoLevels(): Promise<Resting> {
  const opened = await resting({ levelBytes: LEVEL_BYTES })
  const { db, pass } = opened
  const putTable = async (from: number, to: number, value: string): Promise<void> => {
    const batch = new WriteBatch()
    for (let i = from; i < to; i++) batch.put(`k${i}`, value.repeat(100))
    await db.write(batch)
    await db.flush()
  }
  // More than level 1 may hold, each: they go down.
  await putTable(1000, 2000, 'a')
  await putTable(2000, 3000, 'a')
  await putTable(1000, 1200, 'b')
  await putTable(2000, 2200, 'b')
  await pass(0)
  assert.deepEqual(tablesOf(db).slice(0, 4), [2, 0, 2, 0])
  return opened
}

test('levels whose tables hide old versions go down, until no lookup has to ask two tables, and read as before', async () => {
  const { db, reasons, pass } = await restingOnTwoLevels()
  const before = Array.from(db.scanSync(), ([key, value]) => `${key} ${value}`)
  await pass(2 * REST_MS)
  await pass(REST_MS)
  assert.deepEqual(tablesOf(db).slice(0, 2), [0, 0])
  assert.deepEqual(reasons, ['rest', 'rest'], 'what merely moves is not told')
  assert.equal(db.stats().spaceAmplification, 1)
  assert.deepEqual(
    Array.from(db.scanSync(), ([key, value]) => `${key} ${value}`),
    before,
  )
  await db.close()
})

test('writes in the midst of several merges stop them after the one under way, until nobody writes again', async () => {
  const { db, reasons, memory, pass } = await restingOnTwoLevels()
  memory.runTimers(memory.clock.monotonicMs() + REST_MS)
  memory.runTimers(memory.clock.monotonicMs() + REST_MS)
  assert.ok(db.stats().isCompacting)
  await write(db, 20, 'c')
  await pass(0)
  assert.deepEqual(reasons, ['rest'])
  await pass(2 * REST_MS)
  assert.deepEqual(reasons, ['rest', 'rest'])
  assert.equal(db.stats().spaceAmplification, 1)
  await db.close()
})

test('the next of several merges is begun by a timer, which keeps no process alive, and not by the end of the one before', async () => {
  const { db, reasons, memory, pass } = await restingOnTwoLevels()
  memory.runTimers(memory.clock.monotonicMs() + REST_MS)
  await pass(REST_MS)
  assert.deepEqual(reasons, ['rest'])
  assert.equal(memory.timerCount, 1)
  for (let merges = 0; merges < 3; merges++) await pass(REST_MS)
  assert.deepEqual([reasons, memory.timerCount], [['rest', 'rest'], 0])
  await db.close()
})

test('a database that is opened with two tables in level 0 merges them as well', async () => {
  const { db, memory } = await resting({ mergeAtRest: false })
  await writeTables(db, 2, 1000)
  await db.close()
  const again = await openIn(memory, { writeBufferBytes: WRITE_BUFFER_BYTES })
  assert.deepEqual(tablesOf(again).slice(0, 2), [2, 0])
  memory.runTimers(memory.clock.monotonicMs() + REST_MS)
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(tablesOf(again).slice(0, 2), [0, 1])
  await again.close()
})

test('without mergeAtRest level 0 stays as it is, and no timer runs', async () => {
  const { db, reasons, memory, pass } = await resting({ mergeAtRest: false })
  await writeTables(db, 2, 1000)
  assert.equal(memory.timerCount, 0)
  await pass(10 * REST_MS)
  assert.deepEqual(reasons, [])
  await db.close()
})

test('whoever closes the database at rest leaves no timer, and what was under way is as if it had not been', async () => {
  const { db, memory, pass } = await resting()
  await writeTables(db, 2, 1000)
  assert.equal(memory.timerCount, 1)
  memory.runTimers(memory.clock.monotonicMs() + REST_MS)
  assert.ok(db.stats().isCompacting)
  await db.close()
  assert.equal(memory.timerCount, 0)
  await pass(0).catch(() => undefined)
  const again = await openIn(memory, { mergeAtRest: false })
  assert.equal(Array.from(again.keysSync()).length, 1000)
  await again.close()
})

test('whoever closes the database before it has come to rest leaves no timer either', async () => {
  const { db, memory } = await resting()
  await writeTables(db, 2, 1000)
  await write(db, 10, 'm')
  assert.equal(memory.timerCount, 1)
  await db.close()
  assert.equal(memory.timerCount, 0)
})

test('a merge that fails is tried again like any compaction; nothing else is begun meanwhile, and a small MemTable goes along then', async () => {
  const { db, reasons, environment, pass } = await resting()
  await writeTables(db, 2, 1000)
  environment.setFaults(({ op, path }) => (op === 'create' && path.endsWith('.ldb') ? { code: 'EIO' } : undefined))
  await pass(2 * REST_MS)
  assert.deepEqual(reasons, ['rest'])
  // The pause after a second failure is longer than a look at whether writes come, and another one.
  await pass(REST_MS)
  assert.deepEqual(reasons, ['rest', 'rest'])
  environment.setFaults(undefined)
  await write(db, 100, 'm')
  for (let looks = 0; looks < 3; looks++) await pass(REST_MS)
  assert.deepEqual([reasons.length, db.stats().active.entries], [2, 100])
  await pass(RETRY_MS)
  assert.deepEqual(reasons, ['rest', 'rest', 'rest'])
  assert.deepEqual([tablesOf(db).slice(0, 2), db.stats().active.entries], [[0, 1], 0])
  await db.close()
})

test('while compactions have been given up, no timer runs; and it does again once they can be had', async () => {
  const { db, reasons, memory, environment, pass } = await resting()
  await writeTables(db, 3, 1000)
  let tables = 0
  environment.setFaults(({ op, path }) => {
    const isMerged = op === 'create' && path.endsWith('.ldb') && ++tables > 1
    return isMerged ? { code: 'EIO' } : undefined
  })
  await writeTables(db, 1, 1000)
  for (let looks = 0; looks < 40; looks++) await pass(SHORTER_MS)
  assert.equal(reasons.length, 3)
  assert.equal(memory.timerCount, 0)
  environment.setFaults(undefined)
  await db.compactRange('z')
  await writeTables(db, 2, 1000)
  for (let looks = 0; looks < 4; looks++) await pass(REST_MS)
  assert.equal(reasons.at(-1), 'rest')
  assert.deepEqual([tablesOf(db).slice(0, 2), memory.timerCount], [[0, 1], 0])
  await db.close()
})

test('a read-only database has no rest', async () => {
  const { db, memory } = await resting({ mergeAtRest: false })
  await writeTables(db, 2, 1000)
  await db.close()
  const reader = await openIn(memory, { readOnly: true })
  assert.equal(memory.timerCount, 0)
  await reader.close()
})

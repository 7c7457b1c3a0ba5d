/**
 * What is found out about tables that an earlier opening wrote, and what comes of it.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { fileNumber } from '../../src/base/types.ts'
import { WriteBatch } from '../../src/batch/write-batch.ts'
import type { DB } from '../../src/db/db.ts'
import { open } from '../../src/db/open.ts'
import type { CompactionDetail, DamageDetail } from '../../src/db/reports/events.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { runSampleJob } from '../../src/jobs/sample-job.ts'
import { FaultEnvironment } from '../support/fault-env.ts'
import { DIRECTORY, flipped, openIn } from './directories.ts'

const OPTIONS = { writeBufferBytes: 2 ** 20 }

async function settle(db: DB): Promise<void> {
  for (let idle = 0; idle < 3; idle = db.stats().isCompacting ? 0 : idle + 1) {
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function batch(from: number, to: number, value: string | undefined): WriteBatch {
  const made = new WriteBatch()
  for (let i = from; i < to; i++) {
    const key = `k${String(i).padStart(6, '0')}`
    if (value === undefined) made.delete(key)
    else made.put(key, value)
  }
  return made
}

/** A queue of 6,000, of which another opening took all but the last 600; nothing of that has been compacted. */
async function consumedQueue(): Promise<MemoryEnvironment> {
  const memory = new MemoryEnvironment()
  const filled = await openIn(memory, OPTIONS)
  await filled.write(batch(0, 6000, 'v'.repeat(200)))
  await filled.compactRange()
  await filled.close()
  const consumed = await openIn(memory, OPTIONS)
  await consumed.write(batch(0, 5400, undefined))
  await consumed.close()
  return memory
}

function tableBytes(db: DB): number {
  return db.stats().tables.reduce((sum, { bytes }) => sum + bytes, 0)
}

test('a consumed queue gives its space back after it was opened again, though nobody writes or scans', async () => {
  const memory = await consumedQueue()
  const db = await openIn(memory, OPTIONS)
  const reasons: string[] = []
  db.on('compaction', ({ phase, reason }: CompactionDetail) => {
    if (phase === 'end') reasons.push(reason)
  })
  const before = tableBytes(db)
  await settle(db)
  assert.equal(tableBytes(db), before)
  memory.runTimers(memory.clock.monotonicMs() + 2000)
  await settle(db)
  assert.ok(reasons.length > 0 && reasons.every((reason) => reason === 'tombstones'), reasons.join())
  assert.ok(tableBytes(db) < before / 4, `${tableBytes(db)} of ${before} bytes`)
  assert.equal(Array.from(db.keysSync()).length, 600)
  await db.close()
})

test('stats tell entries and tombstones of each table: by its writer, after an opening, or not yet', async () => {
  const memory = new MemoryEnvironment()
  const first = await openIn(memory, OPTIONS)
  await first.write(batch(0, 3000, 'v'.repeat(100)))
  await first.write(batch(3000, 4000, undefined))
  await first.flush()
  const told = (db: DB): unknown =>
    db.stats().tables.map(({ entries, tombstones, isEstimate }) => [entries, tombstones, isEstimate])
  assert.deepEqual(told(first), [[4000, 1000, false]])
  await first.close()
  const db = await openIn(memory, OPTIONS)
  assert.deepEqual(told(db), [[undefined, undefined, false]])
  memory.runTimers(memory.clock.monotonicMs() + 2000)
  assert.deepEqual(told(db), [[4000, 1000, true]])
  await db.close()
})

test('a short visit samples nothing, nor does a closed or read-only database', async () => {
  const memory = await consumedQueue()
  for (const readOnly of [false, true]) {
    const environment = new FaultEnvironment(memory, {})
    const db = await open(DIRECTORY, { ...OPTIONS, workers: 0, environment, readOnly })
    const calls = environment.callCount
    memory.runTimers(memory.clock.monotonicMs() + (readOnly ? 5000 : 900))
    assert.equal(environment.callCount, calls)
    await db.close()
    const closed = environment.callCount
    memory.runTimers(memory.clock.monotonicMs() + 5000)
    assert.equal(environment.callCount, closed)
  }
})

test('a damaged table is reported, once, and the others are sampled all the same', async () => {
  const memory = new MemoryEnvironment()
  const level0 = { level0CompactionTrigger: 100, level0SlowdownTrigger: 100, level0StopTrigger: 100 }
  const made = await openIn(memory, { ...OPTIONS, ...level0 })
  for (let i = 0; i < 3; i++) {
    await made.write(batch(100 * i, 100 * i + 50, 'v'))
    await made.flush()
  }
  const numbers = made.stats().tables.map(({ number }) => number)
  await made.close()
  const path = `${DIRECTORY}/${String(numbers[1]).padStart(6, '0')}.ldb`
  memory.write(path, flipped(memory.readAll(path), 3))
  const db = await openIn(memory, { ...OPTIONS, ...level0 })
  const damage: DamageDetail[] = []
  db.on('damage', (detail) => damage.push(detail))
  memory.runTimers(memory.clock.monotonicMs() + 5000)
  // Who reads it finds the same.
  assert.throws(() => db.getSync('k000100'), { code: 'CORRUPTION', file: path })
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(
    damage.map(({ file, offset }) => [file, offset]),
    [[path, 0]],
  )
  assert.deepEqual(
    db.stats().tables.map(({ entries }) => entries),
    [50, undefined, 50],
  )
  await db.close()
})

test('of what goes beyond the bytes that are counted, a few blocks tell', async () => {
  const memory = new MemoryEnvironment()
  const made = await openIn(memory, { writeBufferBytes: 2 ** 24, blockBytes: 1024 })
  for (let i = 0; i < 20; i++)
    await made.write(batch(1000 * i, 1000 * i + 1000, i % 2 === 0 ? 'v'.repeat(50) : undefined))
  await made.flush()
  const [{ number, bytes }] = made.stats().tables
  await made.close()
  const job = { kind: 'sample', directory: DIRECTORY, number: fileNumber(number), bytes } as const
  const few = runSampleJob({ ...job, first: undefined }, memory, bytewiseComparator)
  assert.ok(
    few.blocks >= 16 && few.blocks <= 32 && few.blocksInAll > 2 * few.blocks,
    `${few.blocks} of ${few.blocksInAll}`,
  )
  const share = few.tombstones / few.entries
  assert.ok(share > 0.3 && share < 0.7, `${share}`)
  // A part at a time, each block once.
  const whole = { blocks: 0, entries: 0, tombstones: 0 }
  for (let first = 0; first < few.blocksInAll; ) {
    const part = runSampleJob({ ...job, first }, memory, bytewiseComparator)
    assert.ok(part.next > first)
    whole.blocks += part.blocks
    whole.entries += part.entries
    whole.tombstones += part.tombstones
    first = part.next
  }
  assert.deepEqual(whole, { blocks: few.blocksInAll, entries: 20_000, tombstones: 10_000 })
})

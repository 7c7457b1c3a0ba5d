/**
 * Figures that are put together from several parts, in the states in which one of them has none.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { FaultEnvironment } from '../support/fault-env.ts'
import { DIRECTORY, openIn } from './directories.ts'

test('a read-only opening shows the logs that it found, and has written and synced nothing', async () => {
  const memory = new MemoryEnvironment()
  const writer = await openIn(memory)
  await writer.put('a', '1'.repeat(100))
  const reader = await openIn(memory, { readOnly: true })
  const [{ number, bytes }] = writer.stats().logs
  const { logs, writes, writeAmplification } = reader.stats()
  assert.deepEqual(logs, [{ number, bytes, syncedBytes: 0 }])
  assert.deepEqual(writes, { groups: 0, entries: 0, bytes: 0, logBytes: 0 })
  assert.equal(writeAmplification, 0)
  await reader.close()
  await writer.close()
})

test('the time of stalls has the one in it that is under way', async () => {
  const memory = new MemoryEnvironment()
  const environment = new FaultEnvironment(memory, { directory: DIRECTORY })
  const db = await openIn(memory, { environment, writeBufferBytes: 4096, maxImmutableMemTables: 1 })
  environment.setFaults(({ op, path }) => (op === 'create' && path.endsWith('.ldb') ? { code: 'EIO' } : undefined))
  const writes: Promise<void>[] = []
  while (db.stats().stalls === 0) {
    writes.push(db.put(`key${writes.length}`, 'v'.repeat(100)))
    await new Promise((resolve) => setImmediate(resolve))
  }
  const before = db.stats().stalledMs
  memory.clock.advance(50)
  const during = db.stats()
  assert.deepEqual([Math.round(during.stalledMs - before), during.stalls], [50, 1])
  environment.setFaults(undefined)
  memory.runTimers(memory.clock.monotonicMs() + 100)
  await Promise.all(writes)
  const after = db.stats()
  assert.ok(after.stalledMs >= during.stalledMs)
  memory.clock.advance(50)
  assert.equal(db.stats().stalledMs, after.stalledMs, 'it is over')
  await db.close()
})

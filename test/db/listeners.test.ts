/**
 * Listeners: on, once, removeListener, and what node:events does with them.
 */
import assert from 'node:assert/strict'
import { getEventListeners, on, once } from 'node:events'
import { test } from 'node:test'
import type { DB } from '../../src/db/db.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { openIn } from './directories.ts'

async function flushed(db: DB, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    db.putSync('a', String(i))
    await db.flush()
  }
}

test('a listener is called for every event, or for the next one, until it is stopped', async () => {
  const db = await openIn(new MemoryEnvironment())
  const calls: string[] = []
  const stop = db.on('flush', ({ entries }) => calls.push(`on ${entries}`))
  db.once('flush', ({ entries }) => calls.push(`once ${entries}`))
  const never = (): number => calls.push('never')
  db.once('flush', never)()
  db.on('flush', never)
  db.removeListener('flush', never)
  db.removeListener('flush', () => {})
  await flushed(db, 2)
  stop()
  stop()
  await flushed(db, 1)
  assert.deepEqual(calls, ['on 1', 'once 1', 'on 1'])
  for (const add of ['on', 'once'] as const) {
    assert.throws(() => db[add]('flushed' as 'flush', never), { code: 'INVALID_ARGUMENT' })
    assert.throws(() => db[add]('flush', 'never' as never), { code: 'INVALID_ARGUMENT' })
  }
  await db.close()
})

test('a listener that is added twice is called twice, and each is stopped by itself', async () => {
  const db = await openIn(new MemoryEnvironment(), { mergeAtRest: false })
  let calls = 0
  const listener = (): void => {
    calls++
  }
  const stopOnce = db.once('flush', listener)
  const stop = db.on('flush', listener)
  db.on('flush', listener)
  db.on('compaction', listener)
  await flushed(db, 1)
  assert.equal(calls, 3)
  stopOnce()
  db.removeListener('flush', listener)
  await flushed(db, 1)
  assert.equal(calls, 4, 'one is left, and not stopped by what is over')
  stop()
  await flushed(db, 1)
  assert.equal(calls, 4)
  await db.compactRange()
  assert.ok(calls > 4, 'the listener of compactions is still there')
  await db.close()
})

test('once and on of node:events wait for events of a database, and leave nothing behind', async () => {
  const db = await openIn(new MemoryEnvironment())
  const next = once(db, 'flush')
  await flushed(db, 1)
  const [{ entries }] = await next
  assert.equal(entries, 1)
  const seen: number[] = []
  const events = on(db, 'flush', { signal: AbortSignal.timeout(60_000) })
  const reading = (async () => {
    for await (const [detail] of events) if (seen.push(detail.entries) === 3) break
  })()
  await flushed(db, 3)
  await reading
  assert.deepEqual(seen, [1, 1, 1])
  for (const type of ['flush', 'error']) assert.deepEqual(getEventListeners(db, type), [])
  await db.close()
})

test('what happens while a database is opened is told to whoever listens once it is open', async () => {
  const memory = new MemoryEnvironment()
  const options = { level0CompactionTrigger: 2, mergeAtRest: false }
  const first = await openIn(memory, { ...options, level0CompactionTrigger: 4 })
  await flushed(first, 3)
  await first.close()
  const db = await openIn(memory, options)
  const phases: string[] = []
  db.on('compaction', ({ phase }) => phases.push(phase))
  await db.compactRange()
  assert.deepEqual(phases.slice(0, 2), ['begin', 'end'], 'the compaction that was due at the opening')
  await db.close()
})

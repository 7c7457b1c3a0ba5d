/**
 * Listeners that write, and writers that keep others from hearing: what they write needs room that comes of work which waits for them.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DB } from '../../src/db/db.ts'
import { open } from '../../src/db/open.ts'
import type { Options } from '../../src/db/options.ts'
import type { DBEvents } from '../../src/db/reports/events.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { withDirectory } from '../compat/engines.ts'
import { FaultEnvironment } from '../support/fault-env.ts'
import { DIRECTORY } from './directories.ts'

/** Everything is soon full, and nothing may wait. */
const CRAMPED: Options = {
  writeBufferBytes: 65_536,
  maxImmutableMemTables: 1,
  level0CompactionTrigger: 2,
  level0SlowdownTrigger: 2,
  level0StopTrigger: 2,
  maxFileBytes: 65_536,
  levelBytes: 131_072,
  stallTimeoutMs: 5000,
}
const VALUE = new Uint8Array(1000)

/** Has a listener write synchronously at each event. @returns what its writes threw, and how many there were */
function writeAt(db: DB, event: keyof DBEvents): { readonly errors: unknown[]; count: number } {
  const written = { errors: [] as unknown[], count: 0 }
  db.on(event, () => {
    try {
      for (let i = 0; i < 20; i++) db.putSync(`listener${written.count++}`, VALUE)
    } catch (error) {
      written.errors.push(error)
    }
  })
  return written
}

for (const workers of [0, 1, 2]) {
  for (const event of ['flush', 'compaction', 'stall'] as const) {
    test(`putSync in a listener of ${event} finds room, with ${workers} workers`, async () => {
      await withDirectory(async (directory) => {
        await using db = await open(directory, { ...CRAMPED, workers })
        const written = writeAt(db, event)
        for (let i = 0; i < 800; i++) db.putSync(`key${i}`, VALUE)
        assert.deepEqual(written.errors, [])
        // Inline, nobody ever waits for room.
        assert.equal(written.count > 0, workers > 0 || event !== 'stall')
        for (let i = 0; i < written.count; i++) assert.ok(db.hasSync(`listener${i}`))
      })
    })
  }
}

for (const workers of [0, 1, 2]) {
  test(`putSync finds room when a compactRange ends that nobody has heard of yet, with ${workers} workers`, async () => {
    await withDirectory(async (directory) => {
      await using db = await open(directory, { ...CRAMPED, workers })
      for (let i = 0; i < 300; i++) db.putSync(`key${i}`, VALUE)
      const hasBegun = new Promise<void>((resolve) => {
        db.on('compaction', ({ phase, reason }) => {
          if (phase === 'begin' && reason === 'manual') resolve()
        })
      })
      const compacted = db.compactRange()
      await hasBegun
      // The event loop does not turn from here on, so that who asked for the compaction goes on after the last of these.
      for (let i = 0; i < 1500; i++) db.putSync(`key${i}`, VALUE)
      await compacted
      assert.ok(db.hasSync('key1499'))
    })
  })
}

test('putSync in a listener of a failed flush waits for the next try, and is refused when the flush is given up', async () => {
  const environment = new FaultEnvironment(new MemoryEnvironment(), { directory: DIRECTORY })
  await using db = await open(DIRECTORY, { ...CRAMPED, workers: 0, environment })
  const outcomes: string[] = []
  db.on('background-error', ({ attempt, retryMs }) => {
    try {
      for (let i = 0; i < 200; i++) db.putSync(`listener${i}`, VALUE)
      outcomes.push(`${attempt}: written`)
    } catch (error) {
      outcomes.push(`${attempt}, ${retryMs}: ${(error as { code?: string }).code}`)
    }
  })
  environment.setFaults((call) => (call.op === 'create' && call.path.endsWith('.ldb') ? { code: 'EIO' } : undefined))
  assert.throws(
    () => {
      for (let i = 0; i < 400; i++) db.putSync(`key${i}`, VALUE)
    },
    { code: 'STALLED' },
  )
  assert.deepEqual(outcomes, ['3, undefined: STALLED', '2, 1000: STALLED', '1, 100: STALLED'])
})

for (const workers of [0, 2]) {
  test(`a write that a listener adds to the group for which room is being made gets its room, with ${workers} workers`, async () => {
    await withDirectory(async (directory) => {
      await using db = await open(directory, { ...CRAMPED, workers })
      const large = new Uint8Array(900_000)
      const writes: Promise<void>[] = []
      db.on('flush', () => {
        if (writes.length < 3) writes.push(db.put(`large${writes.length}`, large))
      })
      for (let i = 0; i < 300; i++) db.putSync(`key${i}`, VALUE)
      await Promise.all(writes)
      assert.equal(writes.length, 3)
      for (let i = 0; i < 3; i++) assert.equal(db.getSync(`large${i}`)?.length, large.length)
    })
  })
}

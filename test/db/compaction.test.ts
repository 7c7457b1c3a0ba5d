/**
 * What makes the engine compact, by itself and when asked, and what it must not disturb.
 */
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import type { DB } from '../../src/db/db.ts'
import type { Options } from '../../src/db/options.ts'
import type { CompactionDetail } from '../../src/db/reports/events.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { WriteBatch } from '../../src/public/index.ts'
import { FaultEnvironment } from '../support/fault-env.ts'
import { DIRECTORY, openIn } from './directories.ts'

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Until nothing is compacted any more. */
async function settle(db: DB): Promise<void> {
  for (let idle = 0; idle < 3; idle = db.stats().isCompacting ? 0 : idle + 1) await turn()
}

function key(i: number): string {
  return `k${String(i).padStart(6, '0')}`
}

function batch(from: number, to: number, value: string | undefined): WriteBatch {
  const made = new WriteBatch()
  for (let i = from; i < to; i++) {
    if (value === undefined) made.delete(key(i))
    else made.put(key(i), value)
  }
  return made
}

interface Watched {
  readonly db: DB
  readonly memory: MemoryEnvironment
  readonly ended: CompactionDetail[]
}

async function watched(options: Options = {}): Promise<Watched> {
  const memory = new MemoryEnvironment()
  const db = await openIn(memory, { writeBufferBytes: 2 ** 20, ...options })
  const ended: CompactionDetail[] = []
  db.on('compaction', (detail) => {
    if (detail.phase === 'end') ended.push(detail)
  })
  return { db, memory, ended }
}

function tableCount(memory: MemoryEnvironment): number {
  return memory.paths().filter((path) => path.endsWith('.ldb')).length
}

test('a queue whose front was consumed gives its space back after a scan stepped over it', async () => {
  const { db, ended } = await watched()
  await db.write(batch(0, 2000, 'v'))
  await db.write(batch(2000, 9000, 'v'))
  await db.compactRange()
  await db.write(batch(0, 2000, undefined))
  await db.write(batch(9000, 12_000, 'v'))
  await db.flush()
  await settle(db)
  const before = ended.length
  assert.deepEqual(
    Array.from(db.keysSync({ limit: 1 }), (found) => Buffer.from(found).toString()),
    [key(2000)],
  )
  await settle(db)
  assert.deepEqual(
    ended.slice(before).map(({ reason }) => reason),
    ['tombstones'],
  )
  assert.equal(await db.approximateSize(key(0), key(1500)), 0)
  await db.close()
})

for (const isReverse of [false, true]) {
  test(`a scan ${isReverse ? 'backwards' : 'forwards'} over few tombstones asks for nothing`, async () => {
    const { db, ended } = await watched()
    await db.write(batch(0, 3000, 'v'))
    await db.compactRange()
    await db.write(batch(0, 900, undefined))
    await db.write(batch(3000, 5000, 'v'))
    await db.flush()
    const before = ended.length
    Array.from(db.keysSync({ reverse: isReverse }))
    await settle(db)
    assert.equal(ended.length, before)
    await db.close()
  })
}

test('a scan backwards over the emptied end of a range asks for its compaction as well', async () => {
  const { db, ended } = await watched()
  await db.write(batch(0, 9000, 'v'))
  await db.compactRange()
  await db.write(batch(7000, 9000, undefined))
  await db.write(batch(1000, 5000, 'w'))
  await db.flush()
  await settle(db)
  const before = ended.length
  Array.from(db.keysSync({ reverse: true, limit: 1 }))
  await settle(db)
  assert.deepEqual(
    ended.slice(before).map(({ reason }) => reason),
    ['tombstones'],
  )
  await db.close()
})

test('tombstones that a snapshot keeps go when it is let go of', async () => {
  const { db, ended } = await watched()
  await db.write(batch(0, 3000, 'v'))
  await db.flush()
  const snapshot = db.snapshot()
  await db.write(batch(0, 3000, undefined))
  await db.flush()
  await settle(db)
  assert.equal(ended.length, 0)
  assert.equal(Array.from(db.keysSync({ snapshot })).length, 3000)
  snapshot.close()
  await settle(db)
  assert.deepEqual(
    ended.map(({ reason }) => reason),
    ['tombstones'],
  )
  assert.deepEqual(db.stats().tables, [])
  await db.close()
})

for (const seekCompaction of [false, true]) {
  const what = seekCompaction ? 'is compacted' : 'stays, unless asked for'
  test(`a table that lookups pass through in vain ${what}`, async () => {
    const { db, ended } = await watched({ seekCompaction })
    await db.write(batch(0, 200, 'old'))
    await db.compactRange()
    await db.put(key(0), 'new')
    await db.put(key(199), 'new')
    await db.flush()
    const before = ended.length
    for (let i = 0; i < 100; i++) {
      await settle(db)
      assert.equal(ended.length, before, `lookup ${i}`)
      db.getSync(key(100))
    }
    await settle(db)
    assert.deepEqual(
      ended.slice(before).map(({ reason }) => reason),
      seekCompaction ? ['seeks'] : [],
    )
    assert.equal(Buffer.from(db.getSync(key(0)) ?? []).toString(), 'new')
    await db.close()
  })
}

test('files go when nobody reads them any more, and neither sooner nor later', async () => {
  const { db, memory } = await watched()
  await db.write(batch(0, 1000, 'old'))
  await db.flush()
  const scans = [db.scanSync(), db.scanSync()]
  for (const scan of scans) scan.next()
  await db.write(batch(0, 1000, 'new'))
  await db.compactRange()
  assert.equal(tableCount(memory), 2)
  scans[0].close()
  assert.equal(tableCount(memory), 2)
  assert.equal(Array.from(scans[1]).length, 999)
  // A read removes nothing itself.
  await Promise.resolve()
  assert.equal(tableCount(memory), 1)
  // Nor are they open, or any of their blocks kept: nobody has read the table that took their place.
  assert.deepEqual([db.stats().tableCache.open, db.stats().blockCache.bytes], [0, 0])
  await db.close()
  assert.equal(memory.files.openCount, 0)
})

test('ranges can be compacted at the same time as one another and as writes', async () => {
  const { db } = await watched({ writeBufferBytes: 16384, maxFileBytes: 8192, levelBytes: 16384 })
  const work = [db.compactRange(), db.compactRange(key(10), key(500))]
  for (let i = 0; i < 1000; i++) await db.put(key(i % 400), '.'.repeat(i % 300))
  work.push(db.compactRange(key(0), key(100)), db.compactRange())
  await Promise.all(work)
  const { levels } = db.stats()
  assert.equal(levels.filter(({ tables }) => tables > 0).length, 1)
  assert.equal(Array.from(db.scanSync()).length, 400)
  await db.close()
})

test('compacting a range of no keys, or backwards, does nothing', async () => {
  const { db, ended } = await watched()
  await db.compactRange()
  await db.write(batch(0, 10, 'v'))
  await db.flush()
  await db.compactRange('x', 'y')
  await db.compactRange(key(9), key(0))
  assert.deepEqual(ended, [])
  await db.close()
})

test('an aborted compaction of a range ends at once, and the database goes on', async () => {
  const { db } = await watched({ maxFileBytes: 8192 })
  await db.write(batch(0, 3000, 'some value'))
  const controller = new AbortController()
  const compacted = db.compactRange(undefined, undefined, { signal: controller.signal })
  controller.abort(new Error('enough'))
  // While what is in memory is flushed for it.
  await assert.rejects(compacted, { code: 'ABORTED', message: /^the compaction was aborted/ })
  const signal = AbortSignal.abort()
  await assert.rejects(db.compactRange('', 'z', { signal }), {
    code: 'ABORTED',
    message: /^the compaction was aborted/,
  })
  await db.flush()
  await assert.rejects(db.compactRange('', 'z', { signal }), {
    code: 'ABORTED',
    message: /^the compaction was aborted/,
  })
  await db.put('k', 'v')
  await assert.rejects(db.flush({ signal }), { code: 'ABORTED', message: /^the flush was aborted/ })
  await db.delete('k')
  await db.compactRange()
  assert.equal(Array.from(db.scanSync()).length, 3000)
  await db.close()
})

test('a signal that fires as a step begins ends the waiting before the step ends', async () => {
  const { db, ended } = await watched({ writeBufferBytes: 2 ** 23, mergeAtRest: false })
  await db.write(batch(0, 9000, 'v'.repeat(300)))
  await db.flush()
  const controller = new AbortController()
  db.on('compaction', ({ phase }) => {
    if (phase === 'begin') controller.abort()
  })
  await assert.rejects(db.compactRange(undefined, undefined, { signal: controller.signal }), { code: 'ABORTED' })
  assert.deepEqual([db.stats().isCompacting, ended.length], [true, 0])
  await settle(db)
  assert.equal(ended.length, 1)
  await db.close()
})

test('a step of an aborted compaction that is still under way is none of the next one, whose range is compacted all the same', async () => {
  const { db, ended } = await watched({ writeBufferBytes: 2 ** 23, mergeAtRest: false })
  await db.write(batch(0, 9000, 'v'.repeat(300)))
  await db.flush()
  await db.put('x', 'v')
  await db.flush()
  const controller = new AbortController()
  db.once('compaction', () => controller.abort())
  await assert.rejects(db.compactRange(key(0), key(9), { signal: controller.signal }), { code: 'ABORTED' })
  assert.deepEqual([db.stats().isCompacting, ended.length], [true, 0])
  await db.compactRange('x', 'x')
  assert.deepEqual([ended.length, db.stats().levels[0].tables], [2, 0])
  await db.close()
})

test('a signal that outlives flushes and compactions is left as it was', async () => {
  const { db } = await watched({ maxFileBytes: 8192 })
  const { signal } = new AbortController()
  for (let i = 0; i < 3; i++) {
    await db.write(batch(0, 1000, String(i)))
    await db.flush({ signal })
    await db.compactRange(undefined, undefined, { signal })
  }
  assert.deepEqual(getEventListeners(signal, 'abort'), [])
  await db.close()
})

test('closing ends a compaction, without leaving anything of it behind', async () => {
  const { db, memory } = await watched({ writeBufferBytes: 2 ** 23, maxFileBytes: 8192 })
  for (let i = 0; i < 3; i++) {
    await db.write(batch(0, 9000, String(i).repeat(300)))
    await db.flush()
  }
  const compacted = assert.rejects(db.compactRange(), { code: 'CLOSED' })
  while (tableCount(memory) <= 3) await turn()
  const listed = new Set(db.stats().tables.map(({ number }) => number))
  await db.close()
  await compacted
  assert.equal(tableCount(memory), listed.size)
  assert.deepEqual([memory.files.locks.size, memory.files.openCount], [0, 0])
  const again = await openIn(memory)
  assert.equal(Array.from(again.scanSync()).length, 9000)
  await again.close()
})

test('a MANIFEST that fails while a compaction is installed ends writing, and the compaction of a range, not reading', async () => {
  const memory = new MemoryEnvironment()
  const environment = new FaultEnvironment(memory, { directory: DIRECTORY })
  const db = await openIn(memory, { environment, writeBufferBytes: 2 ** 20 })
  await db.write(batch(0, 100, 'v'))
  await db.flush()
  environment.setFaults(({ op, path }) =>
    op === 'append' && path.startsWith('MANIFEST') ? { code: 'EIO' } : undefined,
  )
  await assert.rejects(db.compactRange(), { code: 'READ_ONLY' })
  assert.throws(() => db.putSync('a', ''), { code: 'READ_ONLY' })
  assert.equal(Array.from(db.scanSync()).length, 100)
  await db.close()
  environment.setFaults(undefined)
  const again = await openIn(memory)
  assert.equal(Array.from(again.scanSync()).length, 100)
  await again.close()
})

test('a database that has stopped writing compacts no further: a range is refused, and one under way goes no step on', async () => {
  const memory = new MemoryEnvironment()
  const environment = new FaultEnvironment(memory, { directory: DIRECTORY })
  const options = { environment, writeBufferBytes: 2 ** 20, maxFileBytes: 8192 }
  const first = await openIn(memory, options)
  await first.write(batch(0, 3000, 'some value'))
  await first.compactRange()
  await first.close()
  // Of tables of an earlier opening it is not known what they have: each is rewritten, a step for each.
  const db = await openIn(memory, options)
  assert.ok(db.stats().tables.length > 2)
  const phases: string[] = []
  db.on('compaction', ({ phase }) => {
    phases.push(phase)
    if (phases.length > 1) return
    environment.setFaults(({ op, path }) => (op === 'append' && path.endsWith('.log') ? { code: 'EIO' } : undefined))
    assert.throws(() => db.putSync('a', ''), { code: 'IO_ERROR' })
  })
  await assert.rejects(db.compactRange(), { code: 'READ_ONLY' })
  const files = tableCount(memory)
  await assert.rejects(Promise.race([db.compactRange(), settle(db)]), { code: 'READ_ONLY' })
  await settle(db)
  assert.deepEqual([phases.filter((phase) => phase === 'begin').length, tableCount(memory)], [1, files])
  assert.equal(Array.from(db.scanSync()).length, 3000)
  await db.close().catch(() => {})
})

test('a compaction that succeeds has all its attempts before it again', async () => {
  const memory = new MemoryEnvironment()
  const environment = new FaultEnvironment(memory, { directory: DIRECTORY })
  const db = await openIn(memory, { environment, level0CompactionTrigger: 2, mergeAtRest: false })
  const retries: unknown[] = []
  db.on('background-error', ({ retryMs }) => retries.push(retryMs))
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < 2; i++) {
      // The second of two tables makes them due.
      const number = tableCount(memory)
      if (i === 1)
        environment.setFaults(({ op, path }) =>
          op === 'create' && path.endsWith('.ldb') && tableCount(memory) > number ? { code: 'EIO' } : undefined,
        )
      await db.write(batch(0, 10, `${round} ${i}`))
      await db.flush()
      await settle(db)
    }
    environment.setFaults(undefined)
    memory.runTimers(memory.clock.monotonicMs() + 1000)
    await settle(db)
    assert.equal(db.stats().levels[0].tables, 0, `round ${round}`)
  }
  assert.deepEqual(retries, Array(5).fill(100))
  await db.close()
})

test('a table that goes down as it is counts as a move, and not as a compaction', async () => {
  const { db, ended } = await watched({ level0CompactionTrigger: 1 })
  const phases: string[] = []
  db.on('compaction', ({ phase, outputLevel }) => phases.push(`${phase} to ${outputLevel}`))
  await db.write(batch(0, 100, 'v'))
  await db.flush()
  await settle(db)
  assert.deepEqual([phases, ended], [['move to 1'], []])
  const { compactions, levels } = db.stats()
  assert.deepEqual(
    [compactions, levels.map(({ moves }) => moves), levels.map(({ tables }) => tables)],
    [0, [0, 1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0, 0]],
  )
  await db.close()
})

test('amplification, work and debt are told', async () => {
  const { db } = await watched({ writeBufferBytes: 16384, maxFileBytes: 8192, levelBytes: 16384 })
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < 100; i++) await db.put(key((i * 37) % 1000), `${round}`.repeat(200))
    await db.flush()
  }
  await settle(db)
  const stats = db.stats()
  assert.equal(stats.writes.entries, 500)
  assert.equal(stats.writes.groups, 500)
  const written = stats.writes.logBytes + stats.flushedBytes + stats.compactedBytes
  assert.equal(stats.writeAmplification, written / stats.writes.bytes)
  assert.ok(stats.compactions > 0 && stats.compactions === stats.levels.reduce((n, level) => n + level.compactions, 0))
  assert.ok(stats.spaceAmplification >= 1)
  assert.equal(stats.pendingCompactionBytes, 0)
  assert.ok(stats.levels.every(({ score }) => score < 1))
  assert.equal(
    stats.levels.reduce((n, { bytes }) => n + bytes, 0),
    stats.tables.reduce((n, { bytes }) => n + bytes, 0),
  )
  await db.close()
})

test('a range delete that is flushed while its tables are compacted drops none of them, and deletes all', async () => {
  const { db } = await watched({ writeBufferBytes: 2 ** 23 })
  for (let i = 0; i < 2; i++) {
    await db.write(batch(0, 6000, String(i).repeat(300)))
    await db.flush()
  }
  const compacted = db.compactRange()
  while (!db.stats().isCompacting) await turn()
  db.deleteRangeSync(key(0), key(6000))
  await db.flush()
  assert.ok(db.stats().isCompacting)
  await compacted
  assert.deepEqual(Array.from(db.scanSync()), [])
  await db.put('after', '')
  await db.compactRange()
  assert.equal(Array.from(db.scanSync()).length, 1)
  await db.close()
})

test('what is in memory is flushed for the compaction of a range that holds any of it, and only then', async () => {
  for (const [begin, end, isFlushed] of [
    [key(0), key(4), false],
    [key(0), key(5), true],
    [key(5), key(5), true],
    [key(6), key(9), false],
    [key(6), undefined, false],
    [undefined, key(4), false],
    [undefined, key(6), true],
    [undefined, undefined, true],
  ] as const) {
    const { db } = await watched()
    await db.put(key(5), 'v')
    await db.compactRange(begin, end)
    assert.equal(db.stats().tables.length, isFlushed ? 1 : 0, `${begin} to ${end}`)
    await db.close()
  }
})

/**
 * A read-only opening takes no lock: another process may compact at any moment of it, and after it.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Options } from '../../src/db/options.ts'
import type { MemoryEnvironment } from '../../src/env/memory-env.ts'
import type { FileCall } from '../support/fault-call.ts'
import { FaultEnvironment } from '../support/fault-env.ts'
import {
  DIRECTORY,
  type Directory,
  directoryOf,
  entriesOf,
  environmentOf,
  fingerprint,
  openIn,
  recordEnds,
} from './directories.ts'

const UNCOMPACTED: Options = { level0CompactionTrigger: 500, level0SlowdownTrigger: 500, level0StopTrigger: 500 }

/** With tables so small that a MANIFEST of a few edits is long. */
const LONG: Options = { ...UNCOMPACTED, maxFileBytes: 4096 }

/** A database before and after a compaction of another process, which may replace the MANIFEST, and what it holds. */
async function compacted(
  isReplaced: boolean = false,
): Promise<{ before: Directory; after: Directory; entries: string[] }> {
  const memory = environmentOf(new Map())
  const db = await openIn(memory, isReplaced ? LONG : UNCOMPACTED)
  for (let round = 0; round < 4; round++) {
    for (let i = round; i < 40; i++) await db.put(`key${i}`, `${round}`.repeat(100))
    await db.flush()
  }
  await db.put('in the log', 'x')
  const before = directoryOf(memory)
  await db.compactRange('key', 'key~')
  const entries = entriesOf(db)
  const { manifestNumber } = db.stats()
  while (isReplaced && db.stats().manifestNumber === manifestNumber) {
    await db.put('key39', '3'.repeat(100))
    await db.flush()
  }
  const after = directoryOf(memory)
  await db.close()
  const tables = (directory: Directory): string => [...directory.keys()].filter((name) => name.endsWith('.ldb')).join()
  assert.notEqual(tables(before), tables(after))
  const manifest = (directory: Directory): string | undefined =>
    [...directory.keys()].find((name) => name.startsWith('MANIFEST'))
  assert.equal(manifest(before) !== manifest(after), isReplaced)
  return { before, after, entries }
}

/** As the other process does: new files, the MANIFEST, and then what is obsolete goes. */
function change(memory: MemoryEnvironment, before: Directory, after: Directory): void {
  for (const [name, bytes] of after) memory.write(`${DIRECTORY}/${name}`, bytes)
  for (const name of before.keys()) if (!after.has(name)) memory.files.remove(`${DIRECTORY}/${name}`)
}

for (const isReplaced of [false, true]) {
  const what = isReplaced ? ' and begins a MANIFEST' : ''
  test(`whatever moment another process compacts at${what}, a read-only opening finds one state, and writes nothing`, async () => {
    const { before, after, entries } = await compacted(isReplaced)
    let calls = 1
    for (let at = 0; at < calls; at++) {
      const memory = environmentOf(before)
      calls = 0
      const faultAt = (): undefined => {
        if (calls++ === at) change(memory, before, after)
      }
      const environment = new FaultEnvironment(memory, { directory: DIRECTORY, faultAt })
      const db = await openIn(memory, { environment, readOnly: true })
      const callsOfOpening = calls
      try {
        assert.deepEqual(entriesOf(db), entries, `call ${at}`)
      } catch (error) {
        assert.equal((error as { code?: unknown }).code, 'STALE', `call ${at}: ${error}`)
      }
      await db.close()
      calls = Math.max(callsOfOpening, at)
      assert.equal(memory.files.openCount, 0)
      if (callsOfOpening > at) assert.equal(fingerprint(directoryOf(memory)), fingerprint(after))
    }
    assert.ok(calls > 10, `${calls} calls`)
  })

  test(`a table that another process has compacted away${what} is told from one that is lost`, async () => {
    const { before, after, entries } = await compacted(isReplaced)
    const memory = environmentOf(before)
    const db = await openIn(memory, { readOnly: true })
    const opened = await openIn(memory, { readOnly: true })
    assert.deepEqual(entriesOf(opened), entries)
    change(memory, before, after)
    assert.throws(() => db.getSync('key1'), { code: 'STALE', message: /compacted by another process/ })
    assert.equal(Buffer.from(db.getSync('in the log') ?? []).toString(), 'x', 'what is in memory can be read')
    assert.deepEqual(entriesOf(opened), entries, 'open tables are read on')
    await Promise.all([db.close(), opened.close()])

    const damaged = environmentOf(before)
    const reader = await openIn(damaged, { readOnly: true })
    for (const name of before.keys()) if (name.endsWith('.ldb')) damaged.files.remove(`${DIRECTORY}/${name}`)
    assert.throws(() => reader.getSync('key1'), { code: 'CORRUPTION', message: /missing/ })
    await reader.close()
    await assert.rejects(openIn(damaged, { readOnly: true }), { code: 'CORRUPTION', message: /missing/ })
  })
}

test('a log that is written to while it is read is read again; one that is damaged stays so', async () => {
  const memory = environmentOf(new Map())
  const db = await openIn(memory)
  for (const key of ['a', 'b', 'c']) await db.put(key, 'x'.repeat(50), { durability: 'disk' })
  const entries = entriesOf(db)
  const left = directoryOf(memory)
  await db.close()
  const [name, log] = [...left].find(([file]) => file.endsWith('.log')) as [string, Uint8Array]
  const ends = recordEnds(log)
  // As read a moment ago, when the second batch was not there yet, though what follows was, when that was read.
  const early = log.slice().fill(0, ends[2], ends[3])

  const damaged = environmentOf(new Map([...left, [name, early]]))
  await assert.rejects(openIn(damaged, { readOnly: true }), { code: 'CORRUPTION', message: /had been written/ })

  const alive = environmentOf(new Map([...left, [name, early]]))
  let opened = 0
  const faultAt = ({ op, path }: FileCall): undefined => {
    if (op === 'open' && path === name && ++opened === 2) alive.write(`${DIRECTORY}/${name}`, log)
  }
  const environment = new FaultEnvironment(alive, { directory: DIRECTORY, faultAt })
  const reader = await openIn(alive, { environment, readOnly: true })
  assert.deepEqual([entriesOf(reader), reader.recoveryInfo.discarded], [entries, []])
  await reader.close()
})

test('a log that gets another number at whatever moment of a read-only opening is read under one of the two', async () => {
  const memory = environmentOf(new Map())
  const environment = new FaultEnvironment(memory, { directory: DIRECTORY })
  const db = await openIn(memory, { environment })
  await db.put('a', '1')
  environment.setFaults(({ op, path }) => (op === 'create' && path.endsWith('.ldb') ? { code: 'EIO' } : undefined))
  await assert.rejects(db.flush(), { code: 'IO_ERROR' })
  await db.put('b', '2')
  const left = directoryOf(memory)
  environment.setFaults(undefined)
  await db.close()
  const [, second] = [...left.keys()].filter((name) => name.endsWith('.log'))
  let calls = 1
  for (let at = 0; at < calls; at++) {
    const files = environmentOf(left)
    calls = 0
    const faultAt = (): undefined => {
      if (calls++ === at) files.files.rename(`${DIRECTORY}/${second}`, `${DIRECTORY}/000099.log`)
    }
    const faulty = new FaultEnvironment(files, { directory: DIRECTORY, faultAt })
    const reader = await openIn(files, { environment: faulty, readOnly: true })
    assert.deepEqual(entriesOf(reader), ['a=1', 'b=2'], `call ${at}`)
    await reader.close()
  }
  assert.ok(calls > 10, `${calls} calls`)
})

test('a read-only opening flushes nothing of what it has from the logs, whatever is let go of', async () => {
  const memory = environmentOf(new Map())
  const db = await openIn(memory)
  for (let i = 0; i < 20; i++) await db.put(`key${i}`, 'x')
  const directory = directoryOf(memory)
  const left = environmentOf(directory)
  await db.close()
  const reader = await openIn(left, { readOnly: true })
  const failures: string[] = []
  reader.on('background-error', ({ work, error }) => failures.push(`${work}: ${error.message}`))
  reader.snapshot().close()
  assert.equal(entriesOf(reader).length, 20)
  await reader.close()
  assert.deepEqual(failures, [])
  assert.equal(fingerprint(directoryOf(left)), fingerprint(directory))
})

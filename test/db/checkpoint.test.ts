/** What a checkpoint says of itself, what it lets go of, and when none is made. What it holds: test/admin/copies.test.ts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tableName } from '../../src/base/filename.ts'
import { fileNumber } from '../../src/base/types.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { WriteBatch } from '../../src/public/index.ts'
import { added, BEGINNING, databaseOf, manifestOf } from '../admin/handmade.ts'
import { FaultEnvironment } from '../support/fault-env.ts'
import { DIRECTORY, environmentOf, openIn } from './directories.ts'

function batch(value: string): WriteBatch {
  const made = new WriteBatch()
  for (let i = 0; i < 100; i++) made.put(`key${1000 + i}`, value)
  return made
}

test('a checkpoint keeps no table once it is made, nor a file open, and says what is in it', async () => {
  const memory = new MemoryEnvironment()
  const db = await openIn(memory, {})
  await db.write(batch('old'))
  await db.flush()
  await db.put('in', 'the log')
  const { tables, tableBytes, logs, logBytes, lastSequence } = await db.checkpoint('/copy')
  const [table, ...others] = db.stats().tables
  assert.deepEqual([tables, tableBytes, others, lastSequence], [1, table.bytes, [], 101])
  const lengths = memory
    .paths()
    .filter((path) => /^\/copy\/.*\.log$/.test(path))
    .map((path) => memory.readAll(path).length)
  assert.deepEqual([logs, logBytes], [lengths.length, lengths.reduce((sum, bytes) => sum + bytes, 0)])
  const open = memory.files.openCount
  await db.write(batch('new'))
  await db.compactRange()
  assert.equal(memory.paths().filter((path) => /^\/db\/.*\.ldb$/.test(path)).length, 1)
  assert.ok(memory.files.openCount <= open)
  await db.close()
  assert.equal(memory.files.openCount, 0)
})

test('no copy is made of a database whose log has failed', async () => {
  const memory = new MemoryEnvironment()
  const environment = new FaultEnvironment(memory, { directory: DIRECTORY })
  const db = await openIn(memory, { environment })
  environment.setFaults(({ op, path }) => (op === 'append' && path.endsWith('.log') ? { code: 'EIO' } : undefined))
  assert.throws(() => db.putSync('a', '1'), { code: 'IO_ERROR' })
  await assert.rejects(db.checkpoint('/copy'), { code: 'READ_ONLY' })
  assert.deepEqual(
    memory.paths().filter((path) => path.startsWith('/copy')),
    [],
  )
  await db.close()
})

test('a copy of more tables than a call takes arguments is removed if it fails, and says why', async () => {
  const numbers = Array.from({ length: 150_000 }, (_, i) => 1000 + i)
  const newFiles = numbers.flatMap(
    (number) => added(6, number, 1, `${10 ** 6 + number}`, `${10 ** 6 + number}`).newFiles ?? [],
  )
  const manifest = manifestOf({ ...BEGINNING, nextFile: fileNumber(10 ** 6) }, { newFiles })
  const tables = numbers.map((number) => [tableName(fileNumber(number)), new Uint8Array(1)])
  const memory = environmentOf(databaseOf(manifest, Object.fromEntries(tables)))
  const environment = new FaultEnvironment(memory, { directory: DIRECTORY })
  const db = await openIn(memory, { environment })
  environment.setFaults(({ op, path }) =>
    op === 'create' && path.includes('MANIFEST') ? { code: 'ENOSPC' } : undefined,
  )
  await assert.rejects(db.checkpoint('/copy'), { code: 'IO_ERROR', message: /MANIFEST/ })
  assert.deepEqual(memory.files.list('/copy'), [])
  await db.close()
})

/**
 * restore, and streams with good checksums that contradict themselves; what fails leaves a directory in which the next try works.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runInNewContext } from 'node:vm'
import { restore } from '../../src/admin/restore.ts'
import { AlreadyExistsError, VarveError } from '../../src/base/errors.ts'
import { fileNumber } from '../../src/base/types.ts'
import { BackupEncoder } from '../../src/db/copies/backup-format.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { DIRECTORY, leftBy, openIn } from '../db/directories.ts'
import { FaultEnvironment } from '../support/fault-env.ts'
import { added, BEGINNING, batchOf, databaseOf, type FileBytes, logOf, manifestOf, tableOf } from './handmade.ts'
import { contentIn } from './histories.ts'

type Files = Readonly<Record<string, FileBytes>>

function streamOf(files: Files): Uint8Array {
  const encoder = new BackupEncoder()
  const chunks = [encoder.start()]
  for (const [name, bytes] of Object.entries(files)) {
    chunks.push(encoder.file(name, bytes.length))
    chunks.push(encoder.data(bytes.length, (record, offset) => record.set(bytes, offset)))
  }
  return Buffer.concat([...chunks, encoder.end()])
}

async function keysIn(memory: MemoryEnvironment): Promise<string> {
  return [...(await contentIn(memory)).keys()].join('')
}

const TABLE = tableOf('abc')
const LOG = logOf([batchOf('def')])
const WITH_LOG = { ...BEGINNING, logNumber: fileNumber(7) }
const ADDED = added(1, 5, TABLE.length, 'a', 'c')
const SOUND: Files = {
  '000005.ldb': TABLE,
  '000007.log': LOG,
  'MANIFEST-000090': manifestOf(WITH_LOG, ADDED),
}

test('a restore answers with the last sequence of tables and logs, which a checkpoint of that moment has, and the database', async () => {
  const memory = new MemoryEnvironment()
  const db = await openIn(memory)
  for (const begin of [0, 40, 80]) {
    for (let i = begin; i < begin + 40; i++) await db.put(`key${i}`, 'v')
    if (begin === 40) await db.flush()
    const environment = new MemoryEnvironment()
    const { lastSequence } = await restore(db.backup(), DIRECTORY, { environment })
    assert.equal(lastSequence, begin + 40)
    assert.equal((await db.checkpoint(`/checkpoint${begin}`)).lastSequence, lastSequence)
    const restored = await openIn(environment)
    assert.equal(restored.stats().lastSequence, lastSequence)
    await restored.close()
  }
  await db.close()
})

test('a log that is damaged is restored as it is, and the last sequence is that of what can be read', async () => {
  const log = logOf([batchOf('d', 27), batchOf('ef', 28)])
  const cut = log.slice(0, -1)
  const damaged = log.slice()
  damaged[10] ^= 1
  for (const [bytes, last] of [
    [log, 29],
    [cut, 27],
    [damaged, 26],
  ] as const) {
    const environment = new MemoryEnvironment()
    const source = [streamOf({ ...SOUND, '000007.log': bytes })]
    assert.equal((await restore(source, DIRECTORY, { environment })).lastSequence, last)
    assert.deepEqual(Buffer.from(environment.files.readAll(`${DIRECTORY}/000007.log`)), Buffer.from(bytes))
  }
})

test('a backup is restored from a stream of chunks that come later, with a log and without', async () => {
  async function* later(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    yield bytes.subarray(0, 10)
    await Promise.resolve()
    yield bytes.subarray(10)
  }
  const withoutLog: Files = { '000005.ldb': TABLE, 'MANIFEST-000090': manifestOf(BEGINNING, ADDED) }
  for (const [files, keys] of [
    [SOUND, 'abcdef'],
    [withoutLog, 'abc'],
  ] as const) {
    const memory = new MemoryEnvironment()
    const stream = streamOf(files)
    const info = await restore(later(stream), DIRECTORY, { environment: memory })
    assert.deepEqual([info.files, info.bytes], [Object.keys(files).length, stream.length])
    assert.equal(await keysIn(memory), keys)
  }
})

const CONTRADICTIONS: readonly [name: string, files: Files, message: RegExp][] = [
  [
    'a MANIFEST that is cut off',
    { ...SOUND, 'MANIFEST-000090': manifestOf(WITH_LOG, ADDED, BEGINNING).slice(0, -1) },
    /its MANIFEST is cut off/,
  ],
  ['a table too few', { '000007.log': LOG, 'MANIFEST-000090': manifestOf(WITH_LOG, ADDED) }, /table 5 is missing/],
  [
    'a table of another size',
    { ...SOUND, '000005.ldb': tableOf('abcd') },
    /table 5 has another size than the MANIFEST says/,
  ],
  ['a table too many', { '000006.ldb': TABLE, ...SOUND }, /000006\.ldb is not in its MANIFEST/],
  ['a log too few', { '000005.ldb': TABLE, 'MANIFEST-000090': manifestOf(WITH_LOG, ADDED) }, /log 7 is missing/],
]

for (const [name, files, message] of CONTRADICTIONS) {
  test(`a backup with ${name} is refused, and leaves nothing`, async () => {
    const memory = new MemoryEnvironment()
    const done = restore([streamOf(files)], DIRECTORY, { environment: memory })
    await assert.rejects(
      done,
      (error) => error instanceof VarveError && error.code === 'CORRUPTION' && message.test(error.message),
    )
    assert.deepEqual(memory.files.list(DIRECTORY), ['LOCK'])
    assert.deepEqual([memory.files.openCount, memory.files.locks.size], [0, 0])
  })
}

test('what is no source of chunks, or no target, is refused before anything is made', async () => {
  const environment = new MemoryEnvironment()
  for (const source of [null, undefined, 7, 'text', {}, () => []]) {
    const done = restore(source as unknown as Uint8Array[], DIRECTORY, { environment })
    await assert.rejects(done, { code: 'INVALID_ARGUMENT' }, String(source))
  }
  for (const directory of ['', 'a\0b', 7]) {
    await assert.rejects(restore([], directory as string, { environment }), { code: 'INVALID_ARGUMENT' })
  }
  for (const options of [{ speed: 1 }, { signal: 1 }, { onProgress: 'often' }]) {
    await assert.rejects(restore([], DIRECTORY, { environment, ...options } as object), { code: 'INVALID_ARGUMENT' })
  }
  assert.equal(environment.files.status(DIRECTORY), undefined)
})

test('chunks that another realm has made are taken', async () => {
  const environment = new MemoryEnvironment()
  const chunk = runInNewContext('Uint8Array.from(bytes)', { bytes: [...streamOf(SOUND)] })
  assert.equal(chunk instanceof Uint8Array, false)
  await restore([chunk], DIRECTORY, { environment })
  assert.equal(await keysIn(environment), 'abcdef')
})

test('a restore that fails at any call leaves a directory in which the next one works', async (t) => {
  let failures = 0
  for (let at = 0; ; at++) {
    const memory = new MemoryEnvironment()
    const environment = new FaultEnvironment(memory, {
      faultAt: ({ index }) => (index === at ? { code: 'EIO' } : undefined),
    })
    const failed = await restore([streamOf(SOUND)], DIRECTORY, { environment }).then(
      () => undefined,
      (error: unknown) => error,
    )
    if (environment.callCount <= at) break
    const call = environment.calls[at]
    assert.deepEqual([memory.files.openCount, memory.files.locks.size], [0, 0], call)
    // The lock has been let go of all the same, and the rest was done.
    if (!call.startsWith('unlock')) assert.ok(failed instanceof VarveError && failed.code === 'IO_ERROR', call)
    if (memory.files.status(`${DIRECTORY}/CURRENT`) === undefined) {
      await restore([streamOf(SOUND)], DIRECTORY, { environment: memory })
    }
    assert.equal(await keysIn(memory), 'abcdef', call)
    failures++
  }
  t.diagnostic(`${failures} calls failed`)
})

test('a database that is made while a restore waits for the lock is not touched', async () => {
  const made = await leftBy(async (db) => {
    await db.put('mine', 'x')
  })
  for (const other of [made, databaseOf(manifestOf(BEGINNING, ADDED), { '000005.ldb': TABLE })]) {
    const memory = new MemoryEnvironment()
    const environment = new FaultEnvironment(memory, {
      faultAt: ({ op }) => {
        if (op === 'lock') for (const [name, bytes] of other) memory.write(`${DIRECTORY}/${name}`, bytes)
        return undefined
      },
    })
    await assert.rejects(restore([streamOf(SOUND)], DIRECTORY, { environment }), AlreadyExistsError)
    for (const [name, bytes] of other) assert.deepEqual(memory.readAll(`${DIRECTORY}/${name}`), bytes, name)
    await (await openIn(memory)).close()
  }
})

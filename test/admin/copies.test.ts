/**
 * checkpoint, backup, restore and destroy.
 */
import assert from 'node:assert/strict'
import { lstatSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { destroy } from '../../src/admin/destroy.ts'
import { restore } from '../../src/admin/restore.ts'
import { verify } from '../../src/admin/verify.ts'
import { AlreadyExistsError, ClosedError, CorruptionError, VarveError } from '../../src/base/errors.ts'
import { Prng } from '../../src/base/prng.ts'
import { BackupEncoder } from '../../src/db/copies/backup-format.ts'
import type { DB } from '../../src/db/db.ts'
import { open } from '../../src/db/open.ts'
import { CRASH_MODES } from '../../src/env/crash-image.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { dumpLog } from '../../src/inspect/dump-log.ts'
import { contentIn as contentOf, openLevel, openVarve, withDirectory } from '../compat/engines.ts'
import { DIRECTORY, directoryOf, entriesOf, environmentOf, fingerprint, flipped, openIn } from '../db/directories.ts'
import { CrashedError, FaultEnvironment } from '../support/fault-env.ts'
import { MemoryFile } from '../support/memory-file.ts'

const COPY = '/copy'

async function fill(db: DB, from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++) await db.put(`key/${String(i % 70).padStart(4, '0')}`, `${i}:${'v'.repeat(i % 90)}`)
}

async function contentAt(memory: MemoryEnvironment, directory: string): Promise<string[]> {
  const db = await open(directory, { workers: 0, environment: memory, createIfMissing: false })
  try {
    return entriesOf(db)
  } finally {
    await db.close()
  }
}

async function gathered(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return new Uint8Array(Buffer.concat(chunks))
}

let backup: Uint8Array<ArrayBuffer>
let content: string[]

before(async () => {
  const db = await openIn(new MemoryEnvironment())
  await fill(db, 0, 100)
  await db.flush()
  await fill(db, 100, 160)
  await db.flush()
  await fill(db, 160, 175)
  backup = await gathered(db.backup())
  content = entriesOf(db)
  await db.close()
})

test('a checkpoint holds what was acknowledged when it was asked for, while writes and flushes go on', async () => {
  for (const flush of [false, true]) {
    const memory = new MemoryEnvironment()
    const db = await openIn(memory)
    await fill(db, 0, 500)
    const expected = entriesOf(db)
    const taken = db.checkpoint(COPY, { flush })
    if (flush) await taken
    // Overwrites everything, and flushes often.
    await fill(db, 1000, 2500)
    await db.flush()
    const info = await taken
    assert.equal(info.lastSequence, 500)
    assert.equal((await verify(COPY, { environment: memory })).findings.length, 0)
    assert.deepEqual(await contentAt(memory, COPY), expected)
    await db.put('later', 'x')
    await db.close()
    assert.ok((await contentAt(memory, DIRECTORY)).includes('later=x'))
  }
})

test('buffered writes that have been acknowledged are in a checkpoint', async () => {
  const memory = new MemoryEnvironment()
  const db = await openIn(memory, { durability: 'buffered', walBufferMs: 60_000 })
  await db.put('a', '1')
  await db.checkpoint(COPY)
  assert.deepEqual(await contentAt(memory, COPY), ['a=1'])
  await db.close()
})

test('a checkpoint opens in LevelDB, its tables are links, and it outlives the original', async () => {
  await withDirectory(async (outer) => {
    // No compaction, which would remove the other name of a link.
    const level0 = { level0CompactionTrigger: 100, level0SlowdownTrigger: 100, level0StopTrigger: 100 }
    const varve = await openVarve(join(outer, 'data'), { writeBufferBytes: 16384, ...level0 })
    await fill(varve.db, 0, 900)
    const expected = await varve.content()
    await varve.db.checkpoint(join(outer, 'copy'))
    await varve.close()
    const tables = readdirSync(join(outer, 'copy')).filter((name) => name.endsWith('.ldb'))
    assert.ok(tables.length > 0)
    for (const name of tables) assert.ok(lstatSync(join(outer, 'copy', name)).nlink >= 2, name)
    rmSync(join(outer, 'data'), { recursive: true })
    assert.deepEqual(await contentOf(openLevel, join(outer, 'copy')), expected)
    assert.deepEqual(await contentOf(openVarve, join(outer, 'copy')), expected)
  })
})

test('a copy of a database with range deletes in memory opens in LevelDB without what they deleted', async () => {
  for (const how of ['checkpoint', 'backup'] as const) {
    await withDirectory(async (outer) => {
      const varve = await openVarve(join(outer, 'data'))
      await fill(varve.db, 0, 60)
      await varve.db.flush()
      await varve.db.deleteRange('key/0010', 'key/0050')
      await varve.db.put('key/0020', 'again')
      const expected = await varve.content()
      if (how === 'checkpoint') await varve.db.checkpoint(join(outer, 'copy'))
      else await restore(varve.db.backup(), join(outer, 'copy'))
      await varve.close()
      assert.equal(expected.length, 21)
      assert.deepEqual(await contentOf(openLevel, join(outer, 'copy')), expected)
    })
  }
})

/** The ops in the logs of a directory that only varve knows. */
function rangeDeletesIn(memory: MemoryEnvironment, directory: string): number {
  const logs = memory.paths().filter((path) => path.startsWith(`${directory}/`) && path.endsWith('.log'))
  const lines = logs.flatMap((path) => [...dumpLog(new MemoryFile(memory.readAll(path)), { hex: false, maxBytes: 40 })])
  return lines.filter((line) => line.includes('del-range')).length
}

test('range deletes that come while a copy waits for its flush are left out, and nothing that came before it is', async () => {
  for (const how of ['checkpoint', 'backup'] as const) {
    for (const turns of [0, 1, 2, 5]) {
      const memory = new MemoryEnvironment()
      const db = await openIn(memory)
      await fill(db, 0, 100)
      await db.deleteRange('key/0030', 'key/0040')
      await db.put('acknowledged', '1')
      const expected = entriesOf(db)
      const taken = how === 'checkpoint' ? db.checkpoint(COPY) : gathered(db.backup())
      let later = 0
      for (let turn = 0; turn <= turns; turn++) {
        await db.put(`later/${turn}`, '2')
        await db.deleteRange(`key/000${turn}`, `key/000${turn + 1}`)
        later++
      }
      const outcome = await taken
      if (outcome instanceof Uint8Array) await restore([outcome], COPY, { environment: memory })
      assert.equal(rangeDeletesIn(memory, COPY), 0)
      const content = await contentAt(memory, COPY)
      // A prefix of what came later, and all that came before.
      const states = [expected]
      for (let turn = 0; turn < later; turn++) {
        const put = [...states.at(-1)!, `later/${turn}=2`].sort()
        states.push(
          put,
          put.filter((entry) => !entry.startsWith(`key/000${turn}`)),
        )
      }
      const found = states.findIndex((state) => state.join() === content.join())
      assert.ok(found >= 0, `${how}, ${turns} turns: ${content.length} entries are no state that there was`)
      assert.equal((await verify(COPY, { environment: memory })).findings.length, 0)
      await db.close()
    }
  }
})

test('where the flush fails that range deletes need, a copy has the log as it is; who asked for the flush is told', async () => {
  const memory = new MemoryEnvironment()
  const environment = new FaultEnvironment(memory, {})
  const db = await open(DIRECTORY, { workers: 0, environment })
  await fill(db, 0, 60)
  await db.flush()
  await db.deleteRange('key/0010', 'key/0050')
  environment.setFaults(({ op, path }) =>
    op === 'create' && path.startsWith(`${DIRECTORY}/`) && path.endsWith('.ldb') ? { code: 'ENOSPC' } : undefined,
  )
  const expected = entriesOf(db)
  await assert.rejects(db.checkpoint(COPY, { flush: true }), { code: 'IO_ERROR' })
  await db.checkpoint(COPY)
  assert.equal(rangeDeletesIn(memory, COPY), 1)
  await restore([await gathered(db.backup())], '/restored', { environment: memory })
  assert.deepEqual([await contentAt(memory, COPY), await contentAt(memory, '/restored')], [expected, expected])
  await db.close()
})

test('where files cannot be linked, a checkpoint copies them', async () => {
  const memory = new MemoryEnvironment()
  const environment = new FaultEnvironment(memory, {
    faultAt: ({ op }) => (op === 'link' ? { code: 'EXDEV' } : undefined),
  })
  const db = await open(DIRECTORY, { workers: 0, environment })
  await fill(db, 0, 50)
  await db.flush()
  await db.checkpoint(COPY)
  assert.deepEqual(await contentAt(memory, COPY), entriesOf(db))
  await db.close()
})

test('a checkpoint that fails or crashes anywhere leaves nothing that opens, or all of it', async (t) => {
  const memory = new MemoryEnvironment()
  const made = await openIn(memory)
  await fill(made, 0, 60)
  await made.close()
  const expected = await contentAt(memory, DIRECTORY)
  const directory = directoryOf(memory)
  let stops = 0
  for (const kind of ['fail', 'crash'] as const) {
    for (let at = 0; ; at++) {
      const image = environmentOf(directory)
      const environment = new FaultEnvironment(image, {})
      const db = await open(DIRECTORY, { workers: 0, environment })
      const limit = environment.callCount + at
      if (kind === 'crash') environment.setStop(limit)
      else environment.setFaults(({ index, op }) => (index === limit && op !== 'link' ? { code: 'EIO' } : undefined))
      let isDone = false
      try {
        await db.checkpoint(COPY)
        isDone = environment.callCount <= limit
      } catch (error) {
        if (!(error instanceof VarveError || error instanceof CrashedError)) throw error
        stops++
        // Nothing is in the way of the next try.
        const names = image.files.status(COPY) === undefined ? [] : image.files.list(COPY)
        if (kind === 'fail') assert.deepEqual(names, [], `failed at call ${at}`)
      }
      const after = kind === 'fail' ? image : image.crashImage(CRASH_MODES[at % 6], new Prng(at))
      if (after.files.status(`${COPY}/CURRENT`) !== undefined) assert.deepEqual(await contentAt(after, COPY), expected)
      environment.setFaults(undefined)
      if (isDone) break
    }
  }
  t.diagnostic(`${stops} stops`)
})

test('a checkpoint into what is not empty, of what is closed or read-only, is refused', async () => {
  const memory = new MemoryEnvironment()
  const db = await openIn(memory)
  memory.write(`${COPY}/mine`, Uint8Array.of(1))
  await assert.rejects(db.checkpoint(COPY), AlreadyExistsError)
  await assert.rejects(db.checkpoint(''), { code: 'INVALID_ARGUMENT' })
  await assert.rejects(db.checkpoint('/x', { fast: true } as object), { code: 'INVALID_ARGUMENT' })
  await assert.rejects(db.checkpoint('/x', { signal: AbortSignal.abort() }), { code: 'ABORTED' })
  assert.deepEqual(memory.files.list(COPY), ['mine'])
  await db.close()
  await assert.rejects(db.checkpoint('/x'), ClosedError)
  const reader = await openIn(memory, { readOnly: true })
  await assert.rejects(reader.checkpoint('/x'), { code: 'READ_ONLY' })
  assert.throws(() => reader.backup(), { code: 'READ_ONLY' })
  await reader.close()
})

test('a backup is restored, however its bytes are cut into chunks', async () => {
  const prng = new Prng(1)
  function* chunks(): Generator<Uint8Array> {
    for (let at = 0; at < backup.length; ) {
      const length = 1 + prng.below(prng.below(4) === 0 ? 3 : 9000)
      yield backup.subarray(at, at + length)
      at += length
    }
  }
  const memory = new MemoryEnvironment()
  const info = await restore(chunks(), DIRECTORY, { environment: memory })
  assert.equal(info.bytes, backup.length)
  assert.deepEqual((await verify(DIRECTORY, { environment: memory })).findings, [])
  assert.deepEqual(await contentAt(memory, DIRECTORY), content)
  await assert.rejects(restore([backup], DIRECTORY, { environment: memory }), AlreadyExistsError)
})

test('what a restore has answered survives power loss', async () => {
  const memory = new MemoryEnvironment()
  await restore([backup], DIRECTORY, { environment: memory })
  assert.deepEqual(await contentAt(memory.crashImage(0, new Prng(1)), DIRECTORY), content)
})

test('a backup is of the moment of its first chunk, while writes and flushes go on', async () => {
  const memory = new MemoryEnvironment()
  const db = await openIn(memory)
  await fill(db, 0, 600)
  const expected = entriesOf(db)
  const chunks: Uint8Array[] = []
  let round = 0
  for await (const chunk of db.backup()) {
    chunks.push(chunk)
    round++
    await fill(db, 1000 * round, 1000 * round + 150)
    await db.flush()
  }
  assert.ok(round > 5)
  const copy = new MemoryEnvironment()
  await restore(chunks, DIRECTORY, { environment: copy })
  assert.deepEqual(await contentAt(copy, DIRECTORY), expected)
  await db.close()
})

test('a backup that is left early, aborted, or outlived by its database lets go of everything', async () => {
  const memory = new MemoryEnvironment()
  const db = await openIn(memory)
  await fill(db, 0, 100)
  await db.flush()
  const openBefore = memory.files.openCount
  for await (const _ of db.backup()) break
  assert.equal(memory.files.openCount, openBefore)
  const aborter = new AbortController()
  const aborted = db.backup({ signal: aborter.signal })
  await aborted.next()
  aborter.abort()
  await assert.rejects(aborted.next(), { code: 'ABORTED' })
  assert.equal(memory.files.openCount, openBefore)
  const stream = db.backup()
  for (let i = 0; i < 2; i++) await stream.next()
  await db.close()
  await assert.rejects(stream.next(), ClosedError)
  assert.equal(memory.files.openCount, 0)
})

async function refusal(bytes: Uint8Array): Promise<VarveError> {
  const memory = new MemoryEnvironment()
  try {
    await restore([bytes], DIRECTORY, { environment: memory })
  } catch (error) {
    assert.ok(error instanceof VarveError, String(error))
    assert.deepEqual(memory.files.list(DIRECTORY), ['LOCK'], error.message)
    assert.deepEqual([memory.files.openCount, memory.files.locks.size], [0, 0])
    return error
  }
  return assert.fail('it was restored')
}

for (const flush of [false, true]) {
  test(`a backup that is begun after the database was closed is refused, and nothing else is told, flush ${flush}`, async () => {
    const db = await openIn(new MemoryEnvironment())
    await fill(db, 0, 10)
    let failures = 0
    db.on('error', () => failures++)
    const stream = db.backup({ flush })
    await db.close()
    await assert.rejects(stream.next(), ClosedError)
    assert.deepEqual(await stream.next(), { done: true, value: undefined })
    assert.equal(failures, 0)
  })
}

test('a backup that was aborted is over, and one that is over cannot be aborted', async () => {
  const db = await openIn(new MemoryEnvironment())
  await fill(db, 0, 10)
  for (const flush of [false, true]) {
    const controller = new AbortController()
    const [aborted, whole, left] = [0, 1, 2].map(() => db.backup({ flush, signal: controller.signal }))
    for await (const _ of whole);
    await left.next()
    await left.return?.()
    await fill(db, 0, 10)
    controller.abort()
    await assert.rejects(aborted.next(), { code: 'ABORTED' })
    for (const stream of [aborted, whole, left]) assert.equal((await stream.next()).done, true)
  }
  await db.close()
})

test('a backup that is cut off, or changed anywhere, is refused with the offset, and leaves nothing', async (t) => {
  let count = 0
  for (let at = 0; at < backup.length; at += at < 400 || at > backup.length - 400 ? 1 : 37) {
    const cut = await refusal(backup.subarray(0, at))
    assert.ok(cut instanceof CorruptionError && cut.offset === at, `cut at ${at}: ${cut.message}`)
    const changed = await refusal(flipped(backup, at))
    // A length that was changed may ask for more than there is.
    const isTold = (changed.offset ?? Infinity) <= at || /it ends too early/.test(changed.message)
    assert.ok(changed instanceof CorruptionError && isTold, `byte ${at}: ${changed.message}`)
    count += 2
  }
  const grown = await refusal(Uint8Array.of(...backup, 0))
  assert.equal(grown.offset, backup.length)
  t.diagnostic(`${count} streams refused`)
})

/** A stream that is well-formed, of the files given. */
function streamOf(files: readonly (readonly [name: string, bytes: number, data: Uint8Array])[]): Uint8Array {
  const encoder = new BackupEncoder()
  const chunks = [encoder.start()]
  for (const [name, bytes, data] of files) {
    chunks.push(encoder.file(name, bytes))
    if (data.length > 0) chunks.push(encoder.data(data.length, (record, offset) => record.set(data, offset)))
  }
  return Buffer.concat([...chunks, encoder.end()])
}

test('a backup with good checksums and bad intentions is refused', async () => {
  const one = Uint8Array.of(1)
  const cases: readonly [name: string, files: Parameters<typeof streamOf>[0]][] = [
    ['no file', []],
    ['a path', [['../000001.ldb', 1, one]]],
    ['a path with a drive', [['C:\\000001.ldb', 1, one]]],
    ['CURRENT itself', [['CURRENT', 1, one]]],
    ['the lock', [['LOCK', 1, one]]],
    ['a zero byte', [['000001.ldb\0', 1, one]]],
    ['a long name', [['0'.repeat(300), 1, one]]],
    ['another spelling', [['1.ldb', 1, one]]],
    ['no name', [['', 1, one]]],
    ['a number beyond all', [['99999999999999999999.ldb', 1, one]]],
    [
      'a name twice',
      [
        ['000001.ldb', 1, one],
        ['000001.ldb', 1, one],
      ],
    ],
    [
      'a number twice',
      [
        ['000001.ldb', 1, one],
        ['000001.sst', 1, one],
      ],
    ],
    ['no MANIFEST', [['000001.ldb', 1, one]]],
    [
      'a file after the MANIFEST',
      [
        ['MANIFEST-000001', 1, one],
        ['000002.ldb', 1, one],
      ],
    ],
    [
      'too little data',
      [
        ['000001.ldb', 9, one],
        ['MANIFEST-000002', 1, one],
      ],
    ],
    [
      'too much data',
      [
        ['000001.ldb', 0, one],
        ['MANIFEST-000002', 1, one],
      ],
    ],
    ['a size beyond memory', [['MANIFEST-000001', 2 ** 52, one]]],
    ['a MANIFEST that is none', [['MANIFEST-000001', 1, one]]],
  ]
  for (const [name, files] of cases) {
    const error = await refusal(streamOf(files))
    assert.ok(error instanceof CorruptionError, `${name}: ${error.message}`)
  }
})

test('a source that fails, or gives something else, fails the restore', async () => {
  const environment = new MemoryEnvironment()
  function* failing(): Generator<Uint8Array> {
    yield backup.subarray(0, 500)
    throw new Error('the tape is torn')
  }
  await assert.rejects(restore(failing(), DIRECTORY, { environment }), /the tape is torn/)
  await assert.rejects(restore(['text'] as unknown as Uint8Array[], DIRECTORY, { environment }), {
    code: 'INVALID_ARGUMENT',
  })
  await assert.rejects(restore(7 as unknown as Uint8Array[], DIRECTORY, { environment }), { code: 'INVALID_ARGUMENT' })
  // What failed does not stand in the way.
  await restore([backup], DIRECTORY, { environment })
  assert.deepEqual(await contentAt(environment, DIRECTORY), content)
})

test('a restore whose source does not answer can be aborted, and the source is told', async () => {
  const memory = new MemoryEnvironment()
  const controller = new AbortController()
  let ended = 0
  const source: AsyncIterableIterator<Uint8Array> = {
    [Symbol.asyncIterator]: () => source,
    next: () => {
      setImmediate(() => controller.abort(new Error('enough')))
      return new Promise(() => {})
    },
    return: () => {
      ended++
      return Promise.reject(new Error('of no interest'))
    },
  }
  const options = { environment: memory, signal: controller.signal }
  await assert.rejects(restore(source, COPY, options), (error: VarveError) => {
    assert.deepEqual([error.code, (error.cause as Error).message], ['ABORTED', 'enough'])
    return true
  })
  assert.equal(ended, 1)
  assert.equal(memory.files.locks.size, 0)
  await restore([backup], COPY, { environment: memory })
  assert.deepEqual(await contentAt(memory, COPY), content)
})

test('a restore that is aborted before its source has answered once does not wait for it', async () => {
  for (const isAbortedBefore of [true, false]) {
    const memory = new MemoryEnvironment()
    const controller = new AbortController()
    let ended = 0
    const source: AsyncIterableIterator<Uint8Array> = {
      [Symbol.asyncIterator]: () => source,
      next: () => new Promise(() => {}),
      return: () => {
        ended++
        return Promise.resolve({ done: true, value: undefined })
      },
    }
    if (isAbortedBefore) controller.abort()
    const restored = restore(source, COPY, { environment: memory, signal: controller.signal })
    // While the lock is waited for.
    controller.abort()
    await assert.rejects(restored, { code: 'ABORTED' })
    assert.equal(ended, 1)
    assert.equal(memory.files.locks.size, 0)
  }
})

test('a source is ended when its restore fails, and not when it has ended itself', async () => {
  const { signal } = new AbortController()
  let ended = 0
  async function* chunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    try {
      yield bytes
      yield new Uint8Array(0)
    } finally {
      ended++
    }
  }
  await assert.rejects(
    restore(chunks(flipped(backup, 0)), COPY, { environment: new MemoryEnvironment(), signal }),
    CorruptionError,
  )
  assert.equal(ended, 1)
  await restore(chunks(backup), COPY, { environment: new MemoryEnvironment(), signal })
  assert.equal(ended, 2)
})

test('random changes to a backup never make another database', async (t) => {
  const prng = new Prng(77)
  for (let round = 0; round < 150; round++) {
    const from = prng.below(backup.length)
    const to = prng.below(backup.length)
    const length = 1 + prng.below(2000)
    const piece = backup.slice(from, from + length)
    const ways = [
      () => Buffer.concat([backup.subarray(0, to), piece, backup.subarray(to)]),
      () => Buffer.concat([backup.subarray(0, to), backup.subarray(to + length)]),
      () => Buffer.concat([backup.subarray(0, to), piece, backup.subarray(to + piece.length)]),
    ]
    const changed = ways[round % 3]()
    if (!changed.equals(backup)) await refusal(changed)
  }
  t.diagnostic('150 streams')
})

test('destroy removes the database and nothing else, and what crashes can be repeated', async () => {
  const made = new MemoryEnvironment()
  await restore([backup], DIRECTORY, { environment: made })
  for (const name of ['notes.txt', '5.log', 'x.ldb', 'lost/000001.ldb'])
    made.write(`${DIRECTORY}/${name}`, Uint8Array.of(1))
  const directory = directoryOf(made)
  for (let stopAt = 1; ; stopAt++) {
    const memory = environmentOf(directory)
    const environment = new FaultEnvironment(memory, { stopAt })
    let crashed = false
    try {
      await destroy(DIRECTORY, { environment })
    } catch (error) {
      if (!(error instanceof CrashedError)) throw error
      crashed = true
    }
    const image = memory.crashImage(CRASH_MODES[stopAt % 6], new Prng(stopAt))
    if (image.files.status(`${DIRECTORY}/CURRENT`) !== undefined)
      assert.deepEqual(await contentAt(image.processCrashImage(), DIRECTORY), content)
    const isLeft = image.files.list(DIRECTORY).some((name) => /^(CURRENT|MANIFEST-|\d{6}\.ldb)/.test(name))
    if (isLeft) await destroy(DIRECTORY, { environment: image })
    assert.deepEqual(
      image.files.list(DIRECTORY).filter((name) => name !== 'LOCK' && !/^\d{6}\.log$/.test(name)),
      ['5.log', 'lost', 'notes.txt', 'x.ldb'],
    )
    if (!crashed) break
  }
  await assert.rejects(destroy('/none', { environment: made }), { code: 'NOT_FOUND' })
})

test('a database that is open is not destroyed, and a directory is free again after it was', async () => {
  const memory = new MemoryEnvironment()
  const db = await openIn(memory)
  await db.put('a', '1')
  await assert.rejects(destroy(DIRECTORY, { environment: memory }), { code: 'LOCKED' })
  await db.close()
  const { removed, left } = await destroy(DIRECTORY, { environment: memory })
  assert.deepEqual([removed.includes('CURRENT'), left], [true, ['LOCK']])
  assert.equal(fingerprint(directoryOf(memory)), '')
  const again = await openIn(memory)
  assert.deepEqual(entriesOf(again), [])
  await again.close()
})

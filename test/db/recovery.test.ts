/** What an opening makes of directories that are not quite databases, and of what an earlier opening left. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AlreadyExistsError, CorruptionError, VarveError } from '../../src/base/errors.ts'
import { Prng } from '../../src/base/prng.ts'
import { fileNumber, sequenceNumber } from '../../src/base/types.ts'
import { WriteBatch } from '../../src/batch/write-batch.ts'
import type { DB } from '../../src/db/db.ts'
import { open } from '../../src/db/open.ts'
import { manifestMark } from '../../src/db/opening/manifest-mark.ts'
import { CRASH_MODES } from '../../src/env/crash-image.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { LogWriter } from '../../src/log/log-writer.ts'
import { encodeEdit, type VersionEdit } from '../../src/version/version-edit.ts'
import { FaultEnvironment } from '../support/fault-env.ts'
import { MemoryWritableFile } from '../support/memory-file.ts'
import { bytesOf } from '../table/entries.ts'
import {
  DIRECTORY,
  type Directory,
  directoryOf,
  entriesOf,
  environmentOf,
  flipped,
  leftBy,
  openIn,
  recordEnds,
  tryOpen,
  withFile,
} from './directories.ts'

const CURRENT = bytesOf('MANIFEST-000002\n')

async function opened(directory: Directory): Promise<DB> {
  const db = await tryOpen(directory)
  if (db instanceof VarveError) throw db
  return db
}

function logOf(records: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const file = new MemoryWritableFile()
  const writer = new LogWriter(file)
  for (const bytes of records) writer.add(bytes, 0, bytes.length)
  writer.flush()
  return file.contents()
}

/** A directory as another engine leaves it: a manifest of one edit, and logs of one put each. */
function foreign(edit: VersionEdit, logs: Readonly<Record<string, number>>, valueBytes: number = 0): Directory {
  const comparator = 'leveldb.BytewiseComparator'
  const files = Object.entries(logs).map(([name, sequence]): [string, Uint8Array<ArrayBuffer>] => {
    const batch = new WriteBatch().put(`key${sequence}`, name.padEnd(valueBytes)).encoded().slice()
    batch[0] = sequence
    return [name, logOf([batch])]
  })
  return new Map([...files, ['CURRENT', CURRENT], ['MANIFEST-000002', logOf([encodeEdit({ comparator, ...edit })])]])
}

function counters(logNumber: number, previousLog: number): VersionEdit {
  return {
    logNumber: fileNumber(logNumber),
    previousLog: fileNumber(previousLog),
    nextFile: fileNumber(20),
    lastSequence: sequenceNumber(0),
  }
}

test('the log that a manifest names as the previous one is replayed, and no other older one', async () => {
  const logs = { '000003.log': 1, '000005.log': 2, '000007.log': 3, '000008.log': 4, '9.log': 5 }
  const db = await opened(foreign(counters(7, 5), logs))
  assert.deepEqual(entriesOf(db), ['key2=000005.log', 'key3=000007.log', 'key4=000008.log'])
  assert.deepEqual(
    db.recoveryInfo.logs.map(({ number, batches }) => [number, batches]),
    [
      [5, 1],
      [7, 1],
      [8, 1],
    ],
  )
  assert.deepEqual([db.recoveryInfo.entries, db.recoveryInfo.lastSequence, db.recoveryInfo.created], [3, 4, false])
  await db.close()
})

test('a manifest without a log number has all logs, and needs none', async () => {
  const db = await opened(foreign(counters(0, 0), { '000003.log': 1, '000005.log': 2 }))
  assert.deepEqual(entriesOf(db), ['key1=000003.log', 'key2=000005.log'])
  await db.close()
  const empty = await opened(foreign(counters(0, 0), {}))
  assert.deepEqual([entriesOf(empty), empty.recoveryInfo.logs], [[], []])
  await empty.close()
  const error = await tryOpen(foreign(counters(4, 0), { '000003.log': 1 }))
  assert.ok(error instanceof CorruptionError && error.file === '/db/000004.log', String(error))
})

test('what holds files of a database, but no CURRENT, is damaged; what holds hidden files only is empty', async () => {
  const small = logOf([new Uint8Array(12)])
  const cases: readonly (readonly [Directory, RegExp | undefined])[] = [
    [new Map([['000005.ldb', bytesOf('x')]]), /CURRENT is missing, though there is 000005\.ldb/],
    [new Map([['000005.log', logOf([new Uint8Array(13)])]]), /CURRENT is missing, though there is 000005\.log/],
    [
      new Map([
        ['000005.log', small],
        ['MANIFEST-000002', bytesOf('')],
      ]),
      undefined,
    ],
    [new Map([['.DS_Store', bytesOf('x')]]), undefined],
    [
      new Map([
        ['.DS_Store', bytesOf('x')],
        ['notes.txt', bytesOf('x')],
      ]),
      /not empty: it holds notes\.txt/,
    ],
    [new Map(['a', 'b', 'c', 'd'].map((name) => [name, bytesOf('x')])), /not empty: it holds a, b, c$/],
  ]
  for (const [directory, reason] of cases) {
    const found = await tryOpen(directory)
    if (reason === undefined) {
      assert.ok(!(found instanceof VarveError), String(found))
      assert.equal(found.recoveryInfo.created, true)
      await found.close()
    } else {
      assert.match(String(found), reason)
    }
  }
})

test('a database that is there is not made anew, and one that is not there is not made if that is not wanted', async () => {
  const left = await leftBy((db) => db.put('a', '1'))
  assert.ok((await tryOpen(left, { errorIfExists: true })) instanceof AlreadyExistsError)
  assert.match(String(await tryOpen(new Map(), { createIfMissing: false })), /there is no database/)
  assert.match(String(await tryOpen(new Map(), { readOnly: true })), /there is no database/)
})

test('a table that is a directory is damage', async () => {
  const memory = new MemoryEnvironment()
  const db = await openIn(memory)
  await db.put('a', '1')
  await db.flush()
  await db.close()
  const name = [...directoryOf(memory).keys()].find((file) => file.endsWith('.ldb')) ?? ''
  memory.files.remove(`/db/${name}`)
  memory.files.makeDirectory(`/db/${name}`)
  await assert.rejects(openIn(memory), { message: /not a regular file/, file: `/db/${name}` })
})

test('logs that fill several MemTables become several tables, and read as one', async () => {
  const keys = Array.from({ length: 60 }, (_, i) => `key${String(i).padStart(3, '0')}`)
  const large = { writeBufferBytes: 4 * 1024 * 1024 }
  // Some values need more than what a MemTable has left, or ever has.
  const contentOf = (key: string): string => key.repeat(key.endsWith('7') ? 20_000 : 500)
  const left = await leftBy(async (db) => {
    for (const key of keys) await db.put(key, contentOf(key))
  }, large)
  const db = await opened(left)
  assert.ok(db.recoveryInfo.tablesWritten > 5, `${db.recoveryInfo.tablesWritten} tables`)
  assert.deepEqual(
    entriesOf(db),
    keys.map((key) => `${key}=${contentOf(key)}`),
  )
  await db.close()
})

test('a range that is deleted in a log is deleted from the tables that the same opening made of that log', async () => {
  const keys = Array.from({ length: 40 }, (_, i) => `key${String(i).padStart(3, '0')}`)
  const left = await leftBy(
    async (db) => {
      for (const key of keys) await db.put(key, key.repeat(3000))
      await db.deleteRange('key005', 'key030')
      await db.put('key010', 'again')
    },
    { writeBufferBytes: 4 * 1024 * 1024 },
  )
  const db = await opened(left)
  assert.ok(db.recoveryInfo.tablesWritten > 3, `${db.recoveryInfo.tablesWritten} tables`)
  const expected = keys.map((key) => `${key}=${key.repeat(3000)}`)
  assert.deepEqual(entriesOf(db), [...expected.slice(0, 5), 'key010=again', ...expected.slice(30)])
  await db.close()
})

test('a recovery that fails while it flushes tells why, though it cannot remove what it has written, and can be repeated', async () => {
  const directory = foreign(counters(3, 0), Object.fromEntries(manyLogs(40)), 2000)
  const options = { writeBufferBytes: 16384 }
  const memory = environmentOf(directory)
  let tables = 0
  const environment = new FaultEnvironment(memory, {
    directory: DIRECTORY,
    faultAt: ({ op, path }) => {
      if (op === 'remove') return { code: 'EACCES' }
      return op === 'sync' && path.endsWith('.ldb') && ++tables === 2 ? { code: 'ENOSPC' } : undefined
    },
  })
  const done = open(DIRECTORY, { ...options, workers: 0, environment })
  await assert.rejects(done, { code: 'IO_ERROR', message: /ENOSPC/ })
  const left = [...directoryOf(memory).keys()].filter((name) => !directory.has(name))
  assert.ok(left.length > 0, 'a table that could not be removed')
  const db = await openIn(memory, options)
  assert.equal(entriesOf(db).length, 40)
  await db.close()
  for (const name of left) assert.equal(directoryOf(memory).get(name), undefined, name)
})

/** Names and sequences of logs. */
function manyLogs(count: number): [string, number][] {
  return Array.from({ length: count }, (_, i) => [`${String(i + 3).padStart(6, '0')}.log`, i + 1])
}

test('a log that another opening removes meanwhile does not make a directory somebody else’s', async () => {
  const memory = environmentOf(new Map([['000003.log', logOf([new WriteBatch().put('a', 'b').encoded()])]]))
  await assert.rejects(openIn(memory), { code: 'CORRUPTION' })
  const environment = new FaultEnvironment(memory, {
    directory: DIRECTORY,
    faultAt: ({ op, path }) => {
      if (op === 'status' && path === '000003.log') memory.files.remove(`${DIRECTORY}/${path}`)
      return undefined
    },
  })
  const db = await open(DIRECTORY, { workers: 0, environment })
  assert.equal(db.recoveryInfo.created, true)
  await db.close()
})

test('a database whose sequence or file numbers are used up is refused, before a write can be lost for it', async () => {
  const last = Number.MAX_SAFE_INTEGER
  for (const left of [0, 1, 1000]) {
    const sequences = foreign({ ...counters(3, 0), lastSequence: sequenceNumber(last - left) }, { '000003.log': 1 })
    const error = await tryOpen(sequences)
    assert.match(String(error), /no sequence numbers are left for writes/)
    const reader = await openIn(environmentOf(sequences), { readOnly: true })
    await reader.close()
    const files = foreign({ ...counters(3, 0), nextFile: fileNumber(last - left) }, { '000003.log': 1 })
    assert.match(String(await tryOpen(files)), /leaves no file numbers/)
  }
})

test('a file whose name has the largest number there is takes no numbers from the database', async () => {
  for (const number of [Number.MAX_SAFE_INTEGER, 2 ** 52 + 1, 2 ** 52]) {
    const stray: [string, Uint8Array<ArrayBuffer>] = [`${number}.ldb`, bytesOf('anything')]
    const memory = environmentOf(new Map([...foreign(counters(3, 0), { '000003.log': 1 }), stray]))
    for (let round = 0; round < 3; round++) {
      const db = await openIn(memory)
      await db.put(`round${round}`, '')
      assert.equal(entriesOf(db).length, 2 + round, `${number}, round ${round}`)
      await db.close()
    }
  }
})

test('a log of nothing but deletes of nothing makes no table', async () => {
  const db = await opened(await leftBy((made) => made.deleteRange('a', 'z')))
  assert.deepEqual([db.recoveryInfo.tablesWritten, db.recoveryInfo.entries, entriesOf(db)], [0, 1, []])
  await db.close()
})

test('a salvage replaces the copies that an earlier one left, for good', async () => {
  const left = await leftBy(async (db) => {
    for (const key of ['a', 'b', 'c']) await db.put(key, '1')
  })
  const log = left.get('000001.log')!
  const damaged = flipped(log, recordEnds(log)[2] + 8)
  const directory = withFile(withFile(left, '000001.log', damaged), 'lost/000001.log', bytesOf('an older copy'))
  const memory = new MemoryEnvironment()
  memory.files.makeDirectory('/db')
  memory.files.makeDirectory('/db/lost')
  for (const [name, bytes] of directory) memory.write(`/db/${name}`, bytes)
  const db = await openIn(memory, { recovery: 'salvage' })
  assert.deepEqual(entriesOf(db), ['a=1'])
  for (const mode of CRASH_MODES) {
    const image = memory.crashImage(mode, new Prng(mode))
    assert.deepEqual(image.readAll('/db/lost/000001.log'), damaged, `after a loss of power, mode ${mode}`)
  }
  await db.close()
  assert.deepEqual(memory.readAll('/db/lost/000001.log'), damaged)
})

test('the mark of a directory is the name and length of its manifest, or nothing while there is none', () => {
  const manifest = bytesOf('some bytes')
  const whole: Directory = new Map([
    ['CURRENT', CURRENT],
    ['MANIFEST-000002', manifest],
  ])
  const markOf = (directory: Directory): string | undefined => manifestMark(environmentOf(directory).files, '/db')
  assert.equal(markOf(whole), `MANIFEST-000002:${manifest.length}`)
  assert.equal(markOf(withFile(whole, 'CURRENT', undefined)), undefined)
  assert.equal(markOf(withFile(whole, 'MANIFEST-000002', undefined)), undefined)
  assert.equal(markOf(withFile(whole, 'CURRENT', bytesOf('MANIFEST-2'))), undefined)
})

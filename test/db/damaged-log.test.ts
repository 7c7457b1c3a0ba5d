/**
 * What recovery makes of logs that are cut short, damaged, missing or out of step, for every byte where that is feasible.
 *
 * Invariants  (1) what opens holds a prefix of the writes, in whole batches, and says what was not used
 *             (2) damage that a later marker proves is refused, naming file and offset
 *             (3) a refusal changes no file
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { CorruptionError, VarveError } from '../../src/base/errors.ts'
import { fileNumber, sequenceNumber } from '../../src/base/types.ts'
import { WriteBatch } from '../../src/batch/write-batch.ts'
import type { DB } from '../../src/db/db.ts'
import type { Options } from '../../src/db/options.ts'
import { LogWriter } from '../../src/log/log-writer.ts'
import { encodeEdit } from '../../src/version/version-edit.ts'
import { MemoryWritableFile } from '../support/memory-file.ts'
import { testdata } from '../support/paths.ts'
import {
  type Directory,
  directoryOf,
  entriesOf,
  environmentOf,
  flipped,
  leftBy,
  openIn,
  placesIn,
  recordEnds,
  tryOpen,
  withFile,
} from './directories.ts'

const LOG = '000001.log'
const disk = { durability: 'disk' } as const

/** Batch i sets `batch` to i, and two keys of its own. */
function batch(index: number): WriteBatch {
  return new WriteBatch().put('batch', String(index)).put(`a${index}`, 'x').put(`b${index}`, 'y')
}

function stateAfter(count: number): string[] {
  const state = new Map<string, string>()
  for (let i = 1; i <= count; i++) state.set(`a${i}`, 'x').set(`b${i}`, 'y').set('batch', String(i))
  return [...state].map(([key, value]) => `${key}=${value}`).sort()
}

/** Batches 1 to `count`; those in `durable` at `disk`. */
function batches(count: number, durable: readonly number[] = []): (db: DB) => Promise<void> {
  return async (db) => {
    for (let i = 1; i <= count; i++) await db.write(batch(i), durable.includes(i) ? disk : { durability: 'os' })
  }
}

async function opened(directory: Directory, options?: Options): Promise<DB> {
  const db = await tryOpen(directory, options)
  if (db instanceof VarveError) throw db
  return db
}

async function refused(directory: Directory, options?: Options): Promise<CorruptionError> {
  const error = await tryOpen(directory, options)
  assert.ok(error instanceof CorruptionError, `not refused as damage: ${error}`)
  return error
}

test('a log cut short at any byte opens with the whole batches before the cut, and says what it discarded', async () => {
  const left = await leftBy(batches(5))
  const log = left.get(LOG)!
  const ends = recordEnds(log)
  for (let bytes = 0; bytes <= log.length; bytes++) {
    const db = await opened(withFile(left, LOG, log.slice(0, bytes)))
    // The first record is the marker.
    const records = ends.filter((end) => end <= bytes).length - 1
    assert.deepEqual(entriesOf(db), stateAfter(Math.max(0, records - 1)), `${bytes} bytes`)
    const kept = ends[records]
    const discarded = db.recoveryInfo.discarded.map((d) => [d.file, d.offset, d.bytes])
    assert.deepEqual(discarded, kept === bytes ? [] : [[`/db/${LOG}`, kept, bytes - kept]], `${bytes} bytes`)
    assert.equal(db.recoveryInfo.lastSequence, 3 * Math.max(0, records - 1))
    await db.close()
  }
})

test('a log of which a power loss left the length of its first marker, and zeros, has lost nothing: it opens in every mode', async () => {
  const left = await leftBy(async (db) => {
    await batches(5)(db)
    await db.close()
  })
  const [name, log] = [...left].find(([file]) => file.endsWith('.log'))!
  assert.deepEqual(recordEnds(log), [0, log.length], 'a marker, and nothing else')
  const zeros = withFile(left, name, new Uint8Array(log.length))
  for (const recovery of ['pointInTime', 'strict', 'salvage'] as const) {
    const db = await opened(zeros, { recovery })
    assert.deepEqual([entriesOf(db), db.recoveryInfo.discarded], [stateAfter(5), []], recovery)
    await db.close()
  }
})

test('zeros in place of a first marker hide no loss: the next log says that there were writes before it', async () => {
  const left = withFile(await threeLogs([]), LOG, new Uint8Array(19))
  await refused(left, { recovery: 'strict' })
  const db = await opened(left)
  assert.deepEqual(entriesOf(db), [])
  assert.match(db.recoveryInfo.discarded[0].reason, /log starts at sequence 11, but what comes before it ends at 0/)
  await db.close()
})

test('a byte that is flipped before the last marker is damage, and behind it discarded', async () => {
  const left = await leftBy(batches(7, [2, 4]))
  const log = left.get(LOG)!
  const ends = recordEnds(log)
  // Markers: the first record, and one before batch 3 and one before batch 5.
  const lastMarker = ends[6]
  for (const offset of placesIn(log)) {
    const record = ends.findLast((end) => end <= offset)!
    const damaged = withFile(left, LOG, flipped(log, offset))
    if (offset < lastMarker) {
      const error = await refused(damaged)
      assert.deepEqual([error.file, error.offset], [`/db/${LOG}`, record], `byte ${offset}`)
      continue
    }
    const db = await opened(damaged)
    const [discarded] = db.recoveryInfo.discarded
    assert.deepEqual([discarded.offset, discarded.bytes], [record, log.length - record], `byte ${offset}`)
    const count = ends.indexOf(record) - (record > lastMarker ? 3 : 2)
    assert.deepEqual(entriesOf(db), stateAfter(count), `byte ${offset}`)
    await db.close()
  }
})

/** A database whose flushes fail, so that its logs stay: batches 1–2, a big one, 4–5, a big one, 7–8. */
async function threeLogs(durable: readonly number[]): Promise<Directory> {
  const memory = environmentOf(new Map())
  const db = await openIn(memory, { maxImmutableMemTables: 3 })
  const createWritable = memory.files.createWritable.bind(memory.files)
  memory.files.createWritable = (path) => {
    if (path.endsWith('.ldb')) throw new VarveError('IO_ERROR', 'no tables today')
    return createWritable(path)
  }
  for (let i = 1; i <= 8; i++) {
    const ops = batch(i)
    if (i % 3 === 0) ops.put('big', 'z'.repeat(17_000))
    await db.write(ops, durable.includes(i) ? disk : { durability: 'os' })
  }
  return directoryOf(memory)
}

function withoutBig(entries: readonly string[]): string[] {
  return entries.filter((entry) => !entry.startsWith('big='))
}

const NEWER = ['000003.log', '000005.log']

interface Case {
  readonly name: string
  readonly durable: readonly number[]
  readonly change: (directory: Directory) => Directory
  /** Batches that are found, in each mode; or where the damage is. */
  readonly pointInTime: number | RegExp
  readonly salvage: number
  /** Logs that are discarded, at least in part. */
  readonly discarded: readonly string[]
}

function cutAt(name: string, records: number): (directory: Directory) => Directory {
  return (directory) => {
    const log = directory.get(name)!
    return withFile(directory, name, log.slice(0, recordEnds(log)[records]))
  }
}

function flipIn(name: string, record: number): (directory: Directory) => Directory {
  return (directory) => {
    const log = directory.get(name)!
    return withFile(directory, name, flipped(log, recordEnds(log)[record] + 8))
  }
}

const cases: Case[] = [
  {
    name: 'all logs as they were',
    durable: [],
    change: (directory) => directory,
    pointInTime: 8,
    salvage: 8,
    discarded: [],
  },
  {
    name: 'the oldest log is missing',
    durable: [],
    change: (directory) => withFile(directory, LOG, undefined),
    pointInTime: /log 1 is missing/,
    salvage: 0,
    discarded: NEWER,
  },
  {
    name: 'a log between two others is missing',
    durable: [],
    change: (directory) => withFile(directory, NEWER[0], undefined),
    pointInTime: 3,
    salvage: 3,
    discarded: [NEWER[1]],
  },
  {
    name: 'a log between two others is missing, and a later write was durable',
    durable: [7],
    change: (directory) => withFile(directory, NEWER[0], undefined),
    pointInTime: /shows that what is missing had been durable/,
    salvage: 3,
    discarded: [NEWER[1]],
  },
  {
    name: 'the oldest log is cut at the end of a record',
    durable: [],
    change: cutAt(LOG, 3),
    pointInTime: 2,
    salvage: 2,
    discarded: NEWER,
  },
  {
    name: 'the oldest log is cut at the end of a record, and a later write was durable',
    durable: [7],
    change: cutAt(LOG, 3),
    pointInTime: /shows that what is missing had been durable/,
    salvage: 2,
    discarded: NEWER,
  },
  {
    name: 'the oldest log is empty',
    durable: [],
    change: cutAt(LOG, 0),
    pointInTime: 0,
    salvage: 0,
    discarded: NEWER,
  },
  {
    name: 'the newest log is empty',
    durable: [],
    change: cutAt(NEWER[1], 0),
    pointInTime: 6,
    salvage: 6,
    discarded: [],
  },
  {
    name: 'an older log is damaged, with no proof in a newer one',
    durable: [],
    change: flipIn(LOG, 2),
    pointInTime: 1,
    salvage: 1,
    discarded: [LOG, ...NEWER],
  },
  {
    name: 'an older log is damaged, with a proof in a newer one',
    durable: [7],
    change: flipIn(LOG, 2),
    pointInTime: /shows that what is missing had been durable/,
    salvage: 1,
    discarded: [LOG, ...NEWER],
  },
  {
    name: 'an older log is damaged, with a proof in itself',
    durable: [2],
    change: flipIn(LOG, 2),
    pointInTime: /log is damaged/,
    salvage: 1,
    discarded: [LOG, ...NEWER],
  },
  {
    name: 'a log in the middle is damaged in its first record, with another one in the same sector',
    durable: [],
    change: flipIn(NEWER[0], 0),
    pointInTime: /log is damaged: .* byte 19 shows/,
    salvage: 3,
    discarded: NEWER,
  },
]

for (const { name, durable, change, pointInTime, salvage, discarded } of cases) {
  test(`logs: ${name}`, async () => {
    const directory = change(await threeLogs(durable))
    const isWhole = discarded.length === 0 && typeof pointInTime === 'number'
    const strict = await tryOpen(directory, { recovery: 'strict' })
    assert.equal(strict instanceof CorruptionError, !isWhole, String(strict))

    const usual = await tryOpen(directory)
    if (typeof pointInTime === 'number') await expectFound(usual, pointInTime, discarded)
    else assert.match(String(usual), pointInTime)
    if (usual instanceof VarveError) assert.ok(usual.file?.endsWith('.log'))

    const memory = environmentOf(directory)
    await expectFound(await openIn(memory, { recovery: 'salvage' }), salvage, discarded)
    const lost = [...directoryOf(memory).keys()].filter((file) => file.startsWith('lost/'))
    assert.deepEqual(
      lost,
      discarded.map((file) => `lost/${file}`),
    )
    for (const file of discarded) {
      assert.deepEqual(directoryOf(memory).get(`lost/${file}`), directory.get(file), 'a lost log is kept as it was')
    }
  })
}

async function expectFound(db: DB | VarveError, count: number, discarded: readonly string[]): Promise<void> {
  assert.ok(!(db instanceof VarveError), String(db))
  assert.deepEqual(withoutBig(entriesOf(db)), stateAfter(count))
  assert.deepEqual(
    db.recoveryInfo.discarded.map(({ file }) => file.slice('/db/'.length)),
    discarded,
  )
  await db.put('after', 'recovery', disk)
  await db.close()
}

test('what was discarded does not come back after the next opening', async () => {
  const left = await leftBy(batches(5))
  const log = left.get(LOG)!
  const memory = environmentOf(withFile(left, LOG, flipped(log, recordEnds(log)[3] + 9)))
  const db = await openIn(memory)
  assert.deepEqual(entriesOf(db), stateAfter(2))
  await db.put('c', 'z')
  const again = await openIn(memory.processCrashImage())
  assert.deepEqual(entriesOf(again), [...stateAfter(2), 'c=z'].sort())
  assert.deepEqual(again.recoveryInfo.discarded, [])
})

/** A database as LevelDB leaves it before its first flush: the golden database `small`, its log alone. */
function foreign(): Directory {
  const file = new MemoryWritableFile()
  const manifest = new LogWriter(file)
  const counters = { nextFile: fileNumber(4), lastSequence: sequenceNumber(0), logNumber: fileNumber(3) }
  const edit = encodeEdit({ comparator: 'leveldb.BytewiseComparator', ...counters })
  manifest.add(edit, 0, edit.length)
  manifest.flush()
  return new Map([
    [FOREIGN_LOG, new Uint8Array(readFileSync(testdata('golden', 'small', FOREIGN_LOG)))],
    ['CURRENT', new TextEncoder().encode('MANIFEST-000002\n')],
    ['MANIFEST-000002', file.contents()],
  ])
}

const FOREIGN_LOG = '000003.log'

test('a log that LevelDB wrote is replayed, or cut where it is cut', async () => {
  const left = foreign()
  const log = left.get(FOREIGN_LOG)!
  const ends = recordEnds(log)
  const whole = await opened(left)
  assert.deepEqual(entriesOf(whole), [
    '=the empty key',
    'apple=russet',
    'apricot=orange',
    'banana=yellow',
    'damson=blue',
  ])
  assert.equal(whole.recoveryInfo.entries, 10)
  for (let bytes = 0; bytes < log.length; bytes++) {
    const db = await opened(withFile(left, FOREIGN_LOG, log.slice(0, bytes)))
    const records = ends.filter((end) => end <= bytes).length - 1
    assert.deepEqual(
      [db.recoveryInfo.logs[0].batches, db.recoveryInfo.discarded.length],
      [records, ends.includes(bytes) ? 0 : 1],
    )
    await db.close()
  }
})

test('a foreign log that is damaged before its last record is refused, wherever that is', async () => {
  const left = foreign()
  const log = left.get(FOREIGN_LOG)!
  const ends = recordEnds(log)
  for (let offset = 0; offset < log.length; offset++) {
    const record = ends.findLast((end) => end <= offset)!
    const damaged = withFile(left, FOREIGN_LOG, flipped(log, offset))
    if (offset < ends[ends.length - 2]) {
      const error = await refused(damaged)
      assert.deepEqual([error.file, error.offset], [`/db/${FOREIGN_LOG}`, record], `byte ${offset}`)
    } else {
      const db = await opened(damaged)
      assert.deepEqual(
        db.recoveryInfo.discarded.map((d) => d.offset),
        [record],
        `byte ${offset}`,
      )
      await db.close()
    }
  }
})

test('an empty batch proves nothing: a log that is torn before it still opens', async () => {
  const left = await leftBy(async (db) => {
    await batches(3)(db)
    await db.write(new WriteBatch())
  })
  const log = left.get(LOG)!
  const db = await opened(withFile(left, LOG, flipped(log, recordEnds(log)[3] + 9)))
  assert.deepEqual(entriesOf(db), stateAfter(2))
})

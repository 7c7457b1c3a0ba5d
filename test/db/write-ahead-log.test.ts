/** What a WriteAheadLog knows of its files: what is acknowledged, what is durable, and when a marker is due. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DirectoryLock } from '../../src/base/environment.ts'
import { IOError } from '../../src/base/errors.ts'
import { Prng } from '../../src/base/prng.ts'
import { fileNumber, sequenceNumber } from '../../src/base/types.ts'
import * as Batch from '../../src/batch/batch-format.ts'
import { DatabaseDirectory } from '../../src/db/opening/database-directory.ts'
import { WriteAheadLog } from '../../src/db/write/write-ahead-log.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { ROOM_BYTES, ROOM_FOR_BYTES } from '../../src/log/log-room.ts'
import { FileNumbers } from '../../src/version/file-numbers.ts'
import { DirectorySyncs } from '../../src/worker/directory-syncs.ts'
import { FaultEnvironment } from '../support/fault-env.ts'
import { recordEnds } from './directories.ts'

/** A log without markers has them neither at its beginning nor after a sync. */
function begin(markers: boolean, syncs: DirectorySyncs = new DirectorySyncs(), lock?: DirectoryLock) {
  const memory = new MemoryEnvironment()
  memory.files.makeDirectory('/db')
  const numbers = FileNumbers.startingAt(100)
  const directory = new DatabaseDirectory(memory.files, '/db', lock, syncs)
  return { memory, directory, log: new WriteAheadLog(directory, markers, () => numbers.take()) }
}

/** One put: a record of 23 bytes. */
function add(log: WriteAheadLog, sequence: number): void {
  const bytes = new Uint8Array(16)
  Batch.writeHeader(bytes, 0, sequence, 1)
  bytes.set([1, 1, 107, 0], 12)
  log.add(bytes, 0, bytes.length, sequenceNumber(sequence))
}

function rotate(log: WriteAheadLog, number: number, sequence: number): void {
  log.rotate(fileNumber(number), sequenceNumber(sequence))
}

/** The counts of the batches in a file; a marker has none. */
function countsIn(memory: MemoryEnvironment, name: string): number[] {
  const bytes = memory.readAll(`/db/${name}`)
  return recordEnds(bytes)
    .slice(0, -1)
    .map((at) => Batch.batchCount(bytes, at + 7))
}

test('before its first file a log holds nothing', () => {
  const { log } = begin(true)
  assert.deepEqual([log.bufferedBytes, log.hasUndurable, log.list(), log.acknowledged()], [0, false, [], []])
  log.close()
})

test('what is added is buffered, flushed, acknowledged and durable, in this order', () => {
  const { log } = begin(false)
  rotate(log, 3, 1)
  add(log, 1)
  assert.deepEqual([log.number, log.bytes, log.bufferedBytes], [3, 23, 23])
  assert.deepEqual(log.acknowledged(), [{ number: 3, bytes: 0 }])
  log.flush()
  assert.deepEqual([log.bytes, log.bufferedBytes, log.hasUndurable], [23, 0, false])
  log.acknowledge()
  add(log, 2)
  assert.deepEqual(log.acknowledged(), [{ number: 3, bytes: 23 }])
  assert.equal(log.hasUndurable, true)
  log.sync()
  assert.deepEqual([log.hasUndurable, log.list()], [false, [{ number: 3, bytes: 46, syncedBytes: 46 }]])
  log.close()
})

test('all of a complete file counts as acknowledged, and a sync makes older files durable too', () => {
  const { memory, log } = begin(false)
  rotate(log, 3, 1)
  add(log, 1)
  rotate(log, 4, 2)
  add(log, 2)
  assert.deepEqual(log.acknowledged(), [
    { number: 3, bytes: 23 },
    { number: 4, bytes: 0 },
  ])
  log.sync()
  assert.deepEqual(
    log.list().map(({ syncedBytes }) => syncedBytes),
    [23, 23],
  )
  log.sync()
  assert.deepEqual(countsIn(memory, '000004.log'), [1], 'no marker, for all the syncs')
  log.dropBelow(fileNumber(4))
  assert.deepEqual(
    log.list().map(({ number }) => number),
    [4],
  )
  log.close()
})

test('a log whose name could not be made durable is not made so by another try, but for want of descriptors', () => {
  for (const [code, isFinal] of [
    ['EIO', true],
    ['EMFILE', false],
  ] as const) {
    const { memory, log } = begin(true)
    rotate(log, 3, 1)
    add(log, 1)
    const { syncDirectory } = memory.files
    memory.files.syncDirectory = () => {
      memory.files.syncDirectory = syncDirectory
      throw new IOError(code, { cause: Object.assign(new Error(code), { code }) })
    }
    assert.throws(() => log.sync(), { message: code })
    if (isFinal) assert.throws(() => log.sync(), /takes no more writes after an earlier failure/)
    else log.sync()
    assert.equal(log.hasUndurable, false)
    log.close()
  }
})

test('names that a failed sync of the directory may have lost are made anew, in their order, and no others', () => {
  const { memory, directory, log } = begin(true)
  const { files } = memory
  const numbers = (): number[] => log.list().map(({ number }) => number)
  rotate(log, 3, 1)
  add(log, 1)
  log.sync()
  for (const [number, sequence] of [
    [4, 2],
    [5, 3],
  ]) {
    rotate(log, number, sequence)
    add(log, sequence)
  }
  log.renewNames()
  assert.deepEqual(numbers(), [3, 4, 5])
  const { syncDirectory } = files
  files.syncDirectory = (path) => {
    throw new IOError('lost', { file: path })
  }
  assert.throws(() => directory.sync(), { message: 'lost' })
  rotate(log, 6, 4)
  add(log, 4)
  // The newest first, which is made durable before the next one is begun.
  assert.throws(() => log.renewNames(), { message: 'lost' })
  assert.deepEqual(numbers(), [3, 4, 5, 102])
  files.syncDirectory = syncDirectory
  const seen: number[][] = []
  files.syncDirectory = (path) => {
    seen.push(numbers())
    syncDirectory.call(files, path)
  }
  log.sync()
  assert.deepEqual(seen, [
    [3, 4, 5, 105],
    [3, 4, 104, 105],
    [3, 103, 104, 105],
  ])
  log.renewNames()
  assert.deepEqual([numbers(), log.hasFailed, log.hasUndurable], [[3, 103, 104, 105], false, false])
  const afterPowerLoss = memory.crashImage(0, new Prng(1))
  assert.deepEqual(
    afterPowerLoss.paths().map((path) => path.slice(-7, -4)),
    ['003', '103', '104', '105'],
  )
  log.close()
})

test('where a sync on another thread fails while names are made anew, the newest is made anew once more before older ones', () => {
  const syncs: DirectorySyncs = new DirectorySyncs({
    waitWhile: () => {
      syncs.failed()
      syncs.end(0)
      return false
    },
  })
  const { memory, log } = begin(true, syncs)
  for (const number of [3, 4, 5]) rotate(log, number, number)
  const { syncDirectory } = memory.files
  const seen: number[][] = []
  memory.files.syncDirectory = (path) => {
    syncDirectory.call(memory.files, path)
    if (seen.length === 0) syncs.begin(0)
    seen.push(log.list().map(({ number }) => number))
  }
  syncs.failed()
  log.renewNames()
  assert.deepEqual(seen, [
    [3, 4, 102],
    [3, 4, 105],
    [3, 104, 105],
  ])
  log.close()
})

test('a file beside whose creation a sync on another thread fails is made anew', () => {
  const syncs = new DirectorySyncs()
  const { memory, log } = begin(true, syncs)
  const { createWritable } = memory.files
  memory.files.createWritable = (path) => {
    const file = createWritable.call(memory.files, path)
    syncs.failed()
    return file
  }
  rotate(log, 3, 1)
  log.renewNames()
  assert.equal(log.number, 100)
  log.close()
})

test('nothing is made anew in another directory that has come to lie at the path', () => {
  const syncs = new DirectorySyncs()
  let isOther = false
  const check = (): void => {
    if (isOther) throw new IOError('another directory')
  }
  const { memory, log } = begin(true, syncs, { check, release: () => {} })
  rotate(log, 3, 1)
  syncs.failed()
  isOther = true
  assert.throws(() => log.renewNames(), { message: 'another directory' })
  assert.deepEqual([log.number, memory.paths()], [3, ['/db/000003.log']])
  log.close()
})

test('of logs that come after a sync of the directory began, it says nothing', () => {
  const { memory, log } = begin(true)
  rotate(log, 3, 1)
  const newest = log.number
  rotate(log, 4, 1)
  log.namesAreDurable(newest)
  let synced = 0
  const { syncDirectory } = memory.files
  memory.files.syncDirectory = (path) => {
    synced++
    syncDirectory.call(memory.files, path)
  }
  log.syncNames()
  log.syncNames()
  assert.equal(synced, 1)
  log.close()
})

test('a sync off the thread makes older files durable first, then its own, and is told of by the number of its file', async () => {
  const { memory, log } = begin(true)
  rotate(log, 3, 1)
  add(log, 1)
  rotate(log, 4, 2)
  add(log, 2)
  await log.syncLater()
  const [older, active] = log.list()
  assert.deepEqual([older.syncedBytes, active.syncedBytes], [older.bytes, 0])
  const afterPowerLoss = memory.crashImage(0, new Prng(1))
  for (const { number, bytes } of [older, active])
    assert.equal(afterPowerLoss.readAll(`/db/00000${number}.log`).length, bytes, `log ${number}`)
  await log.syncLater()
  log.synced(fileNumber(9), 1000)
  assert.equal(log.list()[1].syncedBytes, 0, 'a file that is gone')
  log.synced(fileNumber(4), 42)
  log.synced(fileNumber(4), 19)
  assert.equal(log.list()[1].syncedBytes, 42)
  log.close()
})

test('names are made durable first, then files, the oldest first, whether the sync is awaited or not', async () => {
  for (const sync of [(log: WriteAheadLog) => log.sync(), (log: WriteAheadLog) => log.syncLater()]) {
    const environment = new FaultEnvironment(new MemoryEnvironment(), { directory: '/db' })
    environment.files.makeDirectory('/db')
    const log = new WriteAheadLog(new DatabaseDirectory(environment.files, '/db'), true, assert.fail)
    for (const number of [3, 4, 5]) {
      rotate(log, number, number)
      add(log, number)
    }
    environment.takeCalls()
    await sync(log)
    const syncs = environment.takeCalls().filter((call) => call.startsWith('sync'))
    assert.deepEqual(syncs, ['sync-dir', 'sync 000003.log', 'sync 000004.log', 'sync 000005.log'])
    log.close()
  }
})

const SYNCS: readonly (readonly [what: string, sync: (log: WriteAheadLog) => void, counts: readonly number[]])[] = [
  ['after a sync', (log) => log.sync(), [0, 1, 0, 1]],
  ['after a sync off the thread that covers all', (log) => log.synced(fileNumber(4), log.bytes), [0, 1, 0, 1]],
  ['not after one that covers less', (log) => log.synced(fileNumber(4), log.bytes - 1), [0, 1, 1]],
  ['not after one of an older file', (log) => log.synced(fileNumber(3), 19), [0, 1, 1]],
  ['not after a flush', (log) => log.flush(), [0, 1, 1]],
]

for (const [what, sync, counts] of SYNCS) {
  test(`a marker precedes the next batch ${what}`, () => {
    const { memory, log } = begin(true)
    rotate(log, 3, 1)
    rotate(log, 4, 1)
    add(log, 1)
    sync(log)
    add(log, 2)
    log.flush()
    assert.deepEqual(countsIn(memory, '000004.log'), counts)
    log.close()
  })
}

test('a rename that is done, and not answered for, is done; one that is not is tried again', () => {
  const { memory, directory, log } = begin(true)
  const { files } = memory
  const { syncDirectory, rename } = files
  rotate(log, 3, 1)
  add(log, 1)
  files.syncDirectory = (path) => {
    throw new IOError('lost', { file: path })
  }
  assert.throws(() => directory.sync(), { message: 'lost' })
  files.syncDirectory = syncDirectory
  files.rename = () => {
    throw new IOError('no answer')
  }
  assert.throws(() => log.renewNames(), { message: 'no answer' })
  assert.deepEqual(log.list()[0].number, 3)
  files.rename = (from, to) => {
    rename.call(files, from, to)
    throw new IOError('no answer')
  }
  log.sync()
  const [{ number }] = log.list()
  assert.notEqual(number, 3)
  const left = memory.crashImage(0, new Prng(1)).paths()
  assert.deepEqual(
    left.map((path) => Number.parseInt(path.slice(-10, -4), 10)),
    [number],
  )
  log.close()
})

test('a file that is synced again gets room, once, and loses it when it is closed', async () => {
  const { memory, log } = begin(true)
  const bytes = (name: string): number | undefined => memory.files.status(`/db/${name}`)?.bytes
  rotate(log, 3, 1)
  add(log, 1)
  log.sync()
  assert.equal(bytes('000003.log'), 42, 'the first sync may be the last')
  add(log, 2)
  log.sync()
  assert.deepEqual([bytes('000003.log'), log.bytes], [ROOM_BYTES, 84])
  for (let sequence = 3; log.bytes < ROOM_BYTES; sequence++) {
    add(log, sequence)
    if (sequence % 100 === 0) log.sync()
  }
  log.flush()
  const beyond = log.bytes
  assert.equal(bytes('000003.log'), beyond)
  await log.syncLater()
  assert.equal(bytes('000003.log'), 2 * ROOM_BYTES)
  rotate(log, 4, 9000)
  log.sync()
  assert.equal(bytes('000004.log'), 19)
  log.dropBelow(fileNumber(4))
  assert.equal(bytes('000003.log'), beyond)
  log.close()
  assert.equal(bytes('000004.log'), 19)
})

test('what is synced in large pieces gets no room', () => {
  const { memory, log } = begin(true)
  rotate(log, 3, 1)
  let sequence = 1
  for (const piece of [1, ROOM_FOR_BYTES + 1, ROOM_FOR_BYTES + 1]) {
    for (const end = log.bytes + piece; log.bytes < end; sequence++) add(log, sequence)
    log.sync()
    assert.equal(memory.files.status('/db/000003.log')?.bytes, log.bytes)
  }
})

test('a log that is told of a failure takes no more', () => {
  const { log } = begin(true)
  rotate(log, 3, 1)
  add(log, 1)
  log.fail(new Error('told'))
  assert.throws(() => log.flush(), IOError)
  assert.throws(() => log.sync(), IOError)
  log.close()
})

test('closing closes every file, and leaves none', () => {
  const { memory, log } = begin(false)
  for (const number of [3, 4, 5]) rotate(log, number, 1)
  assert.equal(memory.files.openCount, 3)
  log.close()
  assert.deepEqual([memory.files.openCount, log.list()], [0, []])
})

test('a new file begins with a marker that proves nothing, and right after a sync with the one that is due behind it', () => {
  for (const isSynced of [false, true]) {
    const { memory, log } = begin(true)
    rotate(log, 3, 1)
    add(log, 1)
    if (isSynced) log.sync()
    else log.flush()
    rotate(log, 4, 2)
    assert.deepEqual(countsIn(memory, '000004.log'), [0])
    add(log, 2)
    add(log, 3)
    log.flush()
    assert.deepEqual(countsIn(memory, '000004.log'), isSynced ? [0, 0, 1, 1] : [0, 1, 1])
    log.close()
  }
})

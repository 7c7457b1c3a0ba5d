/**
 * What LogReplay makes of single logs whose records are readable, but not what can come next; with a target that only lists
 * what it is given. (What opening makes of damaged logs: damaged-log.test.ts.)
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CorruptionError } from '../../src/base/errors.ts'
import { logName } from '../../src/base/filename.ts'
import { type FileNumber, fileNumber, sequenceNumber } from '../../src/base/types.ts'
import * as Batch from '../../src/batch/batch-format.ts'
import { LogReplay, type ReplayReport } from '../../src/db/opening/log-replay.ts'
import type { RecoveryMode } from '../../src/db/options.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { LogWriter } from '../../src/log/log-writer.ts'
import { bytesOf } from '../table/entries.ts'

const KEY = bytesOf('k')

/** A batch of `count` puts; without any, a marker. */
function batch(sequence: number, count: number): Uint8Array {
  const bytes = new Uint8Array(100)
  Batch.writeHeader(bytes, 0, sequence, count)
  let at = Batch.HEADER_BYTES
  for (let i = 0; i < count; i++) at = Batch.writePut(bytes, at, KEY, KEY)
  return bytes.slice(0, at)
}

/** A batch whose header counts one op more than it has. */
function badBatch(sequence: number): Uint8Array {
  const bytes = batch(sequence, 1)
  Batch.writeHeader(bytes, 0, sequence, 2)
  return bytes
}

interface Replayed {
  /** `SEQUENCE×COUNT` of each batch. */
  readonly batches: string[]
  readonly report: ReplayReport
}

interface Setting {
  readonly mode?: RecoveryMode
  readonly lastSequence?: number
  /** Why the target wants nothing of a batch of this sequence. */
  readonly unwanted?: number
}

function replay(logs: readonly (readonly Uint8Array[])[], setting: Setting = {}): Replayed {
  const { files } = new MemoryEnvironment()
  files.makeDirectory('/db')
  const batches: string[] = []
  const last = sequenceNumber(setting.lastSequence ?? 0)
  const replaying = new LogReplay(files, '/db', setting.mode ?? 'pointInTime', last, {
    fault: (bytes, offset) => (Batch.batchSequence(bytes, offset) === setting.unwanted ? 'not wanted' : undefined),
    replay: (bytes, offset, length) => {
      assert.equal(Batch.batchFault(bytes, offset, length), undefined)
      batches.push(`${Batch.batchSequence(bytes, offset)}×${Batch.batchCount(bytes, offset)}`)
    },
  })
  for (const [i, records] of logs.entries()) replaying.add(writeLog(files, fileNumber(i + 1), records))
  assert.equal(files.openCount, 0)
  return { batches, report: replaying.report() }
}

function writeLog(files: MemoryEnvironment['files'], number: FileNumber, records: readonly Uint8Array[]): FileNumber {
  const writer = new LogWriter(files.createWritable(`/db/${logName(number)}`))
  for (const record of records) writer.add(record, 0, record.length)
  writer.flush()
  writer.close()
  return number
}

interface Case extends Setting {
  readonly name: string
  readonly logs: readonly (readonly Uint8Array[])[]
  readonly batches: readonly string[]
  /** `FILE+OFFSET REASON`. */
  readonly discarded: readonly string[]
}

const marker = (sequence: number): Uint8Array => batch(sequence, 0)

const CASES: readonly Case[] = [
  { name: 'no batch', logs: [[marker(1)]], batches: [], discarded: [] },
  { name: 'batches in order', logs: [[marker(1), batch(1, 2), batch(3, 1)]], batches: ['1×2', '3×1'], discarded: [] },
  {
    name: 'batches in order over two logs, the newer one of which begins where the older ends',
    logs: [
      [marker(1), batch(1, 2)],
      [marker(3), batch(3, 1)],
    ],
    batches: ['1×2', '3×1'],
    discarded: [],
  },
  {
    name: 'a gap in a log of ours',
    logs: [[marker(1), batch(1, 2), batch(4, 1)]],
    batches: ['1×2'],
    discarded: ['1+48 batch 4 comes after sequence 2'],
  },
  {
    name: 'a batch that comes twice in a log of ours',
    logs: [[marker(1), batch(1, 2), batch(1, 2)]],
    batches: ['1×2'],
    discarded: ['1+48 batch 1 comes after sequence 2'],
  },
  {
    name: 'a gap in a foreign log',
    logs: [[batch(1, 2), batch(9, 1), batch(10, 1)]],
    batches: ['1×2', '9×1', '10×1'],
    discarded: [],
  },
  {
    name: 'a foreign log that goes back at its end',
    logs: [[batch(5, 2), batch(6, 1)]],
    batches: ['5×2'],
    discarded: ['1+29 batch 6 comes after sequence 6'],
  },
  {
    name: 'a foreign log of what is in tables',
    logs: [[batch(5, 2), batch(7, 1)]],
    lastSequence: 100,
    batches: ['5×2', '7×1'],
    discarded: [],
  },
  {
    name: 'a foreign log with empty batches in it',
    logs: [[batch(1, 1), batch(9, 0), batch(2, 1)]],
    batches: ['1×1', '2×1'],
    discarded: [],
  },
  {
    name: 'a batch that counts wrong, at the end',
    logs: [[marker(1), batch(1, 1), badBatch(2)]],
    batches: ['1×1'],
    discarded: [`1+43 ${Batch.batchFault(badBatch(2), 0, badBatch(2).length)}`],
  },
  {
    name: 'a first record that is no batch',
    logs: [[bytesOf('short')]],
    batches: [],
    discarded: [`1+0 ${Batch.batchFault(bytesOf('short'), 0, 5)}`],
  },
  {
    name: 'a batch that the target does not want',
    logs: [
      [marker(1), batch(1, 1), batch(2, 1)],
      [marker(3), batch(3, 1)],
    ],
    unwanted: 2,
    batches: ['1×1'],
    discarded: ['1+43 not wanted', '2+0 an older log ends before its time'],
  },
  {
    name: 'after a gap, a marker of before it proves nothing',
    logs: [[marker(1), batch(1, 2), batch(4, 1), marker(2)]],
    batches: ['1×2'],
    discarded: ['1+48 batch 4 comes after sequence 2'],
  },
  {
    name: 'after a gap, a marker of another history proves nothing',
    logs: [[marker(1), batch(1, 2), batch(4, 1), marker(2 + 2 ** 32)]],
    batches: ['1×2'],
    discarded: ['1+48 batch 4 comes after sequence 2'],
  },
  {
    name: 'after a gap, a batch with as many bytes as a marker proves nothing',
    logs: [[marker(1), batch(1, 2), batch(4, 1), countedMarker(5)]],
    batches: ['1×2'],
    discarded: ['1+48 batch 4 comes after sequence 2'],
  },
]

/** As long as a marker, and counts one op. */
function countedMarker(sequence: number): Uint8Array {
  const bytes = marker(sequence)
  Batch.writeHeader(bytes, 0, sequence, 1)
  return bytes
}

for (const { name, logs, batches, discarded, ...setting } of CASES) {
  test(`replaying ${name}`, () => {
    const { batches: found, report } = replay(logs, setting)
    assert.deepEqual(found, batches)
    const said = report.discarded.map(
      ({ file, offset, reason }) => `${Number.parseInt(file.slice(4), 10)}+${offset} ${reason}`,
    )
    assert.deepEqual(said, discarded)
    const numbers = found.map((text) => text.split('×').map(Number))
    const last = Math.max(setting.lastSequence ?? 0, ...numbers.map(([sequence, count]) => sequence + count - 1))
    assert.equal(report.lastSequence, last)
    assert.equal(
      report.logs.reduce((sum, log) => sum + log.batches, 0),
      batches.length,
    )
    assert.equal(
      report.logs.reduce((sum, log) => sum + log.entries, 0),
      numbers.reduce((sum, [, count]) => sum + count, 0),
    )
  })
}

const REFUSED: readonly (Setting & { name: string; logs: Case['logs']; offset: number; reason: RegExp })[] = [
  {
    name: 'a gap, and a marker after it',
    logs: [[marker(1), batch(1, 2), batch(4, 1), marker(5)]],
    offset: 48,
    reason: /batch 4 comes after sequence 2, though byte 72 shows/,
  },
  {
    name: 'a gap, and the newest marker that this history can have',
    logs: [[marker(1), batch(1, 2), batch(4, 1), marker(1 + 2 ** 32)]],
    offset: 48,
    reason: /though byte 72 shows/,
  },
  {
    name: 'a foreign log that goes back before its end',
    logs: [[batch(5, 2), batch(6, 1), batch(7, 1)]],
    offset: 29,
    reason: /though byte 53 shows/,
  },
  {
    name: 'any cut, in strict mode',
    logs: [[marker(1), batch(1, 1), badBatch(2)]],
    mode: 'strict',
    offset: 43,
    reason: /cannot be read to its end/,
  },
  {
    name: 'the first log beginning after what is in tables',
    logs: [[marker(7), batch(7, 1)]],
    lastSequence: 5,
    offset: 0,
    reason: /starts at sequence 7, but what comes before it ends at 5/,
  },
  {
    name: 'a second log beginning before the first one ends',
    logs: [
      [marker(1), batch(1, 2)],
      [marker(2), batch(2, 1)],
    ],
    offset: 0,
    reason: /starts at sequence 2, but what comes before it ends at 2/,
  },
]

for (const { name, logs, offset, reason, ...setting } of REFUSED) {
  test(`replaying refuses ${name}`, () => {
    assert.throws(
      () => replay(logs, setting),
      (error) => {
        assert.ok(error instanceof CorruptionError, String(error))
        assert.match(error.message, reason)
        assert.equal(error.offset, offset)
        return true
      },
    )
  })
}

test('salvaging takes what comes before the cut, whatever proves that more had been written', () => {
  const logs = [
    [marker(1), batch(1, 2), batch(4, 1), marker(5)],
    [marker(6), batch(6, 1), marker(7)],
  ]
  const { batches, report } = replay(logs, { mode: 'salvage' })
  assert.deepEqual(batches, ['1×2'])
  assert.deepEqual(
    report.discarded.map(({ offset, bytes }) => [offset, bytes]),
    [
      [48, 43],
      [0, 62],
    ],
  )
})

test('a record in the sector of one that cannot be read, first in a foreign log, proves that it had been written', () => {
  // A batch of no ops with something behind it: its record takes seven bytes more.
  const unreadable = (recordBytes: number): Uint8Array => new Uint8Array(recordBytes - 7)
  assert.throws(() => replay([[unreadable(511), batch(1, 1)]]), /log is damaged: .*, though byte 511 shows/)
  for (const recordBytes of [512, 513, 5000]) {
    const { batches, report } = replay([[unreadable(recordBytes), batch(1, 1)]])
    assert.deepEqual(batches, [])
    assert.deepEqual(
      report.discarded.map(({ offset, reason }) => [offset, reason]),
      [[0, 'batch has bytes after its last op']],
    )
  }
})

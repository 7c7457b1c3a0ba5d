/**
 * Room behind the records of a log: what is taken for it, what is not, and that whoever reads the log ends there.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as Batch from '../../src/batch/batch-format.ts'
import { dumpLog } from '../../src/inspect/dump-log.ts'
import { BLOCK_BYTES, HEADER_BYTES } from '../../src/log/log-format.ts'
import { LogReader } from '../../src/log/log-reader.ts'
import { ROOM_BYTES, roomLimit } from '../../src/log/log-room.ts'
import { LogSalvage } from '../../src/log/log-salvage.ts'
import { LogWriter } from '../../src/log/log-writer.ts'
import { MemoryFile, MemoryWritableFile } from '../support/memory-file.ts'

/** Records of these lengths, in a file of `fileBytes`, zeros at its end. */
function logIn(fileBytes: number, ...lengths: number[]): Uint8Array<ArrayBuffer> {
  const file = new MemoryWritableFile()
  const writer = new LogWriter(file)
  for (const length of lengths) writer.add(new Uint8Array(length).fill(7), 0, length)
  writer.flush()
  const log = new Uint8Array(fileBytes)
  log.set(file.contents())
  return log
}

/** What follows the records, in a word or two, for the reader and for repair. */
function endOf(log: Uint8Array): readonly [read: string, salvaged: string] {
  const reader = new LogReader(new MemoryFile(log))
  while (reader.next());
  const salvage = new LogSalvage(new MemoryFile(log))
  while (salvage.next());
  const { fault } = reader
  const read =
    fault === undefined ? 'end' : fault.kind === 'room' ? `room at ${fault.offset}` : `fault at ${fault.offset}`
  return [read, salvage.gaps.map(({ offset, bytes }) => `${offset}+${bytes}`).join(' ')]
}

function changed(log: Uint8Array, at: number): Uint8Array {
  const copy = log.slice()
  copy[at] ^= 1
  return copy
}

/** Of one record that fills the rest of the room, in each of its blocks. */
const HEADERS = (ROOM_BYTES / BLOCK_BYTES) * HEADER_BYTES
/** Of a record that is a batch without an entry. */
const BEGINNING_BYTES = HEADER_BYTES + Batch.HEADER_BYTES
const ROOM = logIn(BLOCK_BYTES, 93)
const LOGS: readonly (readonly [what: string, log: Uint8Array, read: string, gaps: string])[] = [
  ['zeros to the end of the block', ROOM, 'room at 100', ''],
  ['zeros in the block after a full one', logIn(2 * BLOCK_BYTES, BLOCK_BYTES - 7), 'room at 32768', ''],
  ['zeros behind the trailer of a block', logIn(2 * BLOCK_BYTES, BLOCK_BYTES - 10), 'room at 32768', ''],
  ['no zeros', logIn(100, 93), 'end', ''],
  ['zeros up to somewhere', ROOM.slice(0, 5000), 'fault at 100', '100+4900'],
  ['zeros of several blocks', logIn(ROOM_BYTES, 93), 'room at 100', ''],
  ['as many zeros as may be', logIn(BLOCK_BYTES + ROOM_BYTES, BLOCK_BYTES - 7), 'room at 32768', ''],
  ['a block of zeros more', logIn(2 * BLOCK_BYTES + ROOM_BYTES, BLOCK_BYTES - 7), 'fault at 32768', '32768+163840'],
  ['a byte among the zeros', changed(ROOM, 20_000), 'fault at 100', '100+32668'],
  ['a byte at the end of the zeros', changed(ROOM, BLOCK_BYTES - 1), 'fault at 100', '100+32668'],
  ['a byte in a block behind', changed(logIn(ROOM_BYTES, 93), ROOM_BYTES - 1), 'fault at 100', '100+130972'],
  ['zeros from the first byte on', new Uint8Array(BLOCK_BYTES), 'fault at 0', '0+32768'],
  ['zeros in place of a log’s first marker, and no more', new Uint8Array(BEGINNING_BYTES), 'room at 0', ''],
  ['zeros in place of a part of that', new Uint8Array(BEGINNING_BYTES - 1), 'fault at 0', '0+18'],
  ['zeros in place of it and of a byte', new Uint8Array(BEGINNING_BYTES + 1), 'fault at 0', '0+20'],
  ['other bytes in place of it', changed(new Uint8Array(BEGINNING_BYTES), 18), 'fault at 0', '0+19'],
  [
    'zeros in place of the end of a record',
    logIn(2 * BLOCK_BYTES, 40_000).fill(0, BLOCK_BYTES),
    'fault at 0',
    '0+65536',
  ],
]

for (const [what, log, read, gaps] of LOGS) {
  test(`${what}: ${read}`, () => assert.deepEqual(endOf(log), [read, gaps]))
}

test('room ends where a block does, and there always is some', () => {
  const limits = [1, 100, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1].map((bytes) => roomLimit(bytes))
  assert.deepEqual(
    limits,
    [0, 0, 0, 1, 1].map((blocks) => blocks * BLOCK_BYTES + ROOM_BYTES),
  )
})

test('room is made where there is none left, is given back at the end, and is not made behind a failure', () => {
  const asked: number[] = []
  const file = Object.assign(new MemoryWritableFile(), { reserve: (bytes: number) => void asked.push(bytes) })
  const add = (writer: LogWriter, length: number): void => {
    writer.add(new Uint8Array(length), 0, length)
    writer.flush()
    writer.makeRoom()
  }
  const writer = new LogWriter(file)
  add(writer, 93)
  add(writer, ROOM_BYTES - writer.bytes - HEADERS - 1)
  assert.deepEqual(asked, [ROOM_BYTES])
  add(writer, 0)
  assert.deepEqual(asked, [ROOM_BYTES, 2 * ROOM_BYTES])
  writer.fail(new Error('told'))
  writer.makeRoom()
  writer.close()
  assert.deepEqual(asked.splice(0), [ROOM_BYTES, 2 * ROOM_BYTES, 0])
  const failed = new LogWriter(file)
  failed.fail(new Error('told'))
  failed.makeRoom()
  failed.close()
  assert.deepEqual(asked, [])
  const full = new LogWriter(Object.assign(new MemoryWritableFile(), { reserve: file.reserve }))
  add(full, 1)
  add(full, ROOM_BYTES - full.bytes - HEADERS)
  assert.deepEqual(asked, [ROOM_BYTES, 2 * ROOM_BYTES], 'as many bytes as there was room for')
})

test('a dump says what it is', () => {
  const lines = [...dumpLog(new MemoryFile(ROOM), { hex: false, maxBytes: 20 })]
  assert.ok(lines.includes('  @100 room for more: 32,668 bytes of zeros'), lines.join('\n'))
})

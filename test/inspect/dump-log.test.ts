/**
 * Write-ahead logs as text.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writeHeader } from '../../src/batch/batch-format.ts'
import { WriteBatch } from '../../src/batch/write-batch.ts'
import { dumpLog } from '../../src/inspect/dump-log.ts'
import { LogWriter } from '../../src/log/log-writer.ts'
import { MemoryFile, MemoryWritableFile } from '../support/memory-file.ts'

const STYLE = { hex: false, maxBytes: 8 }

function logOf(...records: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const file = new MemoryWritableFile()
  const writer = new LogWriter(file)
  for (const record of records) writer.add(record, 0, record.length)
  writer.flush()
  return file.contents()
}

function batchAt(sequence: number, batch: WriteBatch): Uint8Array {
  const bytes = batch.encoded().slice()
  writeHeader(bytes, 0, sequence, batch.count)
  return bytes
}

function dump(bytes: Uint8Array): string[] {
  return [...dumpLog(new MemoryFile(bytes), STYLE)]
}

const MARKER = batchAt(1, new WriteBatch())
const FIRST = batchAt(1, new WriteBatch().put('a', 'short').put('b', 'a longer value'))
const SECOND = batchAt(3, new WriteBatch().delete('a').put(Uint8Array.of(0, 255), ''))

test('a log is shown record by record: offsets, sequences, ops, markers', () => {
  assert.deepEqual(dump(logOf(MARKER, FIRST, SECOND)), [
    '  @0 marker, sequence 1',
    '  @19 batch, sequence 1, 2 ops, 39 bytes',
    "    1 put 'a' = 'short'",
    "    2 put 'b' = 'a longer…' (14 bytes)",
    '  @65 batch, sequence 3, 2 ops, 20 bytes',
    "    3 del 'a'",
    "    4 put 0x00ff = ''",
    '  end: 2 batches, 4 ops, 1 marker',
  ])
})

test('a range delete shows its start and its end', () => {
  assert.deepEqual(dump(logOf(batchAt(5, new WriteBatch().deleteRange('user:', 'user;').delete('x')))), [
    '  @0 batch, sequence 5, 2 ops, 28 bytes',
    "    5 del-range 'user:' .. 'user;'",
    "    6 del 'x'",
    '  end: 1 batch, 2 ops, 0 markers',
  ])
})

test('an empty log has an end and nothing else', () => {
  assert.deepEqual(dump(new Uint8Array(0)), ['  end: 0 batches, 0 ops, 0 markers'])
})

test('a log that was cut off says where, and how much follows', () => {
  const whole = logOf(MARKER, FIRST)
  assert.deepEqual(dump(whole.slice(0, -3)), [
    '  @0 marker, sequence 1',
    '  @19 fault: file ends inside a record (as a write that was cut off leaves it); 43 of 62 bytes follow',
    '  end: 0 batches, 0 ops, 1 marker',
  ])
})

test('what can be read beyond damage is shown as well', () => {
  const bytes = logOf(FIRST, SECOND, FIRST)
  bytes[20] ^= 1
  assert.deepEqual(dump(bytes), [
    '  @0 fault: checksum mismatch; 119 of 119 bytes follow',
    '  readable records beyond it, which recovery does not use:',
    '  @46 batch, sequence 3, 2 ops, 20 bytes',
    "    3 del 'a'",
    "    4 put 0x00ff = ''",
    '  @73 batch, sequence 1, 2 ops, 39 bytes',
    "    1 put 'a' = 'short'",
    "    2 put 'b' = 'a longer…' (14 bytes)",
    '  end: 0 batches, 0 ops, 0 markers',
  ])
})

test('a record whose checksum is right and whose batch is not shows the ops before the damage', () => {
  const short = FIRST.slice(0, -1)
  assert.deepEqual(dump(logOf(short, Uint8Array.of(1, 2, 3))), [
    '  @0 batch, sequence 1, 2 ops, 38 bytes',
    "    1 put 'a' = 'short'",
    '    damage: batch op is cut short',
    '  @45 no batch: 3 bytes, 0x010203',
    '  end: 1 batch, 2 ops, 0 markers',
  ])
})

test('a record of many fragments is one batch', () => {
  const large = batchAt(7, new WriteBatch().put('k', new Uint8Array(100_000)))
  assert.deepEqual(dump(logOf(large)).slice(0, 2), [
    '  @0 batch, sequence 7, 1 op, 100,018 bytes',
    "    7 put 'k' = 0x0000000000000000… (100000 bytes)",
  ])
})

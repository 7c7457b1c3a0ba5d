/**
 * MANIFESTs as text.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeInternalKey } from '../../src/base/internal-key.ts'
import { fileNumber, sequenceNumber } from '../../src/base/types.ts'
import { dumpManifest } from '../../src/inspect/dump-manifest.ts'
import { LogWriter } from '../../src/log/log-writer.ts'
import { encodeEdit } from '../../src/version/version-edit.ts'
import { MemoryFile, MemoryWritableFile } from '../support/memory-file.ts'
import { bytesOf, deleteEntry, type Entry, putEntry } from '../table/entries.ts'

function manifestOf(...records: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const file = new MemoryWritableFile()
  const writer = new LogWriter(file)
  for (const record of records) writer.add(record, 0, record.length)
  writer.flush()
  return file.contents()
}

function dump(bytes: Uint8Array): string[] {
  return [...dumpManifest(new MemoryFile(bytes), { hex: false, maxBytes: 16 })]
}

function internal({ key, low, high }: Entry): Uint8Array {
  return encodeInternalKey(key, 0, key.length, low, high)
}

const SMALLEST = internal(putEntry(bytesOf('a'), 5, bytesOf('')))
const LARGEST = internal(deleteEntry(Uint8Array.of(0xff), 9))
const COUNTERS = encodeEdit({
  comparator: 'leveldb.BytewiseComparator',
  logNumber: fileNumber(3),
  previousLog: fileNumber(0),
  nextFile: fileNumber(5),
  lastSequence: sequenceNumber(1234),
})
const FILES = encodeEdit({
  compactPointers: [{ level: 1, key: SMALLEST }],
  deletedFiles: [{ level: 0, number: fileNumber(4) }],
  newFiles: [{ level: 2, file: { number: fileNumber(7), bytes: 5820, smallest: SMALLEST, largest: LARGEST } }],
})

test('a manifest is shown edit by edit, field by field', () => {
  assert.deepEqual(dump(manifestOf(COUNTERS, FILES)), [
    '  @0 edit, 37 bytes',
    '    comparator      leveldb.BytewiseComparator',
    '    log number      3 (000003.log)',
    '    previous log    0',
    '    next file       5',
    '    last sequence   1,234',
    '  @44 edit, 40 bytes',
    "    compact pointer level 1, 'a' @5 put",
    '    deleted file    level 0, 000004.ldb',
    "    new file        level 2, 000007.ldb, 5,820 bytes, 'a' @5 put → 0xff @9 del",
    '  end: 2 edits',
  ])
})

test('an edit that cannot be read is shown as bytes, and the next one is read', () => {
  const lines = dump(manifestOf(Uint8Array.of(99, 1, 2), encodeEdit({ nextFile: fileNumber(5) })))
  assert.deepEqual(lines, [
    '  @0 edit, 3 bytes',
    '    damage: version edit has the unknown field 99',
    '    bytes: 0x630102',
    '  @10 edit, 2 bytes',
    '    next file       5',
    '  end: 2 edits',
  ])
})

test('a manifest that was cut off says where', () => {
  const bytes = manifestOf(COUNTERS, FILES)
  const lines = dump(bytes.slice(0, 50))
  assert.deepEqual(lines.slice(-2), [
    '  @44 fault: file ends inside a header (as a write that was cut off leaves it); 6 of 50 bytes follow',
    '  end: 1 edit',
  ])
})

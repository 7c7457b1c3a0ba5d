/**
 * Tests of the log's framing: what LogWriter writes for records of chosen lengths, what LogReader reads of it, and what it
 * says of a file that is cut short or damaged (testdata/log); and that every log of LevelDB's own is written the same.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { toHex } from '../../src/base/bytes.ts'
import { IOError } from '../../src/base/errors.ts'
import { Prng } from '../../src/base/prng.ts'
import { LogReader } from '../../src/log/log-reader.ts'
import { LogWriter } from '../../src/log/log-writer.ts'
import { type Command, runDatadriven } from '../support/datadriven.ts'
import { MemoryFile, MemoryWritableFile } from '../support/memory-file.ts'
import { testdata } from '../support/paths.ts'

const TYPES = ['ZERO', 'FULL', 'FIRST', 'MIDDLE', 'LAST']

/** Record i of a test is filled with the byte i + 1. */
function record(index: number, length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).fill(index + 1)
}

function writeRecords(records: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const file = new MemoryWritableFile()
  const writer = new LogWriter(file)
  for (const bytes of records) writer.add(bytes, 0, bytes.length)
  writer.flush()
  assert.equal(writer.bytes, file.contents().length)
  return file.contents()
}

interface Read {
  readonly records: { readonly start: number; readonly end: number; readonly bytes: Uint8Array }[]
  readonly reader: LogReader
}

function readRecords(bytes: Uint8Array): Read {
  const reader = new LogReader(new MemoryFile(bytes))
  const records: Read['records'] = []
  while (reader.next()) {
    const { recordStart: start, recordBuf, recordOff, recordLen } = reader
    records.push({ start, end: endOf(bytes, start), bytes: recordBuf.slice(recordOff, recordOff + recordLen) })
  }
  assert.equal(reader.next(), false, 'a reader that has stopped stays stopped')
  return { records, reader }
}

/** Where the record that begins at `start` ends: after a fragment that is a whole record, or the last of one. */
function endOf(log: Uint8Array, start: number): number {
  for (let at = start; ; ) {
    const left = 32768 - (at % 32768)
    if (left < 7) at += left
    const type = TYPES[log[at + 6]]
    at += 7 + (log[at + 4] | (log[at + 5] << 8))
    if (type === 'FULL' || type === 'LAST') return at
  }
}

/** The fragments of a well-formed log, one a line. */
function fragments(bytes: Uint8Array): string {
  const lines: string[] = []
  for (let at = 0; at < bytes.length; ) {
    const left = 32768 - (at % 32768)
    if (left < 7) {
      lines.push(`${at} trailer ${left}`)
      at += left
      continue
    }
    const length = bytes[at + 4] | (bytes[at + 5] << 8)
    lines.push(`${at} ${TYPES[bytes[at + 6]]} ${length}`)
    at += 7 + length
  }
  return lines.join('\n')
}

function describeRead(bytes: Uint8Array): string {
  const { records, reader } = readRecords(bytes)
  const lines = records.map(({ start, end, bytes: { length } }) => `record of ${length} bytes at ${start} to ${end}`)
  const { fault } = reader
  if (fault === undefined) lines.push('end')
  else
    lines.push(`stops at ${fault.offset}: ${fault.reason}${fault.kind === 'cut-off' ? ', at the end of the file' : ''}`)
  return lines.join('\n')
}

/** Holds the log of the last `write` of a transcript. */
class LogTranscript {
  #log: Uint8Array<ArrayBuffer> = new Uint8Array(0)

  handle(command: Command): string {
    switch (command.name) {
      case 'write':
        this.#log = writeRecords(command.list('lengths').map((length, i) => record(i, Number(length))))
        return fragments(this.#log)
      case 'write-text':
        this.#log = writeRecords(command.lines.map((line) => new TextEncoder().encode(line)))
        return toHex(this.#log)
      case 'bytes':
        this.#log = new Uint8Array(Buffer.from(command.input.replace(/#.*/g, '').replace(/\s/g, ''), 'hex'))
        return describeRead(this.#log)
      case 'read':
        return describeRead(this.#damaged(command))
      case 'find': {
        const reader = new LogReader(new MemoryFile(this.#damaged(command)))
        const length = command.number('length')
        return String(reader.findRecordAfter(command.number('from'), (_bytes, _offset, len) => len === length))
      }
      default:
        return command.unknown()
    }
  }

  #damaged(command: Command): Uint8Array<ArrayBuffer> {
    const bytes = this.#log.slice(0, command.number('truncate', this.#log.length))
    for (const offset of command.list('flip')) bytes[Number(offset)] ^= 0xff
    if (command.has('zero')) {
      const [from, to] = command.list('zero')
      bytes.fill(0, Number(from), Number(to))
    }
    if (!command.has('append')) return bytes
    const longer = new Uint8Array(bytes.length + command.number('append'))
    longer.set(bytes)
    return longer
  }
}

for (const name of readdirSync(testdata('log')).sort()) {
  test(`the log transcript ${name} is as written`, () => {
    const transcript = new LogTranscript()
    runDatadriven(testdata('log', name), (command) => transcript.handle(command))
  })
}

for (let left = 0; left <= 20; left++) {
  test(`records of any lengths are read back as they were written, ${left} bytes before the end of a block`, () => {
    const first = record(0, 32768 - 7 - left)
    for (const length of [0, 1, 6, 7, 8, 13, 14, 20, 32760, 32761, 32762, 70000]) {
      const records = [first, record(1, length), record(2, 5)]
      const { records: found, reader } = readRecords(writeRecords(records))
      assert.equal(reader.fault, undefined)
      assert.deepEqual(
        found.map(({ bytes }) => Buffer.from(bytes)),
        records.map((bytes) => Buffer.from(bytes)),
        `length ${length}`,
      )
    }
  })

  test(`a writer knows beforehand which records it splits, ${left} bytes before the end of a block`, () => {
    for (let length = 0; length <= 24; length++) {
      const file = new MemoryWritableFile()
      const writer = new LogWriter(file)
      writer.add(record(0, 32768 - 7 - left), 0, 32768 - 7 - left)
      const isSplit = writer.splits(length)
      writer.add(record(1, length), 0, length)
      writer.flush()
      const ofRecord = fragments(file.contents())
        .split('\n')
        .slice(1)
        .filter((line) => !line.includes('trailer'))
      assert.equal(isSplit, ofRecord.length > 1, `${length} bytes`)
    }
  })
}

test('the bytes that no header fits into are zeros, whatever the buffer held before', () => {
  for (let left = 1; left <= 6; left++) {
    const file = new MemoryWritableFile()
    const writer = new LogWriter(file)
    const first = 32768 - 7 - left
    for (const length of [first, 10, 32768 - 7 - 17 - left, 10]) {
      writer.add(new Uint8Array(length).fill(0xff), 0, length)
      writer.flush()
    }
    const log = file.contents()
    for (const end of [32768, 65536]) assert.deepEqual([...log.subarray(end - left, end)], new Array(left).fill(0))
    assert.equal(log[32768 - left - 1] & log[65536 - left - 1], 0xff)
  }
})

test('a record longer than the reading window is put together', () => {
  const prng = new Prng(1)
  const long = Uint8Array.from({ length: 1_500_000 }, () => prng.below(256))
  const { records, reader } = readRecords(writeRecords([record(0, 10), long, record(2, 10)]))
  assert.equal(reader.fault, undefined)
  assert.equal(Buffer.compare(records[1].bytes, long), 0)
})

test('of every truncation the whole records before it are read, and no other', () => {
  const log = writeRecords([record(0, 5), record(1, 0), record(2, 32760), record(3, 40_000), record(4, 9)])
  const whole = readRecords(log).records
  for (let bytes = 0; bytes <= log.length; bytes++) {
    if (bytes > 60 && bytes < log.length - 60 && bytes % 997 !== 0 && bytes % 32768 > 20 && bytes % 32768 < 32748)
      continue
    const { records, reader } = readRecords(log.subarray(0, bytes))
    const expected = whole.filter(({ end }) => end <= bytes)
    assert.equal(records.length, expected.length, `${bytes} bytes`)
    const isClean = bytes === (expected.at(-1)?.end ?? 0) || isTrailer(log, expected.at(-1)?.end ?? 0, bytes)
    assert.equal(reader.fault === undefined, isClean, `${bytes} bytes: ${reader.fault?.reason}`)
    if (reader.fault !== undefined) assert.equal(reader.fault.kind, 'cut-off', `${bytes} bytes`)
    if (reader.fault !== undefined) assert.equal(reader.fault.offset, whole[expected.length].start, `${bytes} bytes`)
  }
})

/** Whether [from, to) lies in a block's trailer, where nothing can begin. */
function isTrailer(log: Uint8Array, from: number, to: number): boolean {
  const end = Math.ceil(from / 32768) * 32768
  return end - from < 7 && to <= end && to <= log.length
}

test('a flipped bit is noticed wherever it is, and the records before it are read', () => {
  const log = writeRecords([record(0, 5), record(1, 0), record(2, 33), record(3, 9)])
  const whole = readRecords(log).records
  for (let bit = 0; bit < log.length * 8; bit++) {
    const damaged = log.slice()
    damaged[bit >> 3] ^= 1 << (bit & 7)
    const { records, reader } = readRecords(damaged)
    const expected = whole.filter(({ end }) => end <= bit >> 3)
    assert.equal(records.length, expected.length, `bit ${bit}`)
    assert.equal(reader.fault?.offset, whole[expected.length].start, `bit ${bit}`)
  }
})

test('after a failed append the writer takes nothing more', () => {
  const file = new MemoryWritableFile()
  const writer = new LogWriter(file)
  writer.add(record(0, 5), 0, 5)
  file.isClosed = true
  assert.throws(() => writer.flush(), IOError)
  file.isClosed = false
  writer.add(record(1, 5), 0, 5)
  assert.throws(() => writer.flush(), IOError)
  assert.throws(() => writer.sync(), IOError)
  assert.throws(() => writer.syncLater(), IOError)
  assert.equal(file.contents().length, 0)
})

test('after a failed sync the writer takes nothing more, though the sync that failed is over', () => {
  const file = new MemoryWritableFile()
  const writer = new LogWriter(file)
  writer.add(record(0, 5), 0, 5)
  file.isSyncBroken = true
  assert.throws(() => writer.sync(), IOError)
  file.isSyncBroken = false
  assert.equal(file.contents().length, 12)
  writer.add(record(1, 5), 0, 5)
  for (const refused of [() => writer.flush(), () => writer.sync(), () => writer.syncLater()]) {
    assert.throws(refused, {
      name: 'IOError',
      message: /takes no more writes after an earlier failure/,
      file: 'memory',
    })
  }
  assert.equal(file.contents().length, 12)
})

test('several records cost one append, and what is not flushed is not in the file', () => {
  const file = new MemoryWritableFile()
  const writer = new LogWriter(file)
  for (let i = 0; i < 10; i++) writer.add(record(i, 1000), 0, 1000)
  assert.deepEqual([file.appendCount, writer.bufferedBytes, writer.bytes], [0, 10_070, 10_070])
  writer.flush()
  writer.flush()
  assert.deepEqual([file.appendCount, writer.bufferedBytes, file.contents().length], [1, 0, 10_070])
})

for (const name of readdirSync(testdata('golden')).sort()) {
  test(`LevelDB's log of ${name} is read to its end, and written again byte by byte`, () => {
    const log = new Uint8Array(readFileSync(testdata('golden', name, '000003.log')))
    const { records, reader } = readRecords(log)
    assert.equal(reader.fault, undefined)
    assert.ok(records.length > 0)
    assert.equal(Buffer.compare(writeRecords(records.map(({ bytes }) => bytes)), log), 0)
  })
}

test('a writer refuses everything once it is told of a failure', () => {
  const writer = new LogWriter(new MemoryWritableFile())
  writer.fail(new Error('told'))
  assert.throws(() => writer.flush(), IOError)
})

test('a writer that had a large record goes on after it, with what it had buffered', () => {
  const file = new MemoryWritableFile()
  const writer = new LogWriter(file)
  const records = [record(0, 10), record(1, 5_000_000), record(2, 10), record(3, 100_000)]
  for (const bytes of records.slice(0, 2)) writer.add(bytes, 0, bytes.length)
  writer.flush()
  for (const bytes of records.slice(2)) writer.add(bytes, 0, bytes.length)
  writer.sync()
  assert.deepEqual([file.appendCount, file.syncCount, writer.bytes], [2, 1, file.contents().length])
  const { records: found } = readRecords(file.contents())
  assert.deepEqual(
    found.map(({ bytes }) => [bytes.length, bytes[0], bytes.at(-1)]),
    records.map((bytes) => [bytes.length, bytes[0], bytes.at(-1)]),
  )
})

test('short records out of large and small buffers, flushed in between, are each the bytes of their own buffer', () => {
  const file = new MemoryWritableFile()
  const writer = new LogWriter(file)
  const buffers = [record(0, 5_000_000), record(1, 1000), record(2, 5_000_000)]
  const order = [0, 0, 1, 0, 2, 1, 2]
  for (const [i, from] of order.entries()) {
    writer.add(buffers[from], 500 + i, 100 + i)
    if (i % 3 !== 1) writer.flush()
  }
  writer.flush()
  assert.deepEqual(
    readRecords(file.contents()).records.map(({ bytes }) => bytes),
    order.map((from, i) => record(from, 100 + i)),
  )
})

test('a reader that has read nothing has an empty record at the beginning, and no fault', () => {
  const reader = new LogReader(new MemoryFile(writeRecords([record(0, 10)])))
  const { recordBuf, recordOff, recordLen, recordStart, fault } = reader
  assert.ok(recordBuf instanceof Uint8Array)
  assert.deepEqual([recordOff, recordLen, recordStart, fault], [0, 0, 0, undefined])
})

test('a reader that has gone far finds records that lie before its window', () => {
  const lengths = [10, 700_000, 20, 700_000, 30]
  const log = writeRecords(lengths.map((length, i) => record(i, length)))
  const reader = new LogReader(new MemoryFile(log))
  const starts: number[] = []
  while (reader.next()) starts.push(reader.recordStart)
  for (const i of [4, 0, 2, 4, 2, 0]) {
    const wanted = lengths[i]
    const from = Math.max(0, starts[i] - 5)
    const find = (start: number): number =>
      reader.findRecordAfter(start, (bytes, offset, length) => length === wanted && bytes[offset] === i + 1)
    assert.equal(find(from), starts[i])
    assert.equal(find(starts[i]), starts[i])
    assert.equal(find(starts[i] + 1), -1)
  }
})

/**
 * Tests of version edits: their bytes (testdata/version), every refusal, and that whatever is decoded is encoded again.
 */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { toHex } from '../../src/base/bytes.ts'
import { Prng } from '../../src/base/prng.ts'
import { fileNumber, sequenceNumber } from '../../src/base/types.ts'
import { decodeEdit, encodeEdit, type VersionEdit } from '../../src/version/version-edit.ts'
import { type Command, runDatadriven } from '../support/datadriven.ts'
import { testdata } from '../support/paths.ts'

function decode(bytes: Uint8Array): VersionEdit | string {
  // Not at the start of its buffer, and not at its end: an edit is read from where it is.
  const shifted = new Uint8Array(bytes.length + 9).fill(0xff)
  shifted.set(bytes, 4)
  return decodeEdit(shifted, 4, bytes.length)
}

/** An edit, one field a line, in the order in which it is written. */
function describe(edit: VersionEdit): string {
  const lines: string[] = []
  if (edit.comparator !== undefined) lines.push(`comparator ${edit.comparator}`)
  if (edit.logNumber !== undefined) lines.push(`log ${edit.logNumber}`)
  if (edit.previousLog !== undefined) lines.push(`previous log ${edit.previousLog}`)
  if (edit.nextFile !== undefined) lines.push(`next file ${edit.nextFile}`)
  if (edit.lastSequence !== undefined) lines.push(`last sequence ${edit.lastSequence}`)
  for (const { level, key } of edit.compactPointers ?? []) lines.push(`compact pointer ${level} ${toHex(key)}`)
  for (const { level, number } of edit.deletedFiles ?? []) lines.push(`deleted ${level} ${number}`)
  for (const { level, file } of edit.newFiles ?? []) {
    lines.push(`new ${level} ${file.number}: ${file.bytes} bytes, ${toHex(file.smallest)} to ${toHex(file.largest)}`)
  }
  return lines.join('\n')
}

function handle(command: Command): string {
  if (command.name !== 'decode') return command.unknown()
  const bytes = new Uint8Array(Buffer.from(command.input.replace(/#.*/g, '').replace(/\s/g, ''), 'hex'))
  const edit = decode(bytes)
  if (typeof edit === 'string') return `refused: ${edit}`
  const again = toHex(encodeEdit(edit))
  return [describe(edit), again === toHex(bytes) ? 'encodes to the same bytes' : `encodes to ${again}`]
    .filter(Boolean)
    .join('\n')
}

for (const name of readdirSync(testdata('version')).sort()) {
  test(`the version edits of ${name} are as written`, () => runDatadriven(testdata('version', name), handle))
}

const key = new Uint8Array([0x61, 1, 2, 3, 4, 5, 6, 7, 8])

/** All fields, with numbers around the ends of their ranges. */
const full: VersionEdit = {
  comparator: 'leveldb.BytewiseComparator',
  logNumber: fileNumber(127),
  previousLog: fileNumber(0),
  nextFile: fileNumber(2 ** 32),
  lastSequence: sequenceNumber(Number.MAX_SAFE_INTEGER),
  compactPointers: [{ level: 3, key }],
  deletedFiles: [
    { level: 0, number: fileNumber(128) },
    { level: 6, number: fileNumber(1) },
  ],
  newFiles: [
    { level: 0, file: { number: fileNumber(16384), bytes: Number.MAX_SAFE_INTEGER, smallest: key, largest: key } },
    { level: 6, file: { number: fileNumber(5), bytes: 0, smallest: key, largest: new Uint8Array(300).fill(7) } },
  ],
}

test('an edit with every field is read as it was written', () => {
  const edit = decode(encodeEdit(full))
  assert.ok(typeof edit !== 'string')
  assert.equal(describe(edit), describe(full))
})

test('deleted files are written in order of level and number, whatever their order in the edit', () => {
  const reversed = { ...full, deletedFiles: [...full.deletedFiles!].reverse() }
  assert.equal(toHex(encodeEdit(reversed)), toHex(encodeEdit(full)))
})

test('every truncation of an edit is refused, unless it ends between two fields', () => {
  const bytes = encodeEdit(full)
  let read = 0
  for (let length = 0; length < bytes.length; length++) {
    const edit = decode(bytes.subarray(0, length))
    if (typeof edit === 'string') {
      assert.match(edit, /cut short|out of range|without a tag/)
      continue
    }
    assert.equal(toHex(encodeEdit(edit)), toHex(bytes, 0, length), `${length} bytes`)
    read++
  }
  // Before the first field, and after each but the last.
  assert.equal(read, 10)
})

test('arbitrary bytes are an edit that encodes, or are refused in words; nothing is thrown', () => {
  const seed = 20260101
  const prng = new Prng(seed)
  const valid = encodeEdit(full)
  for (let i = 0; i < 20_000; i++) {
    const bytes = valid.slice(0, 1 + prng.below(valid.length))
    for (let k = prng.below(6); k >= 0; k--) bytes[prng.below(bytes.length)] = prng.below(256)
    const edit = decode(bytes)
    if (typeof edit === 'string') continue
    const again = decode(encodeEdit(edit))
    assert.ok(typeof again !== 'string', `seed ${seed}, round ${i}`)
    assert.equal(describe(again), describe({ ...edit, deletedFiles: sorted(edit) }), `seed ${seed}, round ${i}`)
  }
})

function sorted({ deletedFiles = [] }: VersionEdit): NonNullable<VersionEdit['deletedFiles']> {
  return [...deletedFiles].sort((a, b) => a.level - b.level || a.number - b.number)
}

test('a decoded edit shares no memory with what it was read from', () => {
  const bytes = encodeEdit(full)
  const edit = decodeEdit(bytes, 0, bytes.length)
  bytes.fill(0xaa)
  assert.ok(typeof edit !== 'string')
  assert.equal(describe(edit), describe(full))
})

test('deleted files of one level are written by number, after those of the levels above', () => {
  const place = (level: number, number: number): { level: number; number: ReturnType<typeof fileNumber> } => ({
    level,
    number: fileNumber(number),
  })
  const written = decode(
    encodeEdit({ deletedFiles: [place(2, 9), place(1, 300), place(2, 4), place(0, 301), place(1, 7)] }),
  )
  assert.ok(typeof written !== 'string')
  assert.deepEqual(written.deletedFiles, [place(0, 301), place(1, 7), place(1, 300), place(2, 4), place(2, 9)])
})

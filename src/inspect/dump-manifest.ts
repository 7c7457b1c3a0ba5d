/**
 * A MANIFEST, edit by edit and field by field, as text. An edit that cannot be read is shown as bytes, and the next one is
 * read all the same.
 */
import type { RandomAccessFile } from '../base/environment.ts'
import { logName, tableName } from '../base/filename.ts'
import type { Bytes } from '../base/types.ts'
import { LogReader } from '../log/log-reader.ts'
import { decodeEdit, type VersionEdit } from '../version/version-edit.ts'
import { describeFault } from './dump-fault.ts'
import { showInternalKey } from './dump-key.ts'
import { showCount, showPlural } from './figures.ts'
import { type BytesStyle, quoteBytes, showBytes } from './render-bytes.ts'

const encoder = new TextEncoder()

/** The lines of a dump, without line feeds. */
export function* dumpManifest(file: RandomAccessFile, style: BytesStyle): Generator<string> {
  const reader = new LogReader(file)
  let edits = 0
  while (reader.next()) {
    edits++
    yield `  @${reader.recordStart} edit, ${showCount(reader.recordLen)} bytes`
    yield* showEdit(reader.recordBuf, reader.recordOff, reader.recordLen, style)
  }
  if (reader.fault !== undefined) yield describeFault(reader.fault, file.bytes)
  yield `  end: ${showPlural(edits, 'edit')}`
}

function* showEdit(bytes: Bytes, offset: number, length: number, style: BytesStyle): Generator<string> {
  const edit = decodeEdit(bytes, offset, length)
  if (typeof edit !== 'string') {
    for (const [name, value] of fields(edit, style)) yield `    ${name.padEnd(15)} ${value}`
    return
  }
  yield `    damage: ${edit}`
  yield `    bytes: ${quoteBytes(bytes, offset, length, { ...style, hex: true })}`
}

function* fields(edit: VersionEdit, style: BytesStyle): Generator<[name: string, value: string]> {
  if (edit.comparator !== undefined) yield ['comparator', showBytes(encoder.encode(edit.comparator))]
  if (edit.logNumber !== undefined) yield ['log number', `${edit.logNumber} (${logName(edit.logNumber)})`]
  if (edit.previousLog !== undefined) yield ['previous log', String(edit.previousLog)]
  if (edit.nextFile !== undefined) yield ['next file', String(edit.nextFile)]
  if (edit.lastSequence !== undefined) yield ['last sequence', showCount(edit.lastSequence)]
  for (const { level, key } of edit.compactPointers ?? []) {
    yield ['compact pointer', `level ${level}, ${showInternalKey(key, 0, key.length, style)}`]
  }
  for (const { level, number } of edit.deletedFiles ?? [])
    yield ['deleted file', `level ${level}, ${tableName(number)}`]
  for (const { level, file } of edit.newFiles ?? []) {
    const [first, last] = [file.smallest, file.largest].map((key) => showInternalKey(key, 0, key.length, style))
    yield ['new file', `level ${level}, ${tableName(file.number)}, ${showCount(file.bytes)} bytes, ${first} → ${last}`]
  }
}

/**
 * VersionEdit: one change to the set of files that make up the database; one record of the MANIFEST.
 *
 * Format   field × n, each a varint32 tag and its payload:
 *   1 comparator   lps name              5 compact pointer  varint level | lps internal key
 *   2 log number   varint64              6 deleted file     varint level | varint64 number
 *   3 next file    varint64              7 new file         varint level | varint64 number | varint64 bytes
 *   4 last seq     varint64                                 | lps smallest internal key | lps largest internal key
 *   9 prev log     varint64
 * Written in the order 1 2 9 3 4 5 6 7, deleted files sorted; read in any order. Unknown tags are corruption.
 * Source   google/leveldb db/version_edit.cc
 */
import { grown } from '../base/bytes.ts'
import { putVarint, Reader, varintLength } from '../base/coding.ts'
import { TAG_BYTES } from '../base/internal-key.ts'
import {
  type Bytes,
  type FileNumber,
  fileNumber,
  type Level,
  type SequenceNumber,
  sequenceNumber,
} from '../base/types.ts'
import type { FileMetadata } from './file-metadata.ts'

/** Levels 0 to 6. */
export const LEVELS = 7

const COMPARATOR = 1
const LOG_NUMBER = 2
const NEXT_FILE = 3
const LAST_SEQUENCE = 4
const COMPACT_POINTER = 5
const DELETED_FILE = 6
const NEW_FILE = 7
const PREVIOUS_LOG = 9

export interface LevelKey {
  readonly level: Level
  /** Encoded internal key. */
  readonly key: Bytes
}

export interface LevelNumber {
  readonly level: Level
  readonly number: FileNumber
}

export interface LevelFile {
  readonly level: Level
  readonly file: FileMetadata
}

export interface VersionEdit {
  readonly comparator?: string
  /** Logs below this number hold nothing that is not in tables. */
  readonly logNumber?: FileNumber
  readonly previousLog?: FileNumber
  readonly nextFile?: FileNumber
  readonly lastSequence?: SequenceNumber
  readonly compactPointers?: readonly LevelKey[]
  readonly deletedFiles?: readonly LevelNumber[]
  readonly newFiles?: readonly LevelFile[]
}

const utf8 = new TextEncoder()
const fromUtf8 = new TextDecoder()

/** The edit as the MANIFEST stores it. */
export function encodeEdit(edit: VersionEdit): Uint8Array<ArrayBuffer> {
  const out = new FieldWriter()
  if (edit.comparator !== undefined) out.varint(COMPARATOR).string(utf8.encode(edit.comparator))
  if (edit.logNumber !== undefined) out.varint(LOG_NUMBER).varint(edit.logNumber)
  if (edit.previousLog !== undefined) out.varint(PREVIOUS_LOG).varint(edit.previousLog)
  if (edit.nextFile !== undefined) out.varint(NEXT_FILE).varint(edit.nextFile)
  if (edit.lastSequence !== undefined) out.varint(LAST_SEQUENCE).varint(edit.lastSequence)
  for (const { level, key } of edit.compactPointers ?? []) out.varint(COMPACT_POINTER).varint(level).string(key)
  for (const { level, number } of sorted(edit.deletedFiles ?? [])) out.varint(DELETED_FILE).varint(level).varint(number)
  for (const { level, file } of edit.newFiles ?? []) {
    out.varint(NEW_FILE).varint(level).varint(file.number).varint(file.bytes).string(file.smallest).string(file.largest)
  }
  return out.bytes()
}

function sorted(files: readonly LevelNumber[]): LevelNumber[] {
  return [...files].sort((a, b) => a.level - b.level || a.number - b.number)
}

/** An edit as it is read: with all lists, empty ones too. */
export interface DecodedEdit extends VersionEdit {
  readonly compactPointers: readonly LevelKey[]
  readonly deletedFiles: readonly LevelNumber[]
  readonly newFiles: readonly LevelFile[]
}

/**
 * Read an edit from bytes[offset, offset + length). The result shares no memory with `bytes`.
 * @returns the edit, or in words what is wrong with the bytes
 */
export function decodeEdit(bytes: Bytes, offset: number, length: number): DecodedEdit | string {
  const reader = new Reader(bytes, offset, offset + length)
  const edit: Mutable = { compactPointers: [], deletedFiles: [], newFiles: [] }
  while (reader.remaining > 0) {
    const tag = reader.varint32()
    if (reader.failed) return 'version edit is cut short'
    const fault = readField(reader, tag, edit)
    if (reader.failed) return `field ${tag} of a version edit is cut short or out of range`
    if (fault !== undefined) return fault
  }
  return edit
}

type Mutable = { -readonly [K in keyof VersionEdit]: VersionEdit[K] } & {
  compactPointers: LevelKey[]
  deletedFiles: LevelNumber[]
  newFiles: LevelFile[]
}

function readField(reader: Reader, tag: number, edit: Mutable): string | undefined {
  switch (tag) {
    case COMPARATOR:
      edit.comparator = fromUtf8.decode(reader.view().slice())
      return undefined
    case LOG_NUMBER:
      edit.logNumber = fileNumber(reader.varint64())
      return undefined
    case PREVIOUS_LOG:
      edit.previousLog = fileNumber(reader.varint64())
      return undefined
    case NEXT_FILE:
      edit.nextFile = fileNumber(reader.varint64())
      return undefined
    case LAST_SEQUENCE:
      edit.lastSequence = sequenceNumber(reader.varint64())
      return undefined
    case COMPACT_POINTER: {
      const level = reader.varint32()
      const key = reader.view().slice()
      edit.compactPointers.push({ level, key })
      return levelFault(level) ?? keyFault(key)
    }
    case DELETED_FILE: {
      const level = reader.varint32()
      edit.deletedFiles.push({ level, number: fileNumber(reader.varint64()) })
      return levelFault(level)
    }
    case NEW_FILE:
      return readNewFile(reader, edit)
    default:
      return `version edit has the unknown field ${tag}`
  }
}

function readNewFile(reader: Reader, edit: Mutable): string | undefined {
  const level = reader.varint32()
  const number = fileNumber(reader.varint64())
  const bytes = reader.varint64()
  const smallest = reader.view().slice()
  const largest = reader.view().slice()
  edit.newFiles.push({ level, file: { number, bytes, smallest, largest } })
  return levelFault(level) ?? keyFault(smallest) ?? keyFault(largest)
}

function levelFault(level: number): string | undefined {
  return level < LEVELS ? undefined : `version edit names the level ${level}`
}

function keyFault(key: Bytes): string | undefined {
  return key.length >= TAG_BYTES ? undefined : 'version edit has an internal key without a tag'
}

/** Appends varints and strings to a growing buffer. */
class FieldWriter {
  #buffer: Uint8Array<ArrayBuffer> = new Uint8Array(256)
  #end = 0

  varint(value: number): this {
    this.#reserve(varintLength(value))
    this.#end = putVarint(this.#buffer, this.#end, value)
    return this
  }

  string(bytes: Bytes): this {
    this.varint(bytes.length)
    this.#reserve(bytes.length)
    this.#buffer.set(bytes, this.#end)
    this.#end += bytes.length
    return this
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return this.#buffer.slice(0, this.#end)
  }

  #reserve(bytes: number): void {
    const needed = this.#end + bytes
    if (needed > this.#buffer.length) this.#buffer = grown(this.#buffer, this.#end, needed)
  }
}

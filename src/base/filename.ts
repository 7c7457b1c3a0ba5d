/**
 * The names of a database's files. The number is printed with at least six digits; any digit count is read.
 *
 *   NNNNNN.log       write-ahead log          MANIFEST-NNNNNN   version edits
 *   NNNNNN.ldb       table (.sst also read)   CURRENT           names the manifest: `MANIFEST-NNNNNN\n`
 *   NNNNNN.dbtmp     CURRENT being written    LOCK, LOG, LOG.old
 *
 * A number beyond 2^53 − 1 makes a foreign file, which varve leaves alone.
 * Source   google/leveldb db/filename.cc
 */
import { type FileNumber, fileNumber } from './types.ts'

/** What a file is, by its name; an `info-log` is LevelDB's own diary, LOG. */
export type FileType = 'log' | 'table' | 'manifest' | 'temporary' | 'current' | 'lock' | 'info-log'

export interface ParsedName {
  readonly type: FileType
  /** 0 for the files that have no number. */
  readonly number: FileNumber
}

export const CURRENT = 'CURRENT'
export const LOCK = 'LOCK'

export function logName(number: FileNumber): string {
  return `${digits(number)}.log`
}

export function tableName(number: FileNumber): string {
  return `${digits(number)}.ldb`
}

/** The name that LevelDB before 1.14 gave to tables. */
export function oldTableName(number: FileNumber): string {
  return `${digits(number)}.sst`
}

export function manifestName(number: FileNumber): string {
  return `MANIFEST-${digits(number)}`
}

export function temporaryName(number: FileNumber): string {
  return `${digits(number)}.dbtmp`
}

const FIXED_NAMES: ReadonlyMap<string, FileType> = new Map([
  [CURRENT, 'current'],
  [LOCK, 'lock'],
  ['LOG', 'info-log'],
  ['LOG.old', 'info-log'],
])

const EXTENSIONS: ReadonlyMap<string, FileType> = new Map([
  ['log', 'log'],
  ['ldb', 'table'],
  ['sst', 'table'],
  ['dbtmp', 'temporary'],
])

/** What a name says, or undefined for a foreign file. */
export function parseFileName(name: string): ParsedName | undefined {
  const fixed = FIXED_NAMES.get(name)
  if (fixed !== undefined) return { type: fixed, number: fileNumber(0) }
  const match = /^(?:MANIFEST-(\d+)|(\d+)\.(log|ldb|sst|dbtmp))$/.exec(name)
  if (match === null) return undefined
  const number = Number(match[1] ?? match[2])
  if (!Number.isSafeInteger(number)) return undefined
  const type = match[1] === undefined ? EXTENSIONS.get(match[3])! : 'manifest'
  return { type, number: fileNumber(number) }
}

/** Whether a name is, letter by letter, one that a database gives: `000005.log` is, `5.log` and `0000005.log` are not. */
export function isUsualName(name: string): boolean {
  const parsed = parseFileName(name)
  if (parsed === undefined) return false
  const { number } = parsed
  if (FIXED_NAMES.has(name)) return true
  if (number === 0) return false
  const forms = [logName, tableName, oldTableName, manifestName, temporaryName]
  return forms.some((form) => form(number) === name)
}

/** Numbers of the logs among the names of files, oldest first. */
export function logNumbers(names: readonly string[]): FileNumber[] {
  const logs = names.map(parseFileName).filter((parsed) => parsed?.type === 'log')
  return logs.map((parsed) => parsed?.number as FileNumber).sort((a, b) => a - b)
}

/** The last part of a path, of whichever host. */
export function baseName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1)
}

function digits(number: FileNumber): string {
  return String(number).padStart(6, '0')
}

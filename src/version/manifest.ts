/**
 * Manifest: the log of VersionEdits, and CURRENT, which names the manifest in use. An opening begins one, and so does the edit that
 * comes when it has become long (docs/rfcs/0026).
 *
 * Order of a switch   write MANIFEST-n, sync it → write NNNNNN.dbtmp, sync it → sync the directory → rename it to
 *                     CURRENT → sync the directory. Only then may anything be removed: before, the old manifest may be the one that a crash leaves.
 * Invariant           every edit is durable before its effect is visible or any file is removed for it
 * Source              google/leveldb db/version_set.cc, db/filename.cc (SetCurrentFile); reliability rules D2, D3, D6, D7
 */
import { closeQuietly } from '../base/close-all.ts'
import type { FileSystem, RandomAccessFile } from '../base/environment.ts'
import { CorruptionError } from '../base/errors.ts'
import { CURRENT, manifestName, temporaryName } from '../base/filename.ts'
import { type FileNumber, fileNumber } from '../base/types.ts'
import { LogReader } from '../log/log-reader.ts'
import { LogWriter } from '../log/log-writer.ts'
import { type DecodedEdit, decodeEdit, encodeEdit, type VersionEdit } from './version-edit.ts'

const CURRENT_BYTES_MAX = 64

/**
 * The number of the manifest that CURRENT names, or undefined if there is no CURRENT.
 * @throws CorruptionError if CURRENT holds anything but `MANIFEST-<number>\n`
 */
export function readCurrent(files: FileSystem, directory: string): FileNumber | undefined {
  const path = files.join(directory, CURRENT)
  if (files.status(path) === undefined) return undefined
  const text = readSmall(files, path)
  const match = /^MANIFEST-(\d{6,20})\n$/.exec(text)
  const number = fileNumber(Number(match?.[1]))
  const isName = Number.isSafeInteger(number)
  if (isName && files.status(files.join(directory, manifestName(number))) !== undefined) return number
  const fault = isName ? 'names a manifest that is missing' : 'does not name a manifest'
  throw new CorruptionError(`CURRENT ${fault}${candidates(files, directory)}`, { file: path, offset: 0 })
}

function readSmall(files: FileSystem, path: string): string {
  const file = files.openRandomAccess(path)
  try {
    const bytes = new Uint8Array(Math.min(file.bytes, CURRENT_BYTES_MAX))
    file.read(0, bytes, 0, bytes.length)
    return String.fromCharCode(...bytes)
  } finally {
    file.close()
  }
}

/** For the message of an error: which manifests there are. */
function candidates(files: FileSystem, directory: string): string {
  const names = files.list(directory).filter((name) => name.startsWith('MANIFEST-'))
  return names.length === 0 ? '; there is no manifest' : `; there is ${names.join(', ')}`
}

/** What reading a manifest found. */
export interface ManifestContent {
  readonly edits: readonly DecodedEdit[]
  /** Size of the file. */
  readonly bytes: number
  /** Set if the manifest ends in a record that was cut off, which a crash may leave. */
  readonly tornAt: number | undefined
}

/**
 * Read all edits of a manifest.
 * @throws CorruptionError if a record is damaged, unless it is the last and was cut off
 */
export function readManifest(files: FileSystem, path: string): ManifestContent {
  const file = files.openRandomAccess(path)
  try {
    return readEdits(file)
  } finally {
    file.close()
  }
}

function readEdits(file: RandomAccessFile): ManifestContent {
  const reader = new LogReader(file)
  const edits: DecodedEdit[] = []
  while (reader.next()) {
    const edit = decodeEdit(reader.recordBuf, reader.recordOff, reader.recordLen)
    if (typeof edit === 'string') throw new CorruptionError(edit, { file: file.path, offset: reader.recordStart })
    edits.push(edit)
  }
  if (reader.fault === undefined) return { edits, bytes: file.bytes, tornAt: undefined }
  const { offset, reason } = reader.fault
  // A record is appended and synced alone, so damage before a readable record is no torn tail.
  const next = reader.findRecordAfter(
    offset + 1,
    (bytes, start, length) => typeof decodeEdit(bytes, start, length) !== 'string',
  )
  if (next >= 0) throw new CorruptionError(`manifest is damaged: ${reason}`, { file: file.path, offset })
  return { edits, bytes: file.bytes, tornAt: offset }
}

/** The manifest in use. Any failure is final: the file is never appended to again. */
export class ManifestWriter {
  readonly number: FileNumber
  readonly #log: LogWriter

  private constructor(number: FileNumber, log: LogWriter) {
    this.number = number
    this.#log = log
  }

  /** Write a manifest that starts with `edits`, and make it the current one. */
  static create(
    files: FileSystem,
    directory: string,
    number: FileNumber,
    edits: readonly VersionEdit[],
  ): ManifestWriter {
    const manifest = ManifestWriter.begin(files, directory, number, edits)
    try {
      manifest.sync()
      setCurrent(files, directory, number)
    } catch (error) {
      closeQuietly(() => manifest.close())
      throw error
    }
    return manifest
  }

  /** Begin a manifest with `edits`. It is neither durable nor current. @throws IOError; there is no such file then, if possible */
  static begin(
    files: FileSystem,
    directory: string,
    number: FileNumber,
    edits: readonly VersionEdit[],
  ): ManifestWriter {
    const path = files.join(directory, manifestName(number))
    const log = new LogWriter(files.createWritable(path))
    const manifest = new ManifestWriter(number, log)
    try {
      for (const edit of edits) manifest.#add(edit)
      log.flush()
    } catch (error) {
      closeQuietly(() => manifest.close())
      closeQuietly(() => files.remove(path))
      throw error
    }
    return manifest
  }

  /** Append an edit; it counts when it is durable. */
  append(edit: VersionEdit): void {
    this.#add(edit)
    this.#log.flush()
  }

  sync(): void {
    this.#log.sync()
  }

  get bytes(): number {
    return this.#log.bytes
  }

  close(): void {
    this.#log.close()
  }

  #add(edit: VersionEdit): void {
    const bytes = encodeEdit(edit)
    this.#log.add(bytes, 0, bytes.length)
  }
}

/**
 * Have CURRENT name the manifest of this number, which is there and durable.
 * @param temporaryNumber of the file that is renamed; another one where somebody else may be doing the same
 */
export function setCurrent(
  files: FileSystem,
  directory: string,
  number: FileNumber,
  temporaryNumber: FileNumber = number,
): void {
  prepareCurrent(files, directory, number, temporaryNumber)
  switchCurrent(files, directory, temporaryNumber)
}

/** The first part of setCurrent: a durable temporary file. CURRENT is not touched. @throws IOError; the file is then removed, if possible */
export function prepareCurrent(
  files: FileSystem,
  directory: string,
  number: FileNumber,
  temporaryNumber: FileNumber = number,
): void {
  const temporary = files.join(directory, temporaryName(temporaryNumber))
  const text = new TextEncoder().encode(`${manifestName(number)}\n`)
  const file = files.createWritable(temporary)
  try {
    try {
      file.append(text, 0, text.length)
      file.sync()
    } finally {
      file.close()
    }
    // CURRENT must never survive a crash without the manifest that it names.
    files.syncDirectory(directory)
  } catch (error) {
    closeQuietly(() => files.remove(temporary))
    throw error
  }
}

/** The second part: the temporary file becomes CURRENT, durably. */
export function switchCurrent(files: FileSystem, directory: string, temporaryNumber: FileNumber): void {
  files.rename(files.join(directory, temporaryName(temporaryNumber)), files.join(directory, CURRENT))
  files.syncDirectory(directory)
}

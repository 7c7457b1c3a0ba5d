/**
 * restore: a database from a backup stream, in a directory of its own.
 *
 * Order       files as the stream gives them, each synced at its end → the stream's end has been seen, and checked → the MANIFEST
 *             is read, and every file that it names is there, with its size, and no other → the logs are read, for the last
 *             sequence → CURRENT
 * Hostile     names are taken from a fixed set of forms (db/copies/backup-format.ts), files are only ever created, nothing is allocated
 *             for a length that the stream claims; a stream that is not right to its last byte leaves no database
 */
import { assert } from '../base/assert.ts'
import { closeQuietly } from '../base/close-all.ts'
import type { FileSystem, WritableFile } from '../base/environment.ts'
import { CorruptionError, InvalidArgumentError } from '../base/errors.ts'
import { CURRENT, logName, logNumbers, type ParsedName, parseFileName, temporaryName } from '../base/filename.ts'
import { isUint8Array } from '../base/text.ts'
import { type Bytes, type FileNumber, sequenceNumber } from '../base/types.ts'
import { promised } from '../db/call-options.ts'
import { BackupDecoder, type BackupSink } from '../db/copies/backup-format.ts'
import { checkTarget } from '../db/copies/checkpoint.ts'
import type { Steps } from '../db/copies/long-runs.ts'
import { LogReplay } from '../db/opening/log-replay.ts'
import { findTable } from '../table/table-file.ts'
import { setCurrent } from '../version/manifest.ts'
import { needsLog, recoverVersion } from '../version/version-set.ts'
import { type AdminContext, adminContext } from './admin-context.ts'
import type { AdminOptions } from './admin-options.ts'
import { removeFiles } from './lost-and-found.ts'
import { checkedOnly } from './repair-logs.ts'
import { pullInto, runLocked } from './under-lock.ts'

/** What has been restored. */
export interface RestoreInfo {
  readonly directory: string
  readonly files: number
  /** Bytes of the stream. */
  readonly bytes: number
  /** Sequence number of the last write in it. */
  readonly lastSequence: number
}

/**
 * Create a database from a backup, in a directory that does not exist or is empty.
 * @param source the stream, in chunks of any length; it is read to its end
 * @throws (rejects with) CorruptionError, with the offset in the stream, if it is damaged or incomplete;
 *   NotSupportedError, AlreadyExistsError, InvalidArgumentError, LockedError, AbortedError, IOError; what the source throws.
 *   There is no database in the directory then
 */
export function restore(
  source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  directory: string,
  options: AdminOptions = {},
): Promise<RestoreInfo> {
  return promised(() => {
    const context = adminContext('restore', directory, options)
    if (
      typeof source !== 'object' ||
      source === null ||
      !(Symbol.asyncIterator in source || Symbol.iterator in source)
    ) {
      throw new InvalidArgumentError('the source must be an iterable of Uint8Array, such as a readable stream')
    }
    checkTarget(context.files, directory)
    context.files.makeDirectory(context.directory)
    const target = new RestoreTarget(context)
    return runLocked(context, () => finishSteps(context, target), {
      before: (lock) => {
        const take = (chunk: Uint8Array): void => {
          lock.check?.()
          target.take(chunk)
        }
        // Until the lock was had, another restore or an opening may have made a database here.
        checkTarget(context.files, context.directory)
        return pullInto(source, take, options.signal)
      },
      onFailure: (isOurs) => target.abandon(isOurs),
    })
  })
}

function* finishSteps(context: AdminContext, target: RestoreTarget): Steps<RestoreInfo> {
  const manifest = target.finish()
  const { files, directory, givenDirectory } = context
  const found = recoverVersion(files, directory, manifest, context.options.comparator)
  if (found.tornAt !== undefined) throw contradiction('its MANIFEST is cut off', directory)
  const names = new Set(target.names)
  for (const { file } of found.version.files()) {
    const table = findTable(files, directory, file.number)
    if (table === undefined) throw contradiction(`table ${file.number} is missing`, directory)
    if (table.status.bytes !== file.bytes) {
      throw contradiction(`table ${file.number} has another size than the MANIFEST says`, directory)
    }
    names.delete(table.name)
    yield
  }
  for (const name of names) {
    if (parseFileName(name)?.type === 'table') throw contradiction(`${name} is not in its MANIFEST`, directory)
  }
  if (found.logNumber !== 0 && !names.has(logName(found.logNumber))) {
    throw contradiction(`log ${found.logNumber} is missing`, directory)
  }
  // Whether a log is damaged is for whoever opens the database to judge.
  const replay = new LogReplay(files, directory, 'salvage', sequenceNumber(found.lastSequence), checkedOnly(context))
  for (const number of logNumbers(target.names).filter((log) => needsLog(found, log))) {
    yield* replay.steps(number)
    yield
  }
  const { lastSequence } = replay.report()
  const info = { directory: givenDirectory, files: target.names.length, bytes: target.bytes, lastSequence }
  target.names.push(temporaryName(manifest), CURRENT)
  setCurrent(files, directory, manifest)
  return info
}

function contradiction(what: string, directory: string): CorruptionError {
  return new CorruptionError(`the backup contradicts itself: ${what}`, { file: directory })
}

/** Takes the stream, and makes the files that are in it. */
class RestoreTarget implements BackupSink {
  /** Names of the files that were made. */
  readonly names: string[] = []
  bytes = 0
  readonly #context: AdminContext
  readonly #files: FileSystem
  readonly #decoder: BackupDecoder = new BackupDecoder(this)
  #last: FileNumber | undefined = undefined
  #file: WritableFile | undefined = undefined

  constructor(context: AdminContext) {
    this.#context = context
    this.#files = context.files
  }

  take(chunk: unknown): void {
    if (!isUint8Array(chunk)) throw new InvalidArgumentError('the source must yield Uint8Arrays')
    this.#decoder.push(chunk)
    this.bytes += chunk.length
    this.#context.progress.add(this.names.at(-1) ?? '', chunk.length)
  }

  /** The source has ended. @returns the number of the MANIFEST @throws CorruptionError if the stream has not */
  finish(): FileNumber {
    this.#decoder.finish()
    assert(this.#last !== undefined, 'a stream that has come to its end had a MANIFEST')
    return this.#last
  }

  beginFile(name: string, { number }: ParsedName): void {
    this.#file = this.#files.createWritable(this.#files.join(this.#context.directory, name))
    this.names.push(name)
    // The last file of a stream is its MANIFEST (db/copies/backup-format.ts).
    this.#last = number
  }

  fileData(bytes: Bytes, offset: number, length: number): void {
    this.#file?.append(bytes, offset, length)
  }

  endFile(): void {
    const file = this.#file
    // If this fails, it is still to be closed.
    file?.sync()
    this.#file = undefined
    file?.close()
  }

  /** Nothing comes of it: what was made goes, CURRENT first. @param isOurs whether it is still where it was made */
  abandon(isOurs: boolean): void {
    closeQuietly(() => this.#file?.close())
    if (isOurs) removeFiles(this.#context, this.names.reverse())
  }
}

/**
 * open: from a directory and options to an open database.
 */
import type { Environment, FileSystem } from '../base/environment.ts'
import { CorruptionError, IOError } from '../base/errors.ts'
import { checkPath } from '../base/text.ts'
import { nodeEnvironment } from '../env/node-env.ts'
import { DB } from './db.ts'
import { manifestMark } from './opening/manifest-mark.ts'
import { prepareDirectory } from './opening/prepare-directory.ts'
import { type Options, type ResolvedOptions, resolveOptions } from './options.ts'
import { EventLog, type OpenedFigures } from './reports/event-log.ts'

let sharedEnvironment: Environment | undefined

/**
 * Open the database in `directory`, or create it. Resolves once everything that its logs held is in tables.
 * @throws (rejects with) InvalidArgumentError, NotFoundError, AlreadyExistsError, LockedError (its message
 *   names the other opener), CorruptionError (see the option `recovery`), IOError, NotSupportedError. Nothing has changed then, but a directory may
 *   have been created
 */
export async function open(directory: string, options: Options = {}): Promise<DB> {
  checkPath(directory, 'the directory')
  const resolved = resolveOptions(options, defaultEnvironment)
  const log = resolved.logger && new EventLog(resolved.logger, directory)
  try {
    // Files are opened for as long as the database is open, and the process's working directory may become another one.
    const path = resolved.environment.files.absolute?.(directory) ?? directory
    prepareDirectory(directory, path, resolved)
    const opening = resolved.readOnly ? openReadOnly : openLocked
    const db = await opening(directory, path, resolved, log)
    log?.opened(db.recoveryInfo, openedFigures(db, resolved))
    return db
  } catch (error) {
    log?.refused(error)
    throw error
  }
}

function openedFigures(db: DB, { readOnly }: ResolvedOptions): OpenedFigures {
  const { tables } = db.stats()
  return { readOnly, tables: tables.length, tableBytes: tables.reduce((sum, { bytes }) => sum + bytes, 0) }
}

async function openLocked(
  directory: string,
  path: string,
  options: ResolvedOptions,
  log: EventLog | undefined,
): Promise<DB> {
  const lock = await options.environment.files.lock(directory)
  try {
    return new DB(directory, path, options, lock, log)
  } catch (error) {
    lock.release()
    throw error
  }
}

/** Each try is as long as reading a MANIFEST and the logs; that a writer is faster ten times in a row is no accident. */
const READ_ONLY_TRIES = 10

/**
 * Without a lock, files may vanish after the MANIFEST has been read; then the MANIFEST has changed, too, unless a log has got another name
 * (write-ahead-log.ts). And a log may be written to while it is read; only real damage looks the same when it is read again.
 */
function openReadOnly(directory: string, path: string, options: ResolvedOptions, log: EventLog | undefined): DB {
  const { files } = options.environment
  let lastFault: string | undefined
  for (let tries = 1; ; tries++) {
    const mark = manifestMark(files, path)
    try {
      return new DB(directory, path, options, undefined, log)
    } catch (error) {
      const isPerhapsMoved = error instanceof CorruptionError || error instanceof IOError
      if (!isPerhapsMoved || tries === READ_ONLY_TRIES) throw error
      const now = manifestMark(files, path)
      const isSame = error instanceof IOError ? !isGone(files, error) : error.message === lastFault
      if (now !== undefined && now === mark && isSame) throw error
      lastFault = error.message
    }
  }
}

/** Whether what was listed, and could not be opened, is no longer there. */
function isGone(files: FileSystem, { file }: IOError): boolean {
  try {
    return file !== undefined && files.status(file) === undefined
  } catch {
    return false
  }
}

/** The environment of whoever names none. */
export function defaultEnvironment(): Environment {
  sharedEnvironment ??= nodeEnvironment()
  return sharedEnvironment
}

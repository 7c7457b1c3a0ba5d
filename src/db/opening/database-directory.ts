/**
 * DatabaseDirectory: the directory of a database, which everything reaches by its path. Somebody may rename or remove it while it is
 * open, and make another one at that path, with another database in it, whose files have the same names. So the lock is asked whether
 * this is still the directory that was opened: before a file is begun or removed, and after one is opened to be read.
 *
 * Names    One is durable if no sync of the directory has failed between its making and a sync that succeeds: what was pending when one
 *          failed, later ones may not tell of (fsyncgate). So such names are made anew: a table is written under another number, a log
 *          is renamed to one, CURRENT is switched again. Whoever relies on names compares `failure` at these two moments.
 * Threads  belongs to the database's thread, whose lock can tell; elsewhere there is no lock, and nothing is asked
 * Source   docs/rfcs/0027-a-directory-that-is-moved.md
 */
import type { DirectoryLock, FileSystem } from '../../base/environment.ts'
import { CorruptionError, isOutOfDescriptors, type VarveError } from '../../base/errors.ts'
import { tableName } from '../../base/filename.ts'
import { findTable } from '../../table/table-file.ts'
import type { VersionEdit } from '../../version/version-edit.ts'

export class DatabaseDirectory {
  readonly files: FileSystem
  readonly path: string
  /** The last sync of it that has failed, if any. */
  failure: Error | undefined = undefined
  readonly #lock: DirectoryLock | undefined

  constructor(files: FileSystem, path: string, lock?: DirectoryLock) {
    this.files = files
    this.path = path
    this.#lock = lock
  }

  /** The path of a name in it. */
  join(name: string): string {
    return this.files.join(this.path, name)
  }

  /** @throws IOError if what has its path now is another directory, or nothing */
  check(): void {
    this.#lock?.check?.()
  }

  /** Make the names in it durable. @throws IOError */
  sync(): void {
    try {
      this.files.syncDirectory(this.path)
    } catch (error) {
      this.note(error as Error)
      throw error
    }
  }

  /** @param error of whatever was to make names durable: whether it was the sync that failed, and not the attempt to begin it */
  note(error: Error): void {
    if ((error as Partial<VarveError>).file === this.path && !isOutOfDescriptors(error)) this.failure = error
  }

  /** The outcome of a job that makes names durable, and begins now: its success counts for nothing if a sync fails meanwhile. */
  watched<R>(outcome: (error: Error | undefined, result: R) => void): (error: Error | undefined, result: R) => void {
    const before = this.failure
    return (error, result) => {
      if (error !== undefined) this.note(error)
      outcome(error ?? (this.failure === before ? undefined : this.failure), result)
    }
  }

  /** Let another opener in: nothing of the directory is used any more. */
  unlock(): void {
    this.#lock?.release()
  }

  /**
   * Before an edit: a job whose table came to lie in another directory, that has gone again since, wrote it for nothing.
   * @throws IOError as check; CorruptionError if a new table is not there
   */
  checkEdit({ newFiles = [], deletedFiles = [] }: VersionEdit): void {
    this.check()
    for (const { file } of newFiles) {
      const isMoved = deletedFiles.some(({ number }) => number === file.number)
      if (isMoved) continue
      if (findTable(this.files, this.path, file.number)?.status.bytes === file.bytes) continue
      throw new CorruptionError('a table that was just written is missing', { file: this.join(tableName(file.number)) })
    }
  }
}

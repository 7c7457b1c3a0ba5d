/**
 * DatabaseDirectory: the directory of a database, which everything reaches by its path. Somebody may rename or remove it while it is
 * open, and make another one at that path, with another database in it, whose files have the same names. So the lock is asked whether
 * this is still the directory that was opened: before a file is begun or removed, and after one is opened to be read.
 *
 * Threads  belongs to the database's thread, whose lock can tell; elsewhere there is no lock, and nothing is asked
 * Source   docs/rfcs/0027-a-directory-that-is-moved.md
 */
import type { DirectoryLock, FileSystem } from '../../base/environment.ts'
import { CorruptionError } from '../../base/errors.ts'
import { tableName } from '../../base/filename.ts'
import { findTable } from '../../table/table-file.ts'
import type { VersionEdit } from '../../version/version-edit.ts'

export class DatabaseDirectory {
  readonly files: FileSystem
  readonly path: string
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

/**
 * DatabaseDirectory: the directory of a database, which everything reaches by its path. Somebody may rename or remove it while it is
 * open, and make another one at that path, with another database in it, whose files have the same names. So the lock is asked whether
 * this is still the directory that was opened: before a file is begun or removed, and after one is opened to be read.
 *
 * Names    One is durable if no sync of the directory, on any thread, has failed between its making and a sync that succeeds: what was
 *          pending when one failed, later ones may not tell of (fsyncgate). So such names are made anew: a table is written under another
 *          number, a log is renamed to one, CURRENT is switched again. Whoever relies on names compares `failures` from before they were
 *          made with those after `settle` (worker/directory-syncs.ts).
 * Threads  belongs to the database's thread, whose lock can tell; elsewhere there is no lock, and nothing is asked
 * Source   docs/rfcs/0027-a-directory-that-is-moved.md
 */
import type { DirectoryLock, FileSystem } from '../../base/environment.ts'
import { CorruptionError, IOError, isOutOfDescriptors, type VarveError } from '../../base/errors.ts'
import { tableName } from '../../base/filename.ts'
import { findTable } from '../../table/table-file.ts'
import type { VersionEdit } from '../../version/version-edit.ts'
import { DirectorySyncs } from '../../worker/directory-syncs.ts'

export class DatabaseDirectory {
  readonly files: FileSystem
  readonly path: string
  readonly syncs: DirectorySyncs
  readonly #lock: DirectoryLock | undefined

  /** @param syncs also of other threads, if jobs run on any */
  constructor(files: FileSystem, path: string, lock?: DirectoryLock, syncs: DirectorySyncs = new DirectorySyncs()) {
    this.files = files
    this.path = path
    this.syncs = syncs
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

  /** How many syncs of it have failed, on any thread. */
  get failures(): number {
    return this.syncs.failures
  }

  /** Sync it here. The names in it are durable after `settle`, unless there are other `failures` then. @throws IOError */
  sync(): void {
    try {
      this.files.syncDirectory(this.path)
    } catch (error) {
      this.note(error as Error)
      throw error
    }
  }

  /** Wait for the syncs that are under way on other threads. @throws IOError if one does not end; nothing is lost for that */
  settle(): void {
    if (!this.syncs.settle()) throw new IOError(`a sync of ${this.path} on another thread does not end`)
  }

  /**
   * Have names made, and durable.
   * @param attempt makes names, and syncs; it makes them anew when it is called again, since a sync on another thread has failed meanwhile
   * @throws as attempt, and settle
   */
  makeDurable(attempt: () => void): void {
    let before: number
    do {
      before = this.failures
      attempt()
      this.settle()
    } while (before !== this.failures)
  }

  /** @param error of whatever was to make names durable */
  note(error: Error): void {
    if (this.isLoss(error)) this.syncs.failed()
  }

  /** Whether an error says that a sync of the directory has failed, and not the attempt to begin it. */
  isLoss(error: Error): boolean {
    return (error as Partial<VarveError>).file === this.path && !isOutOfDescriptors(error)
  }

  /**
   * The outcome of a job that makes names durable: its success counts for nothing if a sync fails meanwhile, on whatever thread. The job
   * has waited for those that were under way.
   * @param before the failures before the first of these names was made
   */
  watched<R>(
    outcome: (error: Error | undefined, result: R) => void,
    before: number = this.failures,
  ): (error: Error | undefined, result: R) => void {
    return (error, result) => {
      if (error !== undefined) this.note(error)
      outcome(error ?? this.#lossSince(before), result)
    }
  }

  #lossSince(before: number): Error | undefined {
    if (this.failures === before) return undefined
    return new IOError(`another sync of ${this.path} has failed meanwhile`, { file: this.path })
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

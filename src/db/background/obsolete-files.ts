/**
 * ObsoleteFiles: which files of the directory are no longer needed, and their removal. Only what the MANIFEST has durably
 * let go of is removed, so it does not matter when, or whether, a removal succeeds: a failure is reported, and the next
 * opening tries again.
 *
 * At the opening, and after a job was thrown away, the directory is listed. In between, the tables that edits delete are
 * remembered, and go once no version that somebody holds has them.
 */
import { fromWire } from '../../base/errors.ts'
import { isUsualName, logName, manifestName, oldTableName, parseFileName, tableName } from '../../base/filename.ts'
import type { FileNumber } from '../../base/types.ts'
import type { JobExecutor } from '../../worker/executor.ts'
import type { DatabaseDirectory } from '../opening/database-directory.ts'
import type { Emit } from '../reports/events.ts'

export interface LiveFiles {
  readonly tables: ReadonlySet<FileNumber>
  /** Logs from this number on are needed. */
  readonly logNumber: FileNumber
  readonly manifest: FileNumber
}

export class ObsoleteFiles {
  readonly #directory: DatabaseDirectory
  readonly #executor: JobExecutor
  readonly #emit: Emit
  readonly #onChange: () => void
  #running = 0
  /** Tables that edits have deleted and that are still there. */
  readonly #dropped = new Set<FileNumber>()

  /**
   * @param executor does the removals that come in the course of things: that of a large file takes tens of milliseconds
   * @param emit tells of each file that could not be removed
   * @param onChange called when none is under way any more
   */
  constructor(directory: DatabaseDirectory, executor: JobExecutor, emit: Emit, onChange: () => void) {
    this.#directory = directory
    this.#executor = executor
    this.#emit = emit
    this.#onChange = onChange
  }

  /** An edit has deleted these tables. */
  drop(tables: Iterable<FileNumber>): void {
    for (const number of tables) this.#dropped.add(number)
  }

  /** Whether tables wait for those who still read them. */
  get hasDropped(): boolean {
    return this.#dropped.size > 0
  }

  /** Remove the dropped tables that nobody needs. @param onRemove called with each of them, before */
  removeDropped(live: ReadonlySet<FileNumber>, onRemove: (number: FileNumber) => void): void {
    const tables: FileNumber[] = []
    for (const number of this.#dropped) {
      if (live.has(number)) continue
      this.#dropped.delete(number)
      this.#try(() => onRemove(number))
      tables.push(number)
    }
    // Which of its two names a table has is looked up where it is removed.
    this.#remove(tables.map((number) => [tableName(number), oldTableName(number)]))
  }

  removeLogs(numbers: readonly FileNumber[]): void {
    this.#remove(numbers.map((number) => [logName(number)]))
  }

  readonly removeManifest = (number: FileNumber): void => this.#remove([[manifestName(number)]])

  /** List the directory and remove all that is not live. No job may be under way. */
  sweep(live: LiveFiles): void {
    this.#try(() => {
      const { files, path } = this.#directory
      this.#directory.check()
      for (const name of obsoleteFiles(files.list(path), live))
        this.#try(() => files.remove(this.#directory.join(name)))
    })
  }

  /** Whether removals are under way. */
  get isRemoving(): boolean {
    return this.#running > 0
  }

  /** @param names those that each of the files may have */
  #remove(names: readonly (readonly string[])[]): void {
    if (names.length === 0) return
    try {
      // Files of these names in another directory are not this database's.
      this.#directory.check()
    } catch (error) {
      this.#report(error as Error)
      return
    }
    this.#running++
    const files = names.map((some) => some.map((name) => this.#directory.join(name)))
    this.#executor.start({ kind: 'remove', files }, (error, result) => {
      this.#running--
      if (error !== undefined) this.#report(error)
      for (const failure of result?.failures ?? []) this.#report(fromWire(failure))
      if (this.#running === 0) this.#onChange()
    })
  }

  #try(remove: () => void): void {
    try {
      remove()
    } catch (error) {
      this.#report(error as Error)
    }
  }

  #report(error: Error): void {
    this.#emit('background-error', { work: 'removal', error, attempt: 1, retryMs: undefined })
  }
}

/** Names of the files that may go. Foreign names are never among them: `5.log` is one, as it is for recovery. */
function obsoleteFiles(names: readonly string[], live: LiveFiles): string[] {
  return names.filter((name) => {
    const parsed = parseFileName(name)
    if (parsed === undefined || !isUsualName(name)) return false
    if (parsed.type === 'log') return parsed.number < live.logNumber
    if (parsed.type === 'table') return !live.tables.has(parsed.number)
    if (parsed.type === 'manifest') return parsed.number < live.manifest
    return parsed.type === 'temporary'
  })
}

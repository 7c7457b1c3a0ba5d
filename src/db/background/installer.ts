/**
 * Installer: takes edits to the MANIFEST, one after another. An edit is appended on this thread, made durable where the jobs
 * run, and becomes part of the database when that is done: readers and writers never wait for the disk.
 *
 * Invariants  (1) edits become durable, and current, in the order in which they were handed in
 *             (2) an edit is made when its turn comes, of the version that is current then
 *             (3) a failure of the MANIFEST is final: it poisons the database, and every edit that waits fails with it; so
 *                 does an edit that cannot be made, or followed: what is current and what is shown would not be the same. That
 *                 the directory could not be synced for it is none: its names are made anew, once
 *             (4) once writing has ended, for whatever failure, no edit is begun: a sync of the directory that failed may have been
 *                 for names that this edit relies on, and the next one may succeed without them
 *             (5) every `done` is called, whatever is thrown on the way
 * Threads     belongs to the database's thread
 */
import { isOutOfDescriptors, systemErrorCode } from '../../base/errors.ts'
import type { FileNumber } from '../../base/types.ts'
import type { VersionEdit } from '../../version/version-edit.ts'
import type { VersionSet } from '../../version/version-set.ts'
import { type JobExecutor, ThreadEndedError } from '../../worker/executor.ts'
import type { DatabaseDirectory } from '../opening/database-directory.ts'
import type { Health } from '../reports/health.ts'

/** Called once: when an edit is current, or with why it will not be. */
export type Done = (error: Error | undefined) => void

interface Installation {
  /** Makes the edit. */
  readonly edit: () => VersionEdit
  /** What the edit means for the database, once it is current. */
  readonly follow: () => void
  readonly done: Done
}

export class Installer {
  readonly #versions: VersionSet
  readonly #directory: DatabaseDirectory
  readonly #executor: JobExecutor
  readonly #health: Health
  readonly #onReplaced: (manifest: FileNumber) => void
  readonly #waiting: Installation[] = []
  /** Appended, and not known to be durable. */
  #current: Installation | undefined = undefined

  /** @param onReplaced told of a MANIFEST that another one has taken the place of */
  constructor(
    versions: VersionSet,
    directory: DatabaseDirectory,
    executor: JobExecutor,
    health: Health,
    onReplaced: (manifest: FileNumber) => void,
  ) {
    this.#versions = versions
    this.#directory = directory
    this.#executor = executor
    this.#health = health
    this.#onReplaced = onReplaced
  }

  /**
   * Make an edit part of the database.
   * @param follow what it means for the database, once it is current; then `done` is told
   * @param done maybe called before this returns
   */
  install(edit: () => VersionEdit, follow: () => void, done: Done): void {
    this.#waiting.push({ edit, follow, done })
    this.#next()
  }

  /** Complete the edit under way here and now, and those that wait: the next one is appended when one is done. */
  finish(): void {
    for (let current = this.#current; current !== undefined; current = this.#current) {
      if (!this.#canWithdraw || this.#withdraw(current)) this.#sync(current)
    }
  }

  /** Forget the edit under way, and those that wait: how far it got is not known. */
  abandon(): void {
    this.#current = undefined
    this.#waiting.length = 0
  }

  #next(): void {
    if (this.#current !== undefined) return
    const next = this.#waiting.shift()
    if (next === undefined) return
    if (this.#health.isPoisoned) {
      this.#end(next, this.#health.refusal())
      return
    }
    this.#current = next
    // A new MANIFEST gets its name here.
    const { failures } = this.#directory
    const hasBegun = this.#tries(next, () => {
      // An edit names files by number, and lets others go: they have to be those of this directory.
      const edit = next.edit()
      this.#directory.checkEdit(edit)
      this.#versions.begin(edit)
    })
    if (hasBegun) this.#step(next, failures)
  }

  /** @param failures of the directory, before the names were made that the step makes durable */
  #step(installation: Installation, failures: number = this.#directory.failures): void {
    if (!this.#tries(installation, () => this.#checkDirectory())) return
    const { editSync } = this.#versions
    const stepped = (error: Error | undefined): void => this.#stepped(installation, error)
    const outcome = editSync.step === 'sync' ? stepped : this.#directory.watched(stepped, failures)
    this.#executor.start({ kind: 'sync', ...editSync }, outcome)
  }

  #stepped(installation: Installation, error: Error | undefined): void {
    if (installation !== this.#current) return
    if (error === undefined) {
      if (this.#versions.stepTaken()) this.#step(installation)
      else this.#commit(installation)
    } else if (this.#canWithdraw) {
      if (this.#withdraw(installation)) this.#step(installation)
    } else if (this.#directory.isLoss(error) || !isOfTheFile(error)) this.#sync(installation)
    else this.#fail(installation, error)
  }

  /** CURRENT is replaced by its path, where another directory may have come to lie since the edit began. @throws IOError then */
  #checkDirectory(): void {
    if (this.#versions.editSync.step !== 'sync') this.#directory.check()
  }

  /** Whether the edit is in a new MANIFEST that CURRENT does not name, for certain. */
  get #canWithdraw(): boolean {
    return this.#versions.editSync.step === 'prepare'
  }

  /** A new MANIFEST that cannot be had is not needed: the one in use is whole. @returns false if it takes no edit; that is final */
  #withdraw(installation: Installation): boolean {
    return this.#tries(installation, () => {
      // The new one is removed.
      this.#directory.check()
      this.#versions.withdraw()
    })
  }

  #sync(installation: Installation): void {
    try {
      this.#checkDirectory()
      if (this.#versions.editSync.step === 'sync') this.#versions.sync()
      else this.#directory.makeDurable(() => this.#versions.sync())
    } catch (error) {
      this.#directory.note(error as Error)
      this.#fail(installation, error as Error)
      return
    }
    this.#commit(installation)
  }

  #commit(installation: Installation): void {
    const isDone = this.#tries(installation, () => {
      const replaced = this.#versions.commit()
      installation.follow()
      if (replaced !== undefined) this.#onReplaced(replaced)
    })
    if (isDone) this.#end(installation, undefined)
  }

  /** Take a part of an edit's way. @returns false if it fails; that is final */
  #tries(installation: Installation, part: () => void): boolean {
    try {
      part()
      return true
    } catch (error) {
      this.#fail(installation, error as Error)
      return false
    }
  }

  #fail(installation: Installation, error: Error): void {
    this.#health.poison(error)
    this.#end(installation, error)
  }

  #end({ done }: Installation, error: Error | undefined): void {
    this.#current = undefined
    try {
      // First: a listener that is told, and writes, may have to wait for that one.
      this.#next()
    } finally {
      done(error)
    }
  }
}

/** Not if the thread has died, of whatever, or had no descriptor with which to open the file: here, it is open. */
function isOfTheFile(error: Error): boolean {
  if (error instanceof ThreadEndedError || isOutOfDescriptors(error)) return false
  return systemErrorCode(error) !== undefined
}

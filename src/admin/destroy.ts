/**
 * destroy: removes a database, and nothing else. A file is a database's if its name is one, letter by letter; what else lies in
 * the directory stays, as do `lost/` and the lock file: while somebody could still hold it, its name must not become free.
 *
 * Order   CURRENT goes first, and durably: a destruction that a crash cuts short leaves no database, and can be repeated
 */
import { CURRENT, type FileType, isUsualName, parseFileName } from '../base/filename.ts'
import { promised } from '../db/call-options.ts'
import type { Steps } from '../db/copies/long-runs.ts'
import { type AdminContext, adminContext, bytesOf, databaseNames } from './admin-context.ts'
import type { AdminOptions } from './admin-options.ts'
import { runLocked } from './under-lock.ts'

/** What `destroy` did. */
export interface DestroyInfo {
  readonly directory: string
  /** Names that were removed. */
  readonly removed: readonly string[]
  /** Names that were left: foreign files, and the lock file. */
  readonly left: readonly string[]
}

/** In the order in which they go: as long as one is there, so is a name by which the directory is known as a database's. */
const ORDER: readonly FileType[] = ['current', 'log', 'temporary', 'info-log', 'table', 'manifest']

/**
 * Remove a database that nobody has open.
 * @throws (rejects with) NotFoundError, LockedError, InvalidArgumentError, NotSupportedError where fsync is denied, AbortedError,
 *   IOError
 */
export function destroy(directory: string, options: AdminOptions = {}): Promise<DestroyInfo> {
  return promised(() => {
    const context = adminContext('destroy', directory, options)
    databaseNames(context)
    return runLocked(context, () => destroySteps(context))
  })
}

function* destroySteps(context: AdminContext): Steps<DestroyInfo> {
  const { files, directory, givenDirectory, progress } = context
  const names = files.list(directory)
  const doomed = ORDER.flatMap((type) =>
    names.filter((name) => isUsualName(name) && parseFileName(name)?.type === type),
  )
  for (const name of doomed) progress.expect(bytesOf(context, name))
  const removed: string[] = []
  for (const name of doomed) {
    const path = files.join(directory, name)
    const status = files.status(path)
    if (status === undefined || status.kind === 'directory') continue
    files.remove(path)
    removed.push(name)
    if (name === CURRENT) files.syncDirectory(directory)
    progress.add(name, status.bytes)
    // The lock is checked here, before the next removal.
    yield
  }
  files.syncDirectory(directory)
  return { directory: givenDirectory, removed, left: files.list(directory) }
}

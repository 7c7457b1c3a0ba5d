/**
 * lost/: where a repair puts what it replaces, for an operator to look at. A file has its name there before the database lets go of
 * it, and loses its old one only after: a crash in between leaves it under both.
 */
import { closeQuietly } from '../base/close-all.ts'
import type { FileSystem } from '../base/environment.ts'
import { CURRENT } from '../base/filename.ts'
import { linkOrCopySteps } from '../db/copies/copy-file.ts'
import type { Steps } from '../db/copies/long-runs.ts'
import type { AdminContext } from './admin-context.ts'

const LOST = 'lost'

/** Give files of the directory names in lost/, durably. @returns name → new name, with its directory */
export function* keepInLost({ files, directory }: AdminContext, names: readonly string[]): Steps<Map<string, string>> {
  const kept = new Map<string, string>()
  if (names.length === 0) return kept
  const lost = files.join(directory, LOST)
  files.makeDirectory(lost)
  for (const name of names) {
    const free = freeName(files, lost, name)
    yield* linkOrCopySteps(files, files.join(directory, name), files.join(lost, free))
    kept.set(name, `${LOST}/${free}`)
    yield
  }
  files.syncDirectory(lost)
  return kept
}

/** Move odd files, which can have no second name, to lost/. One that cannot be moved may stay, unless it is CURRENT. @returns as keepInLost @throws IOError */
export function moveToLost({ files, directory }: AdminContext, names: readonly string[]): Map<string, string> {
  const moved = new Map<string, string>()
  if (names.length === 0) return moved
  const lost = files.join(directory, LOST)
  files.makeDirectory(lost)
  for (const name of names) {
    const free = freeName(files, lost, name)
    try {
      files.rename(files.join(directory, name), files.join(lost, free))
      moved.set(name, `${LOST}/${free}`)
    } catch (error) {
      if (name === CURRENT) throw error
    }
  }
  return moved
}

/** Remove files; one that stays is removed by the next opening. */
export function removeFiles({ files, directory }: AdminContext, names: Iterable<string>): void {
  for (const name of names) closeQuietly(() => files.remove(files.join(directory, name)))
  closeQuietly(() => files.syncDirectory(directory))
}

function freeName(files: FileSystem, lost: string, name: string): string {
  const isFree = (candidate: string): boolean => files.status(files.join(lost, candidate)) === undefined
  if (isFree(name)) return name
  let count = 1
  while (!isFree(`${name}.${count}`)) count++
  return `${name}.${count}`
}

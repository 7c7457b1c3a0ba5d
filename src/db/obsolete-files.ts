/**
 * Which files of the directory are no longer needed, and their removal. Only what the MANIFEST has durably let go of is
 * removed, so it does not matter when, or whether, a removal succeeds: the next opening tries again.
 */
import { closeQuietly } from '../base/close-all.ts'
import type { FileSystem } from '../base/environment.ts'
import { parseFileName } from '../base/filename.ts'
import type { FileNumber } from '../base/types.ts'

export interface LiveFiles {
  readonly tables: ReadonlySet<FileNumber>
  /** Logs from this number on are needed. */
  readonly logNumber: FileNumber
  readonly manifest: FileNumber
}

/** Names of the files that may go. Foreign names are never among them. */
function obsoleteFiles(names: readonly string[], live: LiveFiles): string[] {
  return names.filter((name) => {
    const parsed = parseFileName(name)
    if (parsed === undefined) return false
    if (parsed.type === 'log') return parsed.number < live.logNumber
    if (parsed.type === 'table') return !live.tables.has(parsed.number)
    if (parsed.type === 'manifest') return parsed.number < live.manifest
    return parsed.type === 'temporary'
  })
}

/** Remove what is obsolete; a failure is left to the next opening. */
export function removeObsoleteFiles(files: FileSystem, directory: string, live: LiveFiles): void {
  let names: string[] = []
  closeQuietly(() => {
    names = files.list(directory)
  })
  closeQuietly(...obsoleteFiles(names, live).map((name) => () => files.remove(files.join(directory, name))))
}

/**
 * ManifestMark: which MANIFEST is in use and how long it is. Every change of a database's files is in its MANIFEST before any file
 * goes, in varve as in LevelDB; so whoever takes no lock and misses a file can tell by the mark whether another process is at
 * work or the database is damaged. (But a log that the MANIFEST does not name may be renamed.)
 *
 * Source   docs/rfcs/0016-reading-beside-a-writer.md
 */
import type { FileSystem } from '../../base/environment.ts'
import { manifestName } from '../../base/filename.ts'
import { readCurrent } from '../../version/manifest.ts'

/** @returns undefined if there is none at this moment: it is just being replaced, or missing */
export function manifestMark(files: FileSystem, directory: string): string | undefined {
  try {
    const number = readCurrent(files, directory)
    const name = number === undefined ? undefined : manifestName(number)
    const bytes = name === undefined ? undefined : files.status(files.join(directory, name))?.bytes
    return bytes === undefined ? undefined : `${name}:${bytes}`
  } catch {
    return undefined
  }
}

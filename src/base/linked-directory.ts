/**
 * linked-directory: a directory that is perhaps named by a symbolic link. The link is followed: it is the user's word for a place.
 * One that leads nowhere is refused, and nothing is made at its other end: where a disk is not mounted, that would be another disk.
 */
import type { FileSystem } from './environment.ts'
import { InvalidArgumentError, NotFoundError, systemErrorCode } from './errors.ts'

/**
 * @param directory a name that leads to something, and not to a file
 * @param given as its user names it
 * @returns the names in it
 * @throws NotFoundError if it is a link to nothing, InvalidArgumentError if it does not lead to a directory; IOError
 */
export function listLinked(files: FileSystem, directory: string, given: string): string[] {
  try {
    return files.list(directory)
  } catch (cause) {
    const code = systemErrorCode(cause)
    if (code === 'ENOENT') throw new NotFoundError(`${given} is a symbolic link that leads nowhere`, { cause })
    if (code === 'ENOTDIR') throw new InvalidArgumentError(`${given} does not lead to a directory`, { cause })
    throw cause
  }
}

/**
 * Odd files: what has the name of a database's file, and is none: a directory, a pipe, a socket. There is nothing to be read of it. A
 * symbolic link is none of these, even one to nothing: the very file may lie at its other end, on a disk that is not mounted now, and its
 * owner can put it in the link's place, or remove the link.
 */
import { systemErrorCode } from '../base/errors.ts'
import { parseFileName } from '../base/filename.ts'
import type { AdminContext } from './admin-context.ts'

const READ_TYPES: ReadonlySet<string> = new Set(['current', 'manifest', 'log', 'table'])
/** Codes with which opening an odd file fails: none if it opens, and is no regular file; ENXIO for a socket. A link fails with ELOOP. */
const ODD: ReadonlySet<string | undefined> = new Set([undefined, 'ENXIO'])

/** Whether the name, of a file that a repair would read, is that of something else. */
export function isOddFile({ files, directory }: AdminContext, name: string): boolean {
  const path = files.join(directory, name)
  const kind = files.status(path)?.kind
  if (kind === 'file' || kind === undefined || !READ_TYPES.has(parseFileName(name)!.type)) return false
  if (kind === 'directory') return true
  return ODD.has(codeOf(() => files.openRandomAccess(path).close()))
}

/** @returns the system's code for the failure of a call; '' if it does not fail */
function codeOf(call: () => unknown): string | undefined {
  try {
    call()
    return ''
  } catch (error) {
    return systemErrorCode(error)
  }
}

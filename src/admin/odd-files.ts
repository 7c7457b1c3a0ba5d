/**
 * Odd files: what has the name of a database's file, and is none: a directory, a pipe, a symbolic link to nothing. There is nothing to be
 * read of it. A link that leads to something may lead to the very file, so it is none of these: its owner can put that file in its place.
 */
import { systemErrorCode } from '../base/errors.ts'
import { parseFileName } from '../base/filename.ts'
import type { AdminContext } from './admin-options.ts'

const READ_TYPES: ReadonlySet<string> = new Set(['current', 'manifest', 'log', 'table'])
/** Of what was opened, and is no file; of what leads nowhere; of a socket. */
const ODD: ReadonlySet<string | undefined> = new Set([undefined, 'ENOENT', 'ENXIO'])

/** Whether the name, of a file that a repair would read, is that of something else. */
export function isOddFile({ files, directory }: AdminContext, name: string): boolean {
  const path = files.join(directory, name)
  const kind = files.status(path)?.kind
  if (kind === 'file' || kind === undefined || !READ_TYPES.has(parseFileName(name)!.type)) return false
  if (kind === 'directory') return true
  const code = codeOf(() => files.openRandomAccess(path).close())
  // Files are opened without following links; a list follows them.
  return code === 'ELOOP' ? codeOf(() => files.list(path)) === 'ENOENT' : ODD.has(code)
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

/**
 * io-error: a failed file operation as an IOError in plain words: what was tried, on which path, and why it failed. The
 * operating system's error stays as the cause, so that code can tell the failures apart (systemErrorCode).
 */
import { IOError } from '../base/errors.ts'

/** An error of the operating system, as Node throws it. */
export type SystemError = Error & { readonly code: string }

const WORDS: ReadonlyMap<string, string> = new Map([
  ['ERR_ACCESS_DENIED', "Node's permission model does not allow it"],
  ['EACCES', 'permission denied'],
  ['EBADF', 'the file is closed'],
  ['EBUSY', 'the file is in use'],
  ['EDQUOT', 'the disk quota is used up'],
  ['EEXIST', 'there is already something of that name'],
  ['EFBIG', 'the file is too large'],
  ['EIO', 'input/output error'],
  ['EISDIR', 'it is a directory'],
  ['ELOOP', 'it is a symbolic link, or its path has too many of them'],
  ['EMFILE', 'this process has too many files open'],
  ['ENAMETOOLONG', 'the name is too long'],
  ['ENFILE', 'the system has too many files open'],
  ['ENOENT', 'no such file or directory'],
  ['ENOMEM', 'the system has no memory for it'],
  ['ENOSPC', 'no space left on device'],
  ['ENOTDIR', 'a part of its path is not a directory'],
  ['ENOTEMPTY', 'the directory is not empty'],
  ['ENXIO', 'it is a socket or a device'],
  ['EPERM', 'operation not permitted'],
  ['EROFS', 'the file system is read-only'],
  ['ESTALE', 'the network file system has lost the file'],
  ['ETXTBSY', 'the file is in use'],
  ['EXDEV', 'the two places are on different file systems'],
])

/** What Node has no name for, by its number, in Linux and in macOS. */
const UNNAMED: ReadonlyMap<unknown, string> = new Map([
  [-122, 'EDQUOT'],
  [-69, 'EDQUOT'],
  [-116, 'ESTALE'],
  [-70, 'ESTALE'],
])

/**
 * The IOError for a failed operation, e.g. `cannot write db/000005.log: no space left on device (ENOSPC)`.
 * @param action what was tried: `write`, `open`, …
 */
export function ioError(action: string, path: string, cause: unknown): IOError {
  const code = codeOf(cause)
  // Who asks the cause is to hear the same.
  if (code !== undefined && code !== (cause as SystemError).code) Object.assign(cause as SystemError, { code })
  return new IOError(`cannot ${action} ${path}: ${reason(cause)}`, { cause, file: path })
}

/** Make one call of the operating system; what it throws becomes an IOError. */
export function attempt<T>(action: string, path: string, call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw ioError(action, path, error)
  }
}

/** An IOError for what no system call reported. */
export function refusal(action: string, path: string, why: string): IOError {
  return new IOError(`cannot ${action} ${path}: ${why}`, { file: path })
}

/** The error that the operating system would give; for file systems that are not its own. */
export function systemError(code: string): SystemError {
  return Object.assign(new Error(`${code}: ${WORDS.get(code) ?? 'failed'}`), { code })
}

/** The `code` of a thrown value, which another realm may have made, or undefined if it has none. */
export function codeOf(error: unknown): string | undefined {
  const { code, errno } = (error ?? {}) as Partial<SystemError & { readonly errno: number }>
  return typeof code === 'string' ? (UNNAMED.get(errno) ?? code) : undefined
}

function reason(cause: unknown): string {
  const code = codeOf(cause)
  if (code === undefined) return String(cause)
  const words = WORDS.get(code)
  return words === undefined ? (cause as Error).message : `${words} (${code})`
}

/**
 * What a command reads: a file, or `-` for stdin.
 */
import { createReadStream, type Stats, statSync } from 'node:fs'
import { EXIT_FAILED, ExitError } from './exit.ts'

export interface Input {
  /** Opened only when it is read: an error before that would be nobody's. */
  readonly open: () => NodeJS.ReadableStream
  readonly bytes: number | undefined
}

/** @throws ExitError if there is no such file */
export function openInput(file: string): Input {
  if (file === '-') return { open: () => process.stdin, bytes: undefined }
  const status = statusOf(file)
  return {
    open: () => createReadStream(file, { highWaterMark: 256 * 1024 }),
    bytes: status.isFile() ? status.size : undefined,
  }
}

/** What a file is that is to be read. @throws ExitError if there is no such file */
export function statusOf(file: string): Stats {
  const status = statSync(file, { throwIfNoEntry: false })
  if (status === undefined) throw new ExitError(EXIT_FAILED, `${file} does not exist`)
  if (status.isDirectory()) throw new ExitError(EXIT_FAILED, `${file} is a directory`)
  return status
}

/**
 * How the command ends: exit codes, and the one line on stderr that says why.
 */

/** `get` found no value. */
export const EXIT_MISSING = 1
/** The command line is not understood. */
export const EXIT_USAGE = 2
/** The command was understood and could not be carried out. */
export const EXIT_FAILED = 3
/** `verify` found damage. */
export const EXIT_DAMAGED = 4

export const EXIT_HELP: string = `
Exit codes:
  0  done
  ${EXIT_MISSING}  get: there is no such key
  ${EXIT_USAGE}  the command line is not understood
  ${EXIT_FAILED}  the operation failed; earlier acknowledged writes stay
  ${EXIT_DAMAGED}  verify: something is damaged`

/** The command line is not understood. */
export class UsageError extends Error {}

/** The command ends with this code, after one line on stderr. */
export class ExitError extends Error {
  readonly exitCode: number

  constructor(exitCode: number, message: string) {
    super(message)
    this.exitCode = exitCode
  }
}

/** Exit code of a command that ended with `error`. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof ExitError) return error.exitCode
  return error instanceof UsageError ? EXIT_USAGE : EXIT_FAILED
}

/** Whoever read our output has gone (`| head`): no error of ours. */
export function isClosedPipe(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === 'EPIPE'
}

/** `varve: …`, in one line. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? plainMessage(error) : String(error)
  return `varve: ${message.replace(/[\p{Cc}\s]+/gu, ' ').trim()}\n`
}

/** An error of the system as varve's own are written; Node's is `ENOENT: no such file or directory, open 'data/x'`. */
function plainMessage({ message, code, syscall, path }: NodeJS.ErrnoException): string {
  const place = message.indexOf(`, ${syscall}`)
  if (code === undefined || syscall === undefined || !message.startsWith(`${code}: `) || place < 0) return message
  const words = message.slice(code.length + 2, place)
  return `cannot ${syscall}${path === undefined ? '' : ` ${path}`}: ${words} (${code})`
}

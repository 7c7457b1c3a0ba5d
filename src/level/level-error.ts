/**
 * LevelError: errors with the codes that classic-level's users know, each with varve's own error as its cause, which names
 * file, offset and what became of a write. An open that fails is wrapped once more by abstract-level: the code that matters
 * is then `error.cause.code`.
 */
import { type ErrorCode, VarveError } from '../public/index.ts'

/** Those that are not varve's own behind `LEVEL_`. */
const CODES: Partial<Record<ErrorCode, string>> = {
  CLOSED: 'LEVEL_DATABASE_NOT_OPEN',
  NOT_FOUND: 'LEVEL_DATABASE_NOT_FOUND',
  ALREADY_EXISTS: 'LEVEL_DATABASE_EXISTS',
  READ_ONLY: 'LEVEL_READONLY',
}

/** What LevelDB says in these cases, and programs look for. */
const PREFIXES: Partial<Record<ErrorCode, string>> = {
  NOT_FOUND: 'The database does not exist: ',
  ALREADY_EXISTS: 'The database exists: ',
}

export class LevelError extends Error {
  // Its own before it is assigned, as Error.prototype may be frozen.
  override name: string
  /** Stable; switch on this, not on the message. */
  readonly code: string

  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = code === 'LEVEL_ABORTED' ? 'AbortError' : 'Error'
    this.code = code
  }
}

/** An error of the engine under its Level code; any other error as it is. */
export function toLevelError(error: unknown): unknown {
  if (!(error instanceof VarveError)) return error
  const { code, message } = error
  return new LevelError(CODES[code] ?? `LEVEL_${code}`, `${PREFIXES[code] ?? ''}${message}`, error)
}

/** For the end of a promise. @throws always */
export function rethrow(error: unknown): never {
  throw toLevelError(error)
}

/** What abstract-level says when a signal fires. */
export function aborted(signal: AbortSignal): LevelError {
  return new LevelError('LEVEL_ABORTED', 'Operation has been aborted', signal.reason)
}

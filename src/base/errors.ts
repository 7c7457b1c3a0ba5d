/**
 * Every error that varve throws on purpose. One class for each thing that a caller would do differently, each with a
 * stable `code`; messages may change. Damage carries `file` and `offset`. A rejected write says by `outcome` whether it
 * may have reached the log: `not-written` means that it did not and never will, `indeterminate` that only reopening
 * the database tells.
 *
 * Errors lose their class and their code in a structured clone, so they cross threads as plain data: toWire / fromWire.
 */

/** `not-written`: the write did not reach the log, and never will. `indeterminate`: only reopening tells whether it is there. */
export type WriteOutcome = 'not-written' | 'indeterminate'

/** Properties of an error, by the same names. */
export interface ErrorDetails {
  readonly cause?: unknown
  readonly file?: string
  readonly offset?: number
  readonly outcome?: WriteOutcome
}

/** One for each class of errors: a VarveError's `code`. */
export type ErrorCode =
  | 'CORRUPTION'
  | 'IO_ERROR'
  | 'LOCKED'
  | 'CLOSED'
  | 'NOT_SUPPORTED'
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'READ_ONLY'
  | 'STALLED'
  | 'MEMTABLE_FULL'
  | 'ABORTED'
  | 'STALE'

/** Base of all errors that varve throws on purpose. */
export class VarveError extends Error {
  // Defined, not assigned: a program may have frozen Error.prototype, against code that it does not trust.
  override name: string = this.constructor.name
  /** Stable across versions; switch on this, not on the message. */
  readonly code: ErrorCode
  /** Path of the file concerned, where there is one. */
  readonly file: string | undefined
  /** Byte offset in `file`, where it is known. */
  readonly offset: number | undefined
  /** Of a rejected write: whether it may be there after reopening. */
  readonly outcome: WriteOutcome | undefined

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.file = details.file
    this.offset = details.offset
    this.outcome = details.outcome
  }
}

/** Stored bytes are not what was written: a checksum, a length or an order is wrong. `file` and `offset` say where. */
export class CorruptionError extends VarveError {
  constructor(message: string, details?: ErrorDetails) {
    const where =
      details?.file === undefined
        ? ''
        : ` (${details.file}${details.offset === undefined ? '' : ` at byte ${details.offset}`})`
    super('CORRUPTION', message + where, details)
  }
}

/** The operating system refused a file operation; `cause` is its error. */
export class IOError extends VarveError {
  constructor(message: string, details?: ErrorDetails) {
    super('IO_ERROR', message, details)
  }
}

/** Another opener holds the database; the message names it. */
export class LockedError extends VarveError {
  constructor(message: string, details?: ErrorDetails) {
    super('LOCKED', message, details)
  }
}

/** The database, scan, cursor or snapshot has been closed. */
export class ClosedError extends VarveError {
  constructor(message: string, details?: ErrorDetails) {
    super('CLOSED', message, details)
  }
}

/** The request or the file is valid, but this version of varve, or its host, cannot serve it. */
export class NotSupportedError extends VarveError {
  constructor(message: string, details?: ErrorDetails) {
    super('NOT_SUPPORTED', message, details)
  }
}

/** An argument or option is not of the documented form; nothing was changed. */
export class InvalidArgumentError extends VarveError {
  constructor(message: string, details?: ErrorDetails) {
    super('INVALID_ARGUMENT', message, { outcome: 'not-written', ...details })
  }
}

/** There is no database at the given place, and the call does not create one. */
export class NotFoundError extends VarveError {
  constructor(message: string, details?: ErrorDetails) {
    super('NOT_FOUND', message, details)
  }
}

/** There is a database at the given place, and `errorIfExists` is on; or the target of a checkpoint or restore is not empty. */
export class AlreadyExistsError extends VarveError {
  constructor(message: string, details?: ErrorDetails) {
    super('ALREADY_EXISTS', message, details)
  }
}

/**
 * The database takes no writes: it is open read-only, or the log or the MANIFEST has failed before (`cause`). Nor does a MemTable
 * of which a write was cut off halfway.
 */
export class ReadOnlyError extends VarveError {
  constructor(message: string, details?: ErrorDetails) {
    super('READ_ONLY', message, { outcome: 'not-written', ...details })
  }
}

/** A write waited for room longer than `stallTimeoutMs`, or there was no memory or no file for it; it was not written. */
export class StalledError extends VarveError {
  constructor(message: string, details?: ErrorDetails) {
    super('STALLED', message, { outcome: 'not-written', ...details })
  }
}

/** The caller's AbortSignal fired. */
export class AbortedError extends VarveError {
  constructor(message: string, details?: ErrorDetails) {
    super('ABORTED', message, details)
  }
}

/**
 * What a read-only opening reads from is gone: another process has changed the database since, and removed a file that it needs.
 * Nothing is damaged; open it again.
 */
export class StaleError extends VarveError {
  constructor(message: string, details?: ErrorDetails) {
    super('STALE', message, details)
  }
}

/** An error as plain data that a structured clone keeps whole. */
export interface WireError {
  readonly code: ErrorCode | undefined
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  readonly file: string | undefined
  readonly offset: number | undefined
  readonly osCode: string | undefined
  readonly outcome: WriteOutcome | undefined
}

const CLASSES: Partial<Record<ErrorCode, new (message: string, details?: ErrorDetails) => VarveError>> = {
  IO_ERROR: IOError,
  NOT_SUPPORTED: NotSupportedError,
  INVALID_ARGUMENT: InvalidArgumentError,
  CLOSED: ClosedError,
  READ_ONLY: ReadOnlyError,
  STALLED: StalledError,
  ABORTED: AbortedError,
}

export function toWire(error: unknown): WireError {
  const e = isError(error) ? error : new Error(String(error))
  const varve = e instanceof VarveError ? e : undefined
  return {
    code: varve?.code,
    name: e.name,
    message: e.message,
    stack: e.stack,
    file: varve?.file,
    offset: varve?.offset,
    osCode: systemErrorCode(e),
    outcome: varve?.outcome,
  }
}

export function fromWire(wire: WireError): Error {
  const osError = wire.osCode === undefined ? undefined : Object.assign(new Error(wire.message), { code: wire.osCode })
  const details: ErrorDetails = {
    ...(osError && { cause: osError }),
    ...(wire.file !== undefined && { file: wire.file }),
    ...(wire.offset !== undefined && { offset: wire.offset }),
    ...(wire.outcome !== undefined && { outcome: wire.outcome }),
  }
  const error = revive(wire, details)
  if (wire.stack !== undefined) error.stack = wire.stack
  return error
}

function revive(wire: WireError, details: ErrorDetails): Error {
  if (wire.code === undefined) return Object.assign(new Error(wire.message), { name: wire.name })
  // CorruptionError's constructor adds the place to the message, which on the wire has it already.
  const Class = CLASSES[wire.code]
  if (Class !== undefined) return new Class(wire.message, details)
  const error = new VarveError(wire.code, wire.message, details)
  return wire.code === 'CORRUPTION' ? Object.setPrototypeOf(error, CorruptionError.prototype) : error
}

/** The operating system's code (`ENOSPC`, …) of an error or of its cause, if it has one. */
export function systemErrorCode(error: unknown): string | undefined {
  for (let e = error, depth = 0; isError(e) && depth < 8; e = e.cause, depth++) {
    const { code } = e as { code?: unknown }
    if (!(e instanceof VarveError) && typeof code === 'string') return code
  }
  return undefined
}

/** Whether a file could not be opened because the process, or the system, has too many open: nothing has been done then. */
export function isOutOfDescriptors(error: unknown): boolean {
  return /^(EMFILE|ENFILE)$/.test(systemErrorCode(error) ?? '')
}

/** By its message: an error that Node throws is no instance of the Error of another realm, as test runners give to what they test. */
function isError(error: unknown): error is Error {
  return typeof (error as Error | null | undefined)?.message === 'string'
}

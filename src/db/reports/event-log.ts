/**
 * EventLog: what a database tells its logger: its opening with what recovery found, and every event (events.ts), as an object
 * of figures and a short message. The order of arguments is pino's; console fits as well.
 *
 *   error  the database could not be opened or closed, or takes no more writes; a background job was given up; damage
 *   warn   a log was cut short; writes wait; a background job failed and is tried again; a file could not be removed
 *   info   opened, flushed, compacted, writes go on, closed
 *   debug  a compaction begins, moves a table, or fails (the reason follows, with a level of its own)
 *
 * Fields       every line has `directory`; errors are in `err`, which pino prints with stack, code, file and offset; figures
 *              have their unit in the name, and are those of the events. None is called `level`, `time` or `msg`: a line of
 *              pino's would have two of them
 * Invariants   (1) nothing that a logger does harms the database: what it throws, or rejects with, is dropped, and it is
 *                  asked again at the next line. To raise it would end the process for the sake of a line
 *              (2) without a logger there is no EventLog, and an event costs what it did
 * Threads      called on the database's thread, in the midst of its work: a logger must not call the database
 */
import { CorruptionError } from '../../base/errors.ts'
import type { RecoveryInfo } from '../opening/recovery-info.ts'
import type { BackgroundErrorDetail, CompactionDetail, DBEvents, FlushDetail, StallDetail } from './events.ts'

/** Gets the lines of a database's log. pino and console fit. */
export interface Logger {
  /** Details: work that begins, and its steps. */
  debug(fields: object, message: string): void
  /** Work that was done: opened, flushed, compacted, closed. */
  info(fields: object, message: string): void
  /** Problems that need no action yet: a log that was cut short, writes that wait, a job that is tried again. */
  warn(fields: object, message: string): void
  /** Problems that need action: damage, a job that was given up, no more writes. */
  error(fields: object, message: string): void
}

type LogLevel = keyof Logger

/** What the opening adds to what recovery found. */
export interface OpenedFigures {
  readonly readOnly: boolean
  readonly tables: number
  readonly tableBytes: number
}

export class EventLog {
  readonly #logger: Logger
  readonly #directory: string

  constructor(logger: Logger, directory: string) {
    this.#logger = logger
    this.#directory = directory
  }

  opened(info: RecoveryInfo, figures: OpenedFigures): void {
    const { created, logs, entries, tablesWritten, discarded, manifestTornAt, lastSequence, durationMs } = info
    for (const cut of discarded) this.#write('warn', { ...cut }, 'the log was cut short here: the rest is discarded')
    if (manifestTornAt !== undefined)
      this.#write('warn', { offset: manifestTornAt }, "the MANIFEST's last record was cut off: it is discarded")
    const logBytes = logs.reduce((sum, { bytes }) => sum + bytes, 0)
    const discardedBytes = discarded.reduce((sum, { bytes }) => sum + bytes, 0)
    const replayed = { logs: logs.length, logBytes, entries, tablesWritten, discardedBytes, lastSequence, durationMs }
    this.#write('info', { created, ...figures, ...replayed }, created ? 'database created' : 'database opened')
  }

  /** It could not be opened. */
  refused(error: unknown): void {
    this.#write('error', { err: error }, 'the database could not be opened')
  }

  /** @param error of the closing, if it failed; the directory is let go of all the same */
  closed(durationMs: number, error: unknown): void {
    if (error === undefined) this.#write('info', { durationMs }, 'database closed')
    else this.#write('error', { durationMs, err: error }, 'database closed, with an error')
  }

  /** An event of the database. */
  event<K extends keyof DBEvents>(name: K, detail: DBEvents[K]): void {
    LINES[name](detail, (level, fields, message) => this.#write(level, fields, message))
  }

  #write(level: LogLevel, fields: object, message: string): void {
    try {
      const answer: unknown = this.#logger[level]({ directory: this.#directory, ...fields }, message)
      // Perhaps another realm's promise, or somebody's own: then `instanceof` says no.
      if (answer !== undefined) Promise.resolve(answer).catch(nothing)
    } catch {
      // See invariant 1.
    }
  }
}

type Write = (level: LogLevel, fields: object, message: string) => void

/** The line of each event. */
const LINES: { readonly [K in keyof DBEvents]: (detail: DBEvents[K], write: Write) => void } = {
  flush: flushed,
  compaction: compacted,
  stall: stalled,
  error: ({ error }, write) => write('error', { err: error }, 'log or MANIFEST failed: no more writes until reopened'),
  'background-error': backgroundFailed,
  damage: ({ error }, write) => write('error', { err: error }, 'damage found by a read'),
  'damaged-filter': (detail, write) =>
    write('warn', { ...detail }, 'the filter of a table is damaged: read without it'),
}

function flushed({ table, entries, bytes, durationMs }: FlushDetail, write: Write): void {
  write('info', { table, entries, bytes, durationMs }, 'flushed')
}

function compacted(detail: CompactionDetail, write: Write): void {
  const { phase, reason, level: inputLevel, outputLevel, inputs, outputs, bytesRead, bytesWritten, durationMs } = detail
  const what = { reason, inputLevel, outputLevel, inputs }
  if (phase === 'begin') write('debug', what, 'compaction begins')
  else if (phase === 'move') write('debug', what, 'table moved to the next level')
  else if (phase === 'failed') write('debug', { ...what, durationMs }, 'compaction failed')
  else write('info', { ...what, outputs, bytesRead, bytesWritten, durationMs }, 'compacted')
}

function stalled({ phase, reason, durationMs, immutableMemTables }: StallDetail, write: Write): void {
  if (phase === 'begin') write('warn', { reason, immutableMemTables }, 'writes wait')
  else write('info', { reason, durationMs, immutableMemTables }, 'writes go on')
}

function backgroundFailed({ work, error, attempt, retryMs }: BackgroundErrorDetail, write: Write): void {
  const fields = { work, attempt, err: error }
  if (error instanceof CorruptionError) write('error', fields, `damage found by a ${work}`)
  else if (work === 'removal') write('warn', fields, 'a file could not be removed: the next opening tries again')
  else if (work === 'thread')
    write('warn', { ...fields, retryMs }, 'no worker thread: flushes and compactions run on the calling thread')
  else if (retryMs === undefined) write('error', fields, `${work} failed, and is given up`)
  else write('warn', { ...fields, retryMs }, `${work} failed, and is tried again`)
}

function nothing(): void {}

/**
 * What a database tells while it works, as events of the DB object (an EventTarget); `detail` holds the figures. The same
 * goes to the channels `varve:flush`, `varve:compaction` … of node:diagnostics_channel, with the directory, by its whole path.
 */
import { InvalidArgumentError } from '../../base/errors.ts'
import type { CompactionReason } from '../../version/compaction-reason.ts'

/** A frozen MemTable was written to a table, and the table is installed. */
export interface FlushDetail {
  /** Its number; undefined if nothing had to be written: only range deletes of keys that do not exist, or of whole tables. */
  readonly table: number | undefined
  readonly level: number
  readonly entries: number
  readonly bytes: number
  readonly durationMs: number
}

/** Tables were merged into the next level, or are going to be. */
export interface CompactionDetail {
  /** `move`: a table was moved down as it is. `failed`: see `background-error`, unless the database is closing. */
  readonly phase: 'begin' | 'end' | 'move' | 'failed'
  readonly reason: CompactionReason
  readonly level: number
  readonly outputLevel: number
  /** Tables read. */
  readonly inputs: number
  /** Tables written. This and the figures below are 0 until the end. */
  readonly outputs: number
  readonly bytesRead: number
  readonly bytesWritten: number
  readonly durationMs: number
}

/** Why writes are slowed down or stopped; see StallDetail. */
export type StallReason = 'memtables' | 'level0-tables' | 'compaction-debt'

/** Writes wait, or have stopped waiting. */
export interface StallDetail {
  /** `begin` when writes start to wait, `end` when they go on. */
  readonly phase: 'begin' | 'end'
  /**
   * `memtables`: as many frozen MemTables as are allowed wait for their flush. `level0-tables`: level 0 holds as many
   * tables as it may. `compaction-debt`: compactions have too much left to write.
   */
  readonly reason: StallReason
  /** When the wait began, in milliseconds since the epoch. */
  readonly sinceMs: number
  readonly durationMs: number
  readonly immutableMemTables: number
}

/** The log or the MANIFEST failed: the database takes no more writes. */
export interface ErrorDetail {
  readonly error: Error
}

/**
 * `removal`: a file that is no longer needed could not be removed; the next opening tries again. `thread`: a worker thread could not be
 * started; its work is done on the calling thread. Once, until a thread has worked again.
 */
export type BackgroundWork = 'flush' | 'compaction' | 'removal' | 'thread'

/** A background job failed; it is tried again, or given up. */
export interface BackgroundErrorDetail {
  readonly work: BackgroundWork
  readonly error: Error
  readonly attempt: number
  /** Pause before the next try; undefined if it is given up. */
  readonly retryMs: number | undefined
}

/** The filter of a table is damaged: its reads are slower, but still right. Once for each table. */
export interface DamagedFilterDetail {
  readonly table: number
  /** Path of the table. */
  readonly file: string
}

/** A read found bytes that are not what was written; its caller got the error. Once for each file. */
export interface DamageDetail {
  /** undefined for a MemTable (option memtableChecksums). */
  readonly file: string | undefined
  readonly offset: number | undefined
  readonly error: Error
}

/** The events by their names, each with its `detail`. */
export interface DBEvents {
  readonly flush: FlushDetail
  readonly compaction: CompactionDetail
  readonly stall: StallDetail
  readonly error: ErrorDetail
  readonly 'background-error': BackgroundErrorDetail
  readonly 'damaged-filter': DamagedFilterDetail
  readonly damage: DamageDetail
}

const NAMES: { readonly [K in keyof DBEvents]: true } = {
  flush: true,
  compaction: true,
  stall: true,
  error: true,
  'background-error': true,
  'damaged-filter': true,
  damage: true,
}

/** A listener for anything else would wait in vain. @throws InvalidArgumentError */
export function checkEventName(type: unknown): void {
  if (typeof type === 'string' && Object.hasOwn(NAMES, type)) return
  throw new InvalidArgumentError(`there is no event ${String(type)}, only ${Object.keys(NAMES).join(', ')}`)
}

/** Hands an event to whoever listens. */
export type Emit = <K extends keyof DBEvents>(name: K, detail: DBEvents[K]) => void

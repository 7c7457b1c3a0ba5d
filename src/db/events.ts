/**
 * What a database tells while it works, as events of the DB object (an EventTarget); `detail` holds the figures.
 */

/** A frozen MemTable was written to a table, and the table is installed. */
export interface FlushDetail {
  readonly table: number
  readonly level: number
  readonly entries: number
  readonly bytes: number
  readonly durationMs: number
}

/** Writes wait, or have stopped waiting. */
export interface StallDetail {
  /** `begin` when writes start to wait, `end` when they go on. */
  readonly phase: 'begin' | 'end'
  /** `memtables`: as many frozen MemTables as are allowed wait for their flush. */
  readonly reason: 'memtables'
  /** When the wait began, in milliseconds since the epoch. */
  readonly sinceMs: number
  readonly durationMs: number
  readonly immutableMemTables: number
}

/** The log or the MANIFEST failed: the database takes no more writes. */
export interface ErrorDetail {
  readonly error: Error
}

/** A background job failed; it is tried again, or given up. */
export interface BackgroundErrorDetail {
  readonly error: Error
  readonly attempt: number
  /** undefined if it is not tried again. */
  readonly retryMs: number | undefined
}

/** The filter of a table cannot be used: reads of it are slower, and as right as ever. Told once for each table. */
export interface DamagedFilterDetail {
  readonly table: number
  /** Path of the table. */
  readonly file: string
}

export interface DBEvents {
  readonly flush: FlushDetail
  readonly stall: StallDetail
  readonly error: ErrorDetail
  readonly 'background-error': BackgroundErrorDetail
  readonly 'damaged-filter': DamagedFilterDetail
}

/** Hands an event to whoever listens. */
export type Emit = <K extends keyof DBEvents>(name: K, detail: DBEvents[K]) => void

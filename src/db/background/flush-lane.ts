/**
 * FlushLane: takes frozen MemTables, oldest first and one at a time, to a flush job, and installs what it wrote. What
 * follows a failure is in retry.ts; once flushing is given up, writes are refused when no MemTable is free. A failure of
 * the MANIFEST poisons the database.
 *
 * Threads  belongs to the database's thread
 */
import type { Environment } from '../../base/environment.ts'
import type { FileNumber } from '../../base/types.ts'
import type { TableCache } from '../../cache/table-cache.ts'
import type { FlushJob, FlushResult } from '../../jobs/flush-job.ts'
import type { TableFormat } from '../../jobs/output-format.ts'
import type { TableOutline } from '../../table/table-outline.ts'
import type { FileMetadata } from '../../version/file-metadata.ts'
import type { JobExecutor } from '../../worker/executor.ts'
import type { DatabaseDirectory } from '../opening/database-directory.ts'
import type { MemTableSlot } from '../read/read-state.ts'
import type { Emit } from '../reports/events.ts'
import type { WriteAheadLog } from '../write/write-ahead-log.ts'
import type { FlushPlan } from './flush-plan.ts'
import type { Done } from './installer.ts'
import { type PlanHost, PlannedFlush } from './planned-flush.ts'
import { Retry } from './retry.ts'

/** What the lane asks of the engine. */
export interface FlushHost extends PlanHost {
  readonly place: DatabaseDirectory
  readonly log: WriteAheadLog
  readonly environment: Environment
  readonly format: TableFormat
  readonly emit: Emit
  readonly tables: TableCache
  /** Oldest frozen MemTable, or undefined. */
  oldestImmutable(): MemTableSlot | undefined
  newFileNumber(): FileNumber
  /** Make the table part of the database; an error is one of the MANIFEST, which has poisoned the database. */
  installFlush(slot: MemTableSlot, result: FlushResult, plan: FlushPlan, done: Done): void
  /** Remove tables that a job has written for nothing. */
  discard(tables: readonly FileMetadata[]): void
}

/** Of tables that a job has written, and opened. */
export type Outlines = Map<FileNumber, TableOutline>

interface Running {
  readonly slot: MemTableSlot
  readonly planned: PlannedFlush
  /** The newest log when it began, whose name the job makes durable, and those before it. */
  readonly newestLog: FileNumber
  readonly startMs: number
  readonly outlines: Outlines
}

/** What flushes have done since the opening. */
export interface FlushFigures {
  readonly flushes: number
  readonly bytesWritten: number
  readonly durationMs: number
}

export class FlushLane {
  readonly retry: Retry
  figures: FlushFigures = { flushes: 0, bytesWritten: 0, durationMs: 0 }
  readonly #host: FlushHost
  readonly #executor: JobExecutor
  /** Something has changed. */
  readonly #changed: () => void
  #running: Running | undefined = undefined
  #isClosed = false

  constructor(host: FlushHost, executor: JobExecutor, changed: () => void) {
    this.#host = host
    this.#executor = executor
    this.#changed = changed
    this.retry = new Retry('flush', host.environment, host.emit, changed)
  }

  /** Why no flush can be waited for; undefined if one can. */
  get failure(): Error | undefined {
    return this.retry.failure
  }

  get isRunning(): boolean {
    return this.#running !== undefined
  }

  /** Start the next flush, if there is one to do and none under way. @returns whether one was started */
  start(): boolean {
    if (this.#isClosed || this.isRunning || this.retry.isHeld) return false
    const slot = this.#host.oldestImmutable()
    if (slot === undefined) return false
    const { place, log, environment, format, tables } = this.#host
    // Of the names that the job makes durable, the logs' are older than itself.
    const { failures } = place
    try {
      log.renewNames()
    } catch (error) {
      this.retry.failed(error as Error)
      this.#changed()
      return true
    }
    const { path: directory } = place
    const number = this.#host.newFileNumber()
    const planned = new PlannedFlush(this.#host, slot.table)
    const { below } = planned.plan
    const startMs = environment.clock.monotonicMs()
    const running: Running = { slot, planned, newestLog: log.number, startMs, outlines: new Map() }
    this.#running = running
    const outlineBytesMax = tables.bytesMax - tables.bytes
    const memtable = slot.table.share()
    const job: FlushJob = { kind: 'flush', directory, number, memtable, below, format, outlineBytesMax }
    this.#executor.start(
      job,
      place.watched((error, result) => this.#finished(running, error, result), failures),
      (...table) => running.outlines.set(...table),
    )
    return true
  }

  close(): void {
    this.#isClosed = true
    this.retry.close()
  }

  #finished(running: Running, error: Error | undefined, result: FlushResult | undefined): void {
    if (this.#isClosed) return
    if (error !== undefined || result === undefined) {
      if (result?.file !== undefined) this.#host.discard([result.file])
      this.#end(running, () => this.retry.failed(error as Error))
      return
    }
    this.#host.log.namesAreDurable(running.newestLog)
    this.#host.installFlush(running.slot, result, running.planned.plan, (failure) => {
      this.#end(running, () => {
        if (failure === undefined) this.#installed(running, result)
        else this.retry.giveUp(failure)
      })
    })
  }

  #end({ planned }: Running, note: () => void): void {
    this.#running = undefined
    note()
    planned.end()
    this.#changed()
  }

  #installed({ startMs, outlines }: Running, result: FlushResult): void {
    const { environment, emit, tables } = this.#host
    for (const [number, outline] of outlines) tables.expect(number, outline)
    this.retry.succeeded()
    const durationMs = environment.clock.monotonicMs() - startMs
    const { file, entries } = result
    const bytes = file?.bytes ?? 0
    const before = this.figures
    this.figures = {
      flushes: before.flushes + 1,
      bytesWritten: before.bytesWritten + bytes,
      durationMs: before.durationMs + durationMs,
    }
    emit('flush', { table: file?.number, level: 0, entries, bytes, durationMs })
  }
}

/**
 * FlushLane: takes frozen MemTables, oldest first and one at a time, to a flush job, and installs what it wrote. What
 * follows a failure is in retry.ts; once flushing is given up, writes are refused when no MemTable is free. A failure of
 * the MANIFEST poisons the database.
 *
 * Threads  belongs to the database's thread
 */
import type { Environment } from '../base/environment.ts'
import type { FileNumber } from '../base/types.ts'
import type { TableCache } from '../cache/table-cache.ts'
import type { FlushJob, FlushResult } from '../jobs/flush-job.ts'
import type { TableFormat } from '../jobs/output-format.ts'
import type { TableOutline } from '../table/table-outline.ts'
import type { JobExecutor } from '../worker/executor.ts'
import type { Emit } from './events.ts'
import type { FlushPlan } from './flush-plan.ts'
import type { Done } from './installer.ts'
import { type PlanHost, PlannedFlush } from './planned-flush.ts'
import type { MemTableSlot } from './read-state.ts'
import { Retry } from './retry.ts'

/** What the lane asks of the engine. */
export interface FlushHost extends PlanHost {
  readonly directory: string
  readonly environment: Environment
  readonly format: TableFormat
  readonly emit: Emit
  readonly tables: TableCache
  /** Oldest frozen MemTable, or undefined. */
  oldestImmutable(): MemTableSlot | undefined
  newFileNumber(): FileNumber
  /** Make the table part of the database; an error is one of the MANIFEST, which has poisoned the database. */
  installFlush(slot: MemTableSlot, result: FlushResult, plan: FlushPlan, done: Done): void
}

/** Of tables that a job has written, and opened. */
export type Outlines = Map<FileNumber, TableOutline>

export class FlushLane {
  readonly retry: Retry
  readonly #host: FlushHost
  readonly #executor: JobExecutor
  /** Something has changed. */
  readonly #changed: () => void
  #isRunning = false
  /** Milliseconds that flushes have taken. */
  #totalMs = 0
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

  get totalMs(): number {
    return this.#totalMs
  }

  get isRunning(): boolean {
    return this.#isRunning
  }

  /** Start the next flush, if there is one to do and none under way. @returns whether one was started */
  start(): boolean {
    if (this.#isClosed || this.isRunning || this.retry.isHeld) return false
    const slot = this.#host.oldestImmutable()
    if (slot === undefined) return false
    const { directory, environment, format, tables } = this.#host
    const planned = new PlannedFlush(this.#host, slot.table)
    const { below } = planned.plan
    const number = this.#host.newFileNumber()
    this.#isRunning = true
    const startMs = environment.clock.monotonicMs()
    const outlines: Outlines = new Map()
    const outlineBytesMax = tables.bytesMax - tables.bytes
    const memtable = slot.table.share()
    const job: FlushJob = { kind: 'flush', directory, number, memtable, below, format, outlineBytesMax }
    this.#executor.start(
      job,
      (error, result) => this.#finished(slot, planned, startMs, outlines, error, result),
      (...table) => outlines.set(...table),
    )
    return true
  }

  close(): void {
    this.#isClosed = true
    this.retry.close()
  }

  #finished(
    slot: MemTableSlot,
    planned: PlannedFlush,
    startMs: number,
    outlines: Outlines,
    error: Error | undefined,
    result: FlushResult | undefined,
  ): void {
    if (this.#isClosed) return
    if (error !== undefined || result === undefined) {
      this.#end(planned, () => this.retry.failed(error as Error))
      return
    }
    this.#host.installFlush(slot, result, planned.plan, (failure) => {
      this.#end(planned, () => {
        if (failure === undefined) this.#installed(startMs, outlines, result)
        else this.retry.giveUp(failure)
      })
    })
  }

  #end(planned: PlannedFlush, note: () => void): void {
    this.#isRunning = false
    note()
    planned.end()
    this.#changed()
  }

  #installed(startMs: number, outlines: Outlines, result: FlushResult): void {
    const { environment, emit, tables } = this.#host
    for (const [number, outline] of outlines) tables.expect(number, outline)
    this.retry.succeeded()
    const durationMs = environment.clock.monotonicMs() - startMs
    this.#totalMs += durationMs
    const { file, entries } = result
    emit('flush', { table: file?.number, level: 0, entries, bytes: file?.bytes ?? 0, durationMs })
  }
}

/**
 * Background: takes frozen MemTables, oldest first, to a flush job and installs what it wrote; tries again after a failure,
 * and gives up after a while. One flush at a time.
 *
 * Failures   A table's failed write concerns no acknowledged data, which is in the log. The job is tried again with a new
 *            file number (a file whose fsync failed is never synced again): three times with growing pauses, or for an
 *            hour every ten seconds if the disk is full. Then flushing stops, and writes are refused once no MemTable is
 *            free; `tryAgain` begins anew. A failure of the MANIFEST poisons the database.
 * Threads    belongs to the database's thread
 */
import type { Environment } from '../base/environment.ts'
import { systemErrorCode } from '../base/errors.ts'
import type { FileNumber } from '../base/types.ts'
import type { FlushJob, FlushResult, TableFormat } from '../jobs/flush-job.ts'
import type { JobExecutor } from '../worker/executor.ts'
import type { Emit } from './events.ts'
import type { FlushPlan } from './flush-plan.ts'
import type { MemTableSlot } from './read-state.ts'

const ATTEMPTS_MAX = 3
const FIRST_PAUSE_MS = 100
const LAST_PAUSE_MS = 10_000
const DISK_FULL_PAUSE_MS = 10_000
const DISK_FULL_ATTEMPTS_MAX = 360

/** What Background asks of the engine. */
export interface FlushHost {
  readonly directory: string
  readonly environment: Environment
  readonly format: TableFormat
  readonly emit: Emit
  /** Oldest frozen MemTable, or undefined. */
  oldestImmutable(): MemTableSlot | undefined
  newFileNumber(): FileNumber
  /** Decide what the flush does to the tables below, which stay for the job to read until `endFlush`. */
  beginFlush(slot: MemTableSlot): FlushPlan
  /** The flush has been installed, or has failed. */
  endFlush(): void
  /** Make the table part of the database; throws if the MANIFEST failed (and has poisoned the database). */
  installFlush(slot: MemTableSlot, result: FlushResult): void
}

export class Background {
  readonly #host: FlushHost
  readonly #executor: JobExecutor
  readonly #waiters: (() => void)[] = []
  /** The number that a running job writes to; it must not be taken for an orphan. */
  #output: FileNumber | undefined = undefined
  #attempt = 0
  #failureCount = 0
  #lastError: Error | undefined = undefined
  #retryAtMs = 0
  #cancelRetry: () => void = nothing
  #failure: Error | undefined = undefined
  #closed = false

  constructor(host: FlushHost, executor: JobExecutor) {
    this.#host = host
    this.#executor = executor
  }

  /** Why flushing has been given up, if it has. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /** Attempts that have failed, ever. */
  get failureCount(): number {
    return this.#failureCount
  }

  /** Why the last failed attempt failed. */
  get lastError(): Error | undefined {
    return this.#lastError
  }

  get outputNumber(): FileNumber | undefined {
    return this.#output
  }

  /** Start the next flush, if there is one to do and none under way. */
  schedule(): void {
    if (this.#closed || this.#failure !== undefined || this.#output !== undefined || this.#retryAtMs > 0) return
    const slot = this.#host.oldestImmutable()
    if (slot === undefined) return
    const { directory, environment, format } = this.#host
    const { below } = this.#host.beginFlush(slot)
    const number = this.#host.newFileNumber()
    this.#output = number
    const startMs = environment.clock.monotonicMs()
    const job: FlushJob = { kind: 'flush', directory, number, memtable: slot.table.share(), below, format }
    this.#executor.start(job, (error, result) => this.#finished(slot, startMs, error, result))
  }

  /** Whoever asks for a flush does not wait for a pause to end, nor take an earlier giving up for an answer. */
  tryAgain(): void {
    if (this.#failure !== undefined) this.#attempt = 0
    this.#failure = undefined
    this.#retry()
  }

  /** Deliver what has come in. */
  poll(): void {
    this.#executor.poll()
  }

  /** Sleep on this thread until something changes, for at most `timeoutMs`. */
  waitSync(timeoutMs: number): void {
    if (this.#retryAtMs === 0) {
      this.#executor.waitSync(timeoutMs)
      return
    }
    // No timer runs while this thread sleeps, so the pause before a retry is slept out here.
    const pauseMs = Math.min(timeoutMs, this.#retryAtMs - this.#host.environment.clock.monotonicMs())
    if (pauseMs > 0) this.#host.environment.sleep(pauseMs)
    if (this.#host.environment.clock.monotonicMs() >= this.#retryAtMs) this.#retry()
  }

  /** Call `waiter` once, at the next change: a flush installed, failed or given up, or the end. */
  onChange(waiter: () => void): void {
    this.#waiters.push(waiter)
  }

  /** Tell those who wait that something has changed. */
  changed(): void {
    for (const waiter of this.#waiters.splice(0)) waiter()
  }

  close(): void {
    this.#closed = true
    this.#cancelRetry()
    this.#executor.close()
    this.changed()
  }

  #finished(slot: MemTableSlot, startMs: number, error: Error | undefined, result: FlushResult | undefined): void {
    if (this.#closed) return
    this.#output = undefined
    if (error === undefined && result !== undefined) this.#install(slot, startMs, result)
    else this.#failed(error as Error)
    this.#host.endFlush()
    this.changed()
    this.schedule()
  }

  #install(slot: MemTableSlot, startMs: number, result: FlushResult): void {
    const { environment, emit } = this.#host
    try {
      this.#host.installFlush(slot, result)
    } catch (error) {
      this.#failure = error as Error
      return
    }
    this.#attempt = 0
    const durationMs = environment.clock.monotonicMs() - startMs
    const { file, entries } = result
    emit('flush', { table: file?.number, level: 0, entries, bytes: file?.bytes ?? 0, durationMs })
  }

  #failed(error: Error): void {
    this.#attempt++
    this.#failureCount++
    this.#lastError = error
    const isFull = /^(ENOSPC|EDQUOT)$/.test(systemErrorCode(error) ?? '')
    const isLast = this.#attempt >= (isFull ? DISK_FULL_ATTEMPTS_MAX : ATTEMPTS_MAX)
    const pauseMs = isFull ? DISK_FULL_PAUSE_MS : Math.min(FIRST_PAUSE_MS * 10 ** (this.#attempt - 1), LAST_PAUSE_MS)
    const { environment, emit } = this.#host
    emit('background-error', { error, attempt: this.#attempt, retryMs: isLast ? undefined : pauseMs })
    if (isLast) {
      this.#failure = error
      return
    }
    this.#retryAtMs = environment.clock.monotonicMs() + pauseMs
    this.#cancelRetry = environment.later(pauseMs, () => this.#retry(), true)
  }

  #retry(): void {
    this.#cancelRetry()
    this.#retryAtMs = 0
    this.schedule()
  }
}

function nothing(): void {}

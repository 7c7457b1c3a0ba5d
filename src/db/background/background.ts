/**
 * Background: the work behind the writes, in two lanes: flushes, and compactions. Each lane has at most one job under way,
 * both may have one at once, and a flush that can start comes first. Here is also where somebody waits for either.
 *
 * Threads  belongs to the database's thread
 */
import type { Environment } from '../../base/environment.ts'
import type { JobExecutor } from '../../worker/executor.ts'
import type { StallReason } from '../reports/events.ts'
import { type CompactionHost, CompactionLane } from './compaction-lane.ts'
import { type FlushHost, FlushLane } from './flush-lane.ts'

export class Background {
  readonly flushes: FlushLane
  readonly compactions: CompactionLane
  readonly #environment: Environment
  readonly executor: JobExecutor
  readonly #waiters: (() => void)[] = []
  #isScheduling = false
  /** Since it was closed: fulfilled when no job can touch a file any more. */
  ended: Promise<unknown> = Promise.resolve()

  constructor(host: FlushHost & CompactionHost, executor: JobExecutor) {
    this.#environment = host.environment
    this.executor = executor
    const changed = (): void => {
      this.changed()
      this.schedule()
    }
    this.flushes = new FlushLane(host, executor, changed)
    this.compactions = new CompactionLane(host, executor, changed)
  }

  get isRunning(): boolean {
    return this.flushes.isRunning || this.compactions.isRunning
  }

  /** What a write that is stopped for that reason waits for. */
  laneFor(reason: StallReason): FlushLane | CompactionLane {
    return reason === 'memtables' ? this.flushes : this.compactions
  }

  /** Start what there is to do. Inline, a job has ended when it has been started, so this goes on until all is done. */
  schedule(): void {
    if (this.#isScheduling) return
    this.#isScheduling = true
    try {
      while (this.flushes.start() || this.compactions.start());
    } finally {
      this.#isScheduling = false
    }
  }

  /** Somebody asks for a flush: wait for no pause, and begin anew with what has been given up. */
  tryAgain(): void {
    this.flushes.retry.tryAgain()
    if (this.compactions.retry.failure !== undefined) this.compactions.retry.tryAgain()
  }

  /** Deliver what has come in. */
  poll(): void {
    this.executor.poll()
  }

  /** Sleep on this thread until something changes, for at most `timeoutMs`. */
  waitSync(timeoutMs: number): void {
    // If a listener waits, the code that called it has not yet started what comes next.
    if (this.flushes.start() || this.compactions.start()) return
    const lanes = [this.flushes, this.compactions]
    const pauseMs = Math.min(timeoutMs, ...lanes.map(({ retry }) => retry.pauseMs))
    // No timer runs while this thread sleeps, so the pause before a retry is slept out here.
    if (this.isRunning || pauseMs === timeoutMs) this.executor.waitSync(pauseMs)
    else if (pauseMs > 0) this.#environment.sleep(pauseMs)
    for (const { retry } of lanes) retry.wake()
  }

  /** Call `waiter` once, at the next change: a job installed, failed or given up, or the end. */
  onChange(waiter: () => void): void {
    this.#waiters.push(waiter)
  }

  /** Tell those who wait that something has changed. */
  changed(): void {
    for (const waiter of this.#waiters.splice(0)) waiter()
  }

  /** Begin nothing more, and follow nothing up. */
  abandon(): void {
    this.flushes.close()
    this.compactions.close()
  }

  close(): void {
    this.abandon()
    this.ended = this.executor.close()
    this.changed()
  }
}

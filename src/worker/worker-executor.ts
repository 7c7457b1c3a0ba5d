/**
 * WorkerExecutor: runs jobs on worker threads: flushes and chores on the first, compactions and samples on the second, which lets
 * others go first; or both on one, which then takes up a flush between two slices of a compaction, and waits for nobody. Where a thread
 * cannot be had, its jobs run inline.
 *
 * A synchronous loop on the owner's thread never lets a message event in. `waitSync` therefore sleeps on the bell, a
 * shared word that every worker bumps after each answer, and takes the answer from the port by hand; the event then does
 * not fire, so an outcome is delivered once, whichever way comes first. That a thread ended before it began, nothing tells
 * who sleeps: for the first answer of a thread, it sleeps no longer than a thread may take to begin.
 *
 * Closing sets the other shared word, on which a worker gives up its compaction between two slices and removes what it
 * wrote. A worker that has not done so after a while is ended where it stands; it may be in a call that writes even then,
 * until it has ended.
 */
import type { Environment } from '../base/environment.ts'
import { sharedMemory } from '../base/shared-memory.ts'
import type { Opened } from '../jobs/written-tables.ts'
import { DirectorySyncs } from './directory-syncs.ts'
import type { JobExecutor, JobOutcome } from './executor.ts'
import { BELL, type Job, type ResultOf, SIGNAL_WORDS, STOP } from './messages.ts'
import { type NoThread, ThreadSupply } from './thread-supply.ts'
import { WorkerLane } from './worker-lane.ts'

/** A slice takes some 10 ms; an fsync in it may take far longer. */
const ABORT_WAIT_MS = 2000

export class WorkerExecutor implements JobExecutor {
  readonly #environment: Environment
  readonly #inline: JobExecutor
  readonly #threads: ThreadSupply
  readonly #signals = new Int32Array(sharedMemory(4 * SIGNAL_WORDS))
  readonly #flushes: WorkerLane
  readonly #compactions: WorkerLane
  /** Both, or the one that serves for both. */
  readonly #lanes: readonly WorkerLane[]

  /**
   * @param inline runs the jobs where there is no thread; is closed with this one
   * @param threads one for all jobs, or more for a thread of its own for each kind
   * @param noThread told if there are threads, and one cannot be had
   * @param syncs where the threads announce their syncs of the directory
   */
  constructor(
    environment: Environment,
    inline: JobExecutor,
    threads: number,
    noThread: NoThread,
    syncs: DirectorySyncs = new DirectorySyncs(environment),
  ) {
    this.#environment = environment
    this.#inline = inline
    this.#threads = new ThreadSupply(environment, noThread)
    const lane = (isPatient: boolean): WorkerLane =>
      new WorkerLane(environment, this.#threads, inline, this.#signals.buffer, syncs, isPatient)
    this.#flushes = lane(false)
    this.#compactions = threads > 1 ? lane(true) : this.#flushes
    this.#lanes = threads > 1 ? [this.#flushes, this.#compactions] : [this.#flushes]
  }

  start<J extends Job>(job: J, outcome: JobOutcome<J>, opened?: Opened): void {
    const lane = job.kind === 'compact' || job.kind === 'sample' ? this.#compactions : this.#flushes
    lane.start(job, (error, result) => outcome(error, result as ResultOf<J> | undefined), opened)
  }

  poll(): boolean {
    let hasDelivered = this.#inline.poll()
    for (const lane of this.#lanes) if (lane.poll()) hasDelivered = true
    return hasDelivered
  }

  startNoThread(): void {
    this.#threads.close()
  }

  waitSync(timeoutMs: number): void {
    const heard = Atomics.load(this.#signals, BELL)
    if (this.poll()) return
    if (!this.#isRunning()) {
      this.#inline.waitSync(timeoutMs)
      return
    }
    const loadingMs = Math.min(...this.#lanes.map((lane) => lane.loadingMs))
    this.#environment.waitWhile(this.#signals, BELL, heard, Math.min(timeoutMs, loadingMs))
    this.poll()
    for (const lane of this.#lanes) lane.stopLoading()
  }

  close(): Promise<unknown> {
    const isInlineClosed = this.#inline.close()
    for (const lane of this.#lanes) lane.silence()
    this.#abortCompactions()
    return Promise.all([isInlineClosed, ...this.#lanes.map((lane) => lane.terminate())])
  }

  #isRunning(): boolean {
    return this.#lanes.some((lane) => lane.isRunning())
  }

  #abortCompactions(): void {
    Atomics.store(this.#signals, STOP, 1)
    for (;;) {
      const heard = Atomics.load(this.#signals, BELL)
      this.#compactions.poll()
      if (!this.#compactions.isRunning('compact')) return
      if (this.#environment.waitWhile(this.#signals, BELL, heard, ABORT_WAIT_MS)) return
    }
  }
}

/**
 * WorkerLane: one worker thread and the jobs that it has been given. The thread starts with the first job, and keeps the
 * process alive only while it has work. A thread that dies fails its jobs, and a job that cannot be handed over fails by itself;
 * one that has had no job for some time is ended. The next job starts a new thread, if there is none. Where there is none to be had, or
 * it ends before it has taken a message, its jobs run inline.
 *
 * Timers   One while a thread loads its modules, which is done without if it takes too long. And one that is set when a thread is left
 *          without a job. A job only marks that there was one: the timer is then set once more.
 * Threads  belongs to the owner's thread
 */
import type { Environment, WorkerThread } from '../base/environment.ts'
import { fromWire, IOError, toWire } from '../base/errors.ts'
import type { Opened } from '../jobs/written-tables.ts'
import type { DirectorySyncs } from './directory-syncs.ts'
import { type JobExecutor, type JobOutcome, ThreadEndedError } from './executor.ts'
import type { AnswerMessage, EndedMessage, Job, OpenedMessage, RunMessage } from './messages.ts'
import type { ThreadSupply } from './thread-supply.ts'

/**
 * A thread is ended when it has been idle for this long, and for twice as long at the most. Starting one takes about 0.1 s: however
 * often jobs come, no more than three thousandths of the time goes into that.
 */
const IDLE_MS = 30_000

/** A synchronous writer, to whom no event tells that a thread has ended, waits so long for one to begin: on a busy machine, it takes a second. */
const LOADING_MS = 3000
/** Where nobody sleeps, it may take longer: until one runs out of memory, a quarter of a minute. One that hangs would be waited for in vain. */
const LOADING_MS_MAX = 60_000

/** Jobs that sync the directory. */
const SYNCING: ReadonlySet<Job['kind']> = new Set<Job['kind']>(['flush', 'compact', 'sync'])

interface Running {
  readonly job: Job
  readonly outcome: JobOutcome
  readonly opened: Opened | undefined
}

export class WorkerLane {
  readonly #environment: Environment
  readonly #threads: ThreadSupply
  /** Runs the jobs where there is no thread. */
  readonly #inline: JobExecutor
  readonly #signals: SharedArrayBuffer
  readonly #syncs: DirectorySyncs
  readonly #isPatient: boolean
  /** In the syncs. */
  readonly #number: number
  readonly #running = new Map<number, Running>()
  /** Threads that were ended, until they are at their end. */
  readonly #ending = new Set<Promise<unknown>>()
  #thread: WorkerThread | undefined = undefined
  /** Until when the thread may load its modules, on the monotonic clock; Infinity once it is known to have done so. */
  #loadedByMs = Number.POSITIVE_INFINITY
  /** There was no job since the timer was set. */
  #isIdle = true
  #cancelTimer: (() => void) | undefined = undefined
  #cancelLoading: (() => void) | undefined = undefined
  /** What follows for jobs that have lost their thread. A listener that one of them calls may wait for the next, and then polls. */
  readonly #lost: (() => void)[] = []
  #nextId = 1

  /** @param isPatient whether its jobs may wait for the process's other threads */
  constructor(
    environment: Environment,
    threads: ThreadSupply,
    inline: JobExecutor,
    signals: SharedArrayBuffer,
    syncs: DirectorySyncs,
    isPatient: boolean,
  ) {
    this.#environment = environment
    this.#threads = threads
    this.#inline = inline
    this.#signals = signals
    this.#syncs = syncs
    this.#isPatient = isPatient
    this.#number = isPatient ? 1 : 0
  }

  /** Whether a job was given to the thread and not answered yet; of that kind, if one is named. */
  isRunning(kind?: Job['kind']): boolean {
    if (kind === undefined) return this.#running.size > 0
    return [...this.#running.values()].some(({ job }) => job.kind === kind)
  }

  start(job: Job, outcome: JobOutcome, opened?: Opened): void {
    const thread = this.#thread ?? this.#startThread()
    if (thread === undefined) {
      this.#runInline([{ job, outcome, opened }])
      return
    }
    const id = this.#nextId++
    this.#isIdle = false
    this.#running.set(id, { job, outcome, opened })
    thread.keepAlive(true)
    const { memory: syncs } = this.#syncs
    const message: RunMessage = { type: 'run', id, job, signals: this.#signals, syncs, thread: this.#number }
    try {
      thread.post(message)
    } catch (error) {
      this.#deliver({ type: 'failed', id, error: toWire(error) })
    }
  }

  /** Deliver what has arrived. @returns whether there was an outcome */
  poll(): boolean {
    let hasDelivered = this.#followLost()
    while (this.#running.size > 0 && this.#thread !== undefined) {
      const message = this.#thread.receiveNow() as AnswerMessage | OpenedMessage | EndedMessage | undefined
      if (message === undefined) break
      if (message.type === 'ended') this.#threadEnded(this.#thread, undefined)
      else this.#heard(message)
      if (message.type !== 'opened') hasDelivered = true
    }
    return hasDelivered
  }

  /** How long a thread that has jobs, and may not have begun, is waited for; Infinity if there is none. */
  get loadingMs(): number {
    if (this.#running.size === 0) return Number.POSITIVE_INFINITY
    return Math.max(0, this.#loadedByMs - this.#environment.clock.monotonicMs())
  }

  /** If the thread has not begun in all that time, do its jobs without it. @param waitedMs how long it has been waited for */
  stopLoading(waitedMs: number = LOADING_MS): void {
    const thread = this.#thread
    if (thread === undefined || this.loadingMs > 0) return
    if (!thread.callOff()) {
      this.#begun()
      return
    }
    this.#endThread()
    this.#notBegun(new Error(`it has not begun after ${waitedMs} ms`))
  }

  /** From now on, an answer ends its job here, and nobody is told. A thread that has not begun answers none. */
  silence(): void {
    this.#lost.length = 0
    if (this.#thread?.callOff() === true) this.#running.clear()
    for (const [id, { job }] of this.#running) this.#running.set(id, { job, outcome: nothing, opened: undefined })
  }

  /** @returns fulfilled when the thread has ended, and those before it */
  terminate(): Promise<unknown> {
    this.#cancelTimer?.()
    this.#running.clear()
    this.#endThread()
    return Promise.all(this.#ending)
  }

  #startThread(): WorkerThread | undefined {
    const thread = this.#threads.start(this.#isPatient)
    if (thread === undefined) return undefined
    this.#loadedByMs = this.#environment.clock.monotonicMs() + LOADING_MS
    this.#cancelLoading = this.#environment.later(LOADING_MS_MAX, () => this.stopLoading(LOADING_MS_MAX))
    thread.onMessage((message) => {
      // The event of the thread's exit comes as well, and knows why.
      if ((message as EndedMessage).type !== 'ended') this.#heard(message as AnswerMessage | OpenedMessage)
    })
    thread.onExit((error) => this.#threadEnded(thread, error))
    this.#thread = thread
    return thread
  }

  #heard(answer: AnswerMessage | OpenedMessage): void {
    if (this.#loadedByMs < Number.POSITIVE_INFINITY) this.#begun()
    this.#deliver(answer)
  }

  #begun(): void {
    this.#cancelLoading?.()
    this.#loadedByMs = Number.POSITIVE_INFINITY
    this.#threads.succeeded()
  }

  #deliver(answer: AnswerMessage | OpenedMessage): void {
    const running = this.#running.get(answer.id)
    if (running === undefined) return
    if (answer.type === 'opened') {
      running.opened?.(answer.number, answer.outline)
      return
    }
    this.#running.delete(answer.id)
    if (this.#running.size === 0) this.#workIsDone()
    if (answer.type === 'done') running.outcome(undefined, answer.result)
    else running.outcome(fromWire(answer.error), undefined)
  }

  #workIsDone(): void {
    this.#thread?.keepAlive(false)
    if (this.#cancelTimer === undefined) this.#setTimer()
  }

  #setTimer(): void {
    this.#isIdle = true
    this.#cancelTimer = this.#environment.later(IDLE_MS, () => this.#look())
  }

  #look(): void {
    this.#cancelTimer = undefined
    // A job that is under way sets the timer when it is done.
    if (this.#thread === undefined || this.#running.size > 0) return
    if (this.#isIdle) this.#endThread()
    else this.#setTimer()
  }

  #endThread(): void {
    const thread = this.#thread
    if (thread === undefined) return
    this.#cancelLoading?.()
    this.#thread = undefined
    const end = thread.terminate()
    this.#ending.add(end)
    // One that fails to end stays, for whoever closes to hear of it.
    end.then(() => this.#ending.delete(end), nothing)
  }

  #threadEnded(thread: WorkerThread, cause: Error | undefined): void {
    if (thread !== this.#thread) return
    this.#cancelLoading?.()
    this.#thread = undefined
    this.#syncs.threadEnded(this.#number)
    if (thread.callOff()) {
      this.#notBegun(cause)
      return
    }
    const why = cause === undefined ? '' : ` (${cause.message})`
    const error = new ThreadEndedError(`the worker thread ended before its job was done${why}`, { cause })
    for (const { outcome } of this.#takeJobs()) this.#lost.push(() => outcome(error, undefined))
    this.#followLost()
  }

  /** Nothing has been done of its jobs. */
  #notBegun(cause: Error | undefined): void {
    const why = cause?.message ?? 'it ended before it took a job'
    this.#threads.failed(new IOError(`a worker thread could not begin: ${why}`, { cause }))
    this.#runInline(this.#takeJobs())
  }

  #runInline(jobs: readonly Running[]): void {
    for (const { job, outcome } of jobs) {
      // If it has synced the directory: as a thread does before it answers.
      const settled: JobOutcome = (error, result) => {
        const isSettled = error !== undefined || !SYNCING.has(job.kind) || this.#syncs.settle()
        outcome(isSettled ? error : new IOError('a sync of the directory on another thread does not end'), result)
      }
      this.#lost.push(() => this.#inline.start(job, settled))
    }
    this.#followLost()
    this.#threads.tell()
  }

  #takeJobs(): Running[] {
    const jobs = [...this.#running.values()]
    this.#running.clear()
    return jobs
  }

  /** @returns whether anything followed */
  #followLost(): boolean {
    const isAny = this.#lost.length > 0
    for (let step = this.#lost.shift(); step !== undefined; step = this.#lost.shift()) step()
    return isAny
  }
}

function nothing(): void {}

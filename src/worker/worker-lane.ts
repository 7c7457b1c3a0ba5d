/**
 * WorkerLane: one worker thread and the jobs that it has been given. The thread starts with the first job, and keeps the
 * process alive only while it has work. A thread that dies fails its jobs, and a job that cannot be handed over fails by itself;
 * one that has had no job for some time is ended. The next job starts a new thread, if there is none.
 *
 * Timers   One at most, set when a thread is left without a job. A job only marks that there was one: the timer is then set once more.
 * Threads  belongs to the owner's thread
 */
import type { Environment, WorkerThread } from '../base/environment.ts'
import { fromWire, toWire } from '../base/errors.ts'
import type { Opened } from '../jobs/written-tables.ts'
import { type JobOutcome, ThreadEndedError } from './executor.ts'
import type { AnswerMessage, EndedMessage, Job, OpenedMessage, RunMessage } from './messages.ts'

/**
 * A thread is ended when it has been idle for this long, and for twice as long at the most. Starting one takes about 0.1 s: however
 * often jobs come, no more than three thousandths of the time goes into that.
 */
const IDLE_MS = 30_000

interface Running {
  readonly kind: Job['kind']
  readonly outcome: JobOutcome
  readonly opened: Opened | undefined
}

export class WorkerLane {
  readonly #environment: Environment
  readonly #signals: SharedArrayBuffer
  readonly #isPatient: boolean
  readonly #running = new Map<number, Running>()
  /** Threads that were ended, until they are at their end. */
  readonly #ending = new Set<Promise<unknown>>()
  #thread: WorkerThread | undefined = undefined
  #mayStart = true
  /** There was no job since the timer was set. */
  #isIdle = true
  #cancelTimer: (() => void) | undefined = undefined
  #nextId = 1

  /** @param isPatient whether its jobs may wait for the process's other threads */
  constructor(environment: Environment, signals: SharedArrayBuffer, isPatient: boolean) {
    this.#environment = environment
    this.#signals = signals
    this.#isPatient = isPatient
  }

  /** Whether a job was given to the thread and not answered yet; of that kind, if one is named. */
  isRunning(kind?: Job['kind']): boolean {
    if (kind === undefined) return this.#running.size > 0
    return [...this.#running.values()].some((running) => running.kind === kind)
  }

  /** @returns false if there is no thread, and none to be had or wanted; nothing has been done then */
  start(job: Job, outcome: JobOutcome, opened?: Opened): boolean {
    const thread = this.#thread ?? this.#startThread()
    if (thread === undefined) return false
    const id = this.#nextId++
    this.#isIdle = false
    this.#running.set(id, { kind: job.kind, outcome, opened })
    thread.keepAlive(true)
    const message: RunMessage = { type: 'run', id, job, signals: this.#signals }
    try {
      thread.post(message)
    } catch (error) {
      this.#deliver({ type: 'failed', id, error: toWire(error) })
    }
    return true
  }

  startNoThread(): void {
    this.#mayStart = false
  }

  /** Deliver what has arrived. @returns whether there was an outcome */
  poll(): boolean {
    let hasDelivered = false
    while (this.#running.size > 0 && this.#thread !== undefined) {
      const message = this.#thread.receiveNow() as AnswerMessage | OpenedMessage | EndedMessage | undefined
      if (message === undefined) break
      if (message.type === 'ended') this.#threadEnded(this.#thread, undefined)
      else this.#deliver(message)
      if (message.type !== 'opened') hasDelivered = true
    }
    return hasDelivered
  }

  /** From now on, an answer ends its job here, and nobody is told. */
  silence(): void {
    for (const [id, { kind }] of this.#running) this.#running.set(id, { kind, outcome: nothing, opened: undefined })
  }

  /** @returns fulfilled when the thread has ended, and those before it */
  terminate(): Promise<unknown> {
    this.#cancelTimer?.()
    this.#running.clear()
    this.#endThread()
    return Promise.all(this.#ending)
  }

  #startThread(): WorkerThread | undefined {
    const thread = this.#mayStart ? this.#environment.startWorker(this.#isPatient) : undefined
    if (thread === undefined) return undefined
    thread.onMessage((message) => {
      // The event of the thread's exit comes as well, and knows why.
      if ((message as EndedMessage).type !== 'ended') this.#deliver(message as AnswerMessage | OpenedMessage)
    })
    thread.onExit((error) => this.#threadEnded(thread, error))
    this.#thread = thread
    return thread
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
    this.#thread = undefined
    const end = thread.terminate()
    this.#ending.add(end)
    // One that fails to end stays, for whoever closes to hear of it.
    end.then(() => this.#ending.delete(end), nothing)
  }

  #threadEnded(thread: WorkerThread, cause: Error | undefined): void {
    if (thread !== this.#thread) return
    this.#thread = undefined
    const outcomes = [...this.#running.values()]
    this.#running.clear()
    const why = cause === undefined ? '' : ` (${cause.message})`
    const error = new ThreadEndedError(`the worker thread ended before its job was done${why}`, { cause })
    for (const { outcome } of outcomes) outcome(error, undefined)
  }
}

function nothing(): void {}

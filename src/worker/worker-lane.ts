/**
 * WorkerLane: one worker thread and the jobs that it has been given. The thread starts with the first job, and keeps the
 * process alive only while it has work. A thread that dies fails its jobs, and a job that cannot be handed over fails by itself;
 * the next job starts a new thread, if there is none.
 */
import type { Environment, WorkerThread } from '../base/environment.ts'
import { fromWire, IOError, toWire } from '../base/errors.ts'
import type { Opened } from '../jobs/written-tables.ts'
import type { JobOutcome } from './executor.ts'
import type { AnswerMessage, EndedMessage, Job, JobResult, OpenedMessage, RunMessage } from './messages.ts'

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
  #thread: WorkerThread | undefined = undefined
  #mayStart = true
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

  /** From now on, answers are taken note of and not delivered. */
  silence(): void {
    for (const [id, { kind }] of this.#running) this.#running.set(id, { kind, outcome: nothing, opened: undefined })
  }

  /** @returns fulfilled when the thread has ended */
  terminate(): Promise<unknown> {
    const thread = this.#thread
    this.#running.clear()
    this.#thread = undefined
    return thread?.terminate() ?? Promise.resolve()
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
    if (this.#running.size === 0) this.#thread?.keepAlive(false)
    if (answer.type === 'done') running.outcome(undefined, answer.result)
    else running.outcome(fromWire(answer.error), undefined)
  }

  #threadEnded(thread: WorkerThread, cause: Error | undefined): void {
    if (thread !== this.#thread) return
    this.#thread = undefined
    const outcomes = [...this.#running.values()]
    this.#running.clear()
    const why = cause === undefined ? '' : ` (${cause.message})`
    const error = new IOError(`the worker thread ended before its job was done${why}`, { cause })
    for (const { outcome } of outcomes) outcome(error, undefined)
  }
}

function nothing(_error: Error | undefined, _result: JobResult | undefined): void {}

/**
 * WorkerExecutor: runs jobs on one worker thread, started with the first job. The thread keeps the process alive only while
 * it has work.
 *
 * A synchronous loop on the owner's thread never lets a message event in. `waitSync` therefore sleeps on the bell, a
 * shared word that the worker bumps after each answer, and takes the answer from the port by hand; the event then does
 * not fire, so an outcome is delivered once, whichever way comes first.
 *
 * A thread that dies fails its jobs; the next job starts a new one.
 */
import type { Environment, WorkerThread } from '../base/environment.ts'
import { fromWire, IOError } from '../base/errors.ts'
import type { JobExecutor, JobOutcome } from './executor.ts'
import type { AnswerMessage, Job, RunMessage } from './messages.ts'

export class WorkerExecutor implements JobExecutor {
  readonly #environment: Environment
  readonly #fallback: JobExecutor
  readonly #bell = new Int32Array(new SharedArrayBuffer(4))
  readonly #running = new Map<number, JobOutcome>()
  #thread: WorkerThread | undefined = undefined
  #nextId = 1

  /** @param fallback runs the jobs if the environment has no threads after all */
  constructor(environment: Environment, fallback: JobExecutor) {
    this.#environment = environment
    this.#fallback = fallback
  }

  start(job: Job, outcome: JobOutcome): void {
    const thread = this.#thread ?? this.#startThread()
    if (thread === undefined) {
      this.#fallback.start(job, outcome)
      return
    }
    const id = this.#nextId++
    this.#running.set(id, outcome)
    thread.keepAlive(true)
    const message: RunMessage = { type: 'run', id, job, bell: this.#bell.buffer as SharedArrayBuffer }
    thread.post(message)
  }

  poll(): boolean {
    let hasDelivered = false
    while (this.#running.size > 0) {
      const message = this.#thread?.receiveNow()
      if (message === undefined) break
      this.#deliver(message as AnswerMessage)
      hasDelivered = true
    }
    return hasDelivered
  }

  waitSync(timeoutMs: number): void {
    const heard = Atomics.load(this.#bell, 0)
    if (this.poll() || this.#running.size === 0) return
    Atomics.wait(this.#bell, 0, heard, timeoutMs)
    this.poll()
  }

  close(): void {
    this.#running.clear()
    this.#thread?.terminate()
    this.#thread = undefined
  }

  #startThread(): WorkerThread | undefined {
    const thread = this.#environment.startWorker()
    if (thread === undefined) return undefined
    thread.onMessage((message) => this.#deliver(message as AnswerMessage))
    thread.onExit((error) => this.#threadEnded(thread, error))
    this.#thread = thread
    return thread
  }

  #deliver(answer: AnswerMessage): void {
    const outcome = this.#running.get(answer.id)
    if (outcome === undefined) return
    this.#running.delete(answer.id)
    if (this.#running.size === 0) this.#thread?.keepAlive(false)
    if (answer.type === 'done') outcome(undefined, answer.result)
    else outcome(fromWire(answer.error), undefined)
  }

  #threadEnded(thread: WorkerThread, cause: Error | undefined): void {
    if (thread !== this.#thread) return
    this.#thread = undefined
    const outcomes = [...this.#running.values()]
    this.#running.clear()
    const error = new IOError('the worker thread ended before its job was done', cause === undefined ? {} : { cause })
    for (const outcome of outcomes) outcome(error, undefined)
  }
}

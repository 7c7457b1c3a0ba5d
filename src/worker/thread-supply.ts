/**
 * ThreadSupply: where the lanes of an executor have their threads from. A thread that cannot be had, or that ends before it has come to
 * its first job, harms no job: those run inline, and a thread is tried again with the first job after a pause. What was wrong is
 * told once, until a thread has answered again (docs/rfcs/0031-threads-that-cannot-be-had.md).
 *
 * Threads  belongs to the owner's thread
 */
import type { Environment, WorkerThread } from '../base/environment.ts'

/** A try takes up to 0.1 s of a processor, and where a synchronous writer waits for it, as long as a thread may load. */
const PAUSE_MS = 30_000

/** Told why there is no thread, and when one is tried again at the earliest. */
export type NoThread = (error: Error, retryMs: number) => void

export class ThreadSupply {
  readonly #environment: Environment
  readonly #tell: NoThread
  #isOpen = true
  /** End of the pause, on the monotonic clock. */
  #dueMs = 0
  /** Whether what is wrong is known: nobody is told of it again. */
  #isKnown = false
  #untold: Error | undefined = undefined

  constructor(environment: Environment, tell: NoThread) {
    this.#environment = environment
    this.#tell = tell
  }

  /** @returns undefined if there are none, or there is none to be had or wanted */
  start(isPatient: boolean): WorkerThread | undefined {
    if (!this.#isOpen || this.#environment.clock.monotonicMs() < this.#dueMs) return undefined
    try {
      return this.#environment.startWorker(isPatient)
    } catch (error) {
      this.failed(error as Error)
      return undefined
    }
  }

  /** A thread has done a job. */
  succeeded(): void {
    this.#dueMs = 0
    this.#isKnown = false
  }

  /** None was to be had. */
  failed(error: Error): void {
    this.#dueMs = this.#environment.clock.monotonicMs() + PAUSE_MS
    if (!this.#isKnown) this.#untold = error
    this.#isKnown = true
  }

  /** Tell what has failed. By whoever noticed, and last: a listener that writes may have to wait for the jobs that a thread was for. */
  tell(): void {
    const error = this.#untold
    this.#untold = undefined
    if (error !== undefined) this.#tell(error, PAUSE_MS)
  }

  /** There are few jobs left, and short ones. */
  close(): void {
    this.#isOpen = false
  }
}

/**
 * Retry: what follows when a background job fails. It is tried again with growing pauses, three times; or for an hour,
 * every ten seconds in the end, if something is short that others may free again: room on the disk, descriptors, memory. Then it is
 * given up, until somebody asks for it anew.
 *
 * A failed write of a table concerns no acknowledged data, which is in the log or in the tables that were read; so a
 * failure here never poisons the database. Each try writes under new file numbers: a file whose fsync failed is never
 * synced again.
 */
import type { Environment } from '../../base/environment.ts'
import { systemErrorCode } from '../../base/errors.ts'
import type { BackgroundWork, Emit } from '../reports/events.ts'

const ATTEMPTS_MAX = 3
const FIRST_PAUSE_MS = 100
const LAST_PAUSE_MS = 10_000
const SHORTAGE_ATTEMPTS_MAX = 360
const DISK_FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT'])
const SHORTAGES: ReadonlySet<string> = new Set([...DISK_FULL, 'EMFILE', 'ENFILE', 'ENOMEM'])

export class Retry {
  readonly #work: BackgroundWork
  readonly #environment: Environment
  readonly #emit: Emit
  /** Called when a pause is over. */
  readonly #again: () => void
  /** Attempts that have failed in a row, and those among them that were not for want of something. */
  #attempt = 0
  #faults = 0
  #failureCount = 0
  #lastError: Error | undefined = undefined
  #failure: Error | undefined = undefined
  /** End of the pause, on the monotonic clock; 0 if there is none. */
  #dueMs = 0
  #cancel: () => void = nothing

  constructor(work: BackgroundWork, environment: Environment, emit: Emit, again: () => void) {
    this.#work = work
    this.#environment = environment
    this.#emit = emit
    this.#again = again
  }

  /** Why the work has been given up, if it has. */
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

  /** Why the last attempt failed, if none has succeeded since. */
  get trouble(): Error | undefined {
    return this.#attempt > 0 ? this.#lastError : undefined
  }

  /** Nothing is to be tried now: there is a pause, or it has been given up. */
  get isHeld(): boolean {
    return this.#dueMs > 0 || this.#failure !== undefined
  }

  /** Milliseconds until the pause ends; Infinity if there is none. */
  get pauseMs(): number {
    return this.#dueMs === 0 ? Number.POSITIVE_INFINITY : this.#dueMs - this.#environment.clock.monotonicMs()
  }

  succeeded(): void {
    this.#attempt = 0
    this.#faults = 0
  }

  /** An attempt failed: pause, or give up. */
  failed(error: Error): void {
    this.#attempt++
    this.#failureCount++
    this.#lastError = error
    const code = systemErrorCode(error) ?? ''
    if (!SHORTAGES.has(code)) this.#faults++
    const isLast = this.#faults >= ATTEMPTS_MAX || this.#attempt >= SHORTAGE_ATTEMPTS_MAX
    const growingMs = Math.min(FIRST_PAUSE_MS * 10 ** (this.#attempt - 1), LAST_PAUSE_MS)
    // Room is not made in a second, and each try writes into what there is.
    const pauseMs = DISK_FULL.has(code) ? LAST_PAUSE_MS : growingMs
    const retryMs = isLast ? undefined : pauseMs
    if (isLast) this.#failure = error
    else {
      this.#dueMs = this.#environment.clock.monotonicMs() + pauseMs
      this.#cancel = this.#environment.later(pauseMs, () => this.#resume(), this.#work === 'flush')
    }
    // Last: a listener that writes may have to wait for what comes of it.
    this.#emit('background-error', { work: this.#work, error, attempt: this.#attempt, retryMs })
  }

  /** An attempt failed in a way that trying again does not change; other work goes on. */
  refused(error: Error): void {
    this.#failureCount++
    this.#lastError = error
    this.#emit('background-error', { work: this.#work, error, attempt: this.#attempt + 1, retryMs: undefined })
  }

  /** Trying again would not help, and who needs to know has been told. */
  giveUp(error: Error): void {
    this.#failureCount++
    this.#lastError = error
    this.#failure = error
  }

  /** No timer runs while this thread sleeps: go on if the pause has ended meanwhile. */
  wake(): void {
    if (this.pauseMs <= 0) this.#resume()
  }

  /** Somebody asks for the work: end the pause, and begin again if it has been given up. */
  tryAgain(): void {
    // All its attempts are before it again, as after a success.
    if (this.#failure !== undefined) this.succeeded()
    this.#failure = undefined
    this.#resume()
  }

  close(): void {
    this.#cancel()
  }

  #resume(): void {
    this.#cancel()
    this.#dueMs = 0
    this.#again()
  }
}

function nothing(): void {}

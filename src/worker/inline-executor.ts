/**
 * InlineExecutor: runs jobs on the owner's thread: a flush at once, a compaction by one slice a turn of the event loop, and
 * faster while the owner has nothing better to do than to wait for it. For tests and simulations, for custom comparators (a
 * function cannot cross threads), and where there are no workers.
 */
import type { Comparator } from '../base/comparator.ts'
import type { Environment } from '../base/environment.ts'
import type { JobExecutor, JobOutcome } from './executor.ts'
import { JobRunner } from './job-runner.ts'
import type { Job, ResultOf } from './messages.ts'

export class InlineExecutor implements JobExecutor {
  readonly #environment: Environment
  readonly #runner: JobRunner
  readonly #outcomes = new Map<number, JobOutcome>()
  #nextId = 1
  /** A turn of the event loop will bring the next slice. */
  #isTurnAwaited = false
  /** A slice is being done: whatever it calls must not begin another. */
  #isStepping = false

  constructor(environment: Environment, comparator: Comparator) {
    this.#environment = environment
    this.#runner = new JobRunner(environment, comparator, (id, error, result) => {
      const outcome = this.#outcomes.get(id)
      this.#outcomes.delete(id)
      this.#isStepping = false
      outcome?.(error as Error | undefined, result)
    })
  }

  start<J extends Job>(job: J, outcome: JobOutcome<J>): void {
    const id = this.#nextId++
    this.#outcomes.set(id, (error, result) => outcome(error, result as ResultOf<J> | undefined))
    this.#runner.add(id, job)
    this.#awaitTurn()
  }

  poll(): boolean {
    if (this.#isStepping) return false
    this.#isStepping = true
    try {
      return this.#runner.step()
    } finally {
      this.#isStepping = false
    }
  }

  startNoThread(): void {}

  waitSync(timeoutMs: number): void {
    const { clock } = this.#environment
    const limitMs = clock.monotonicMs() + timeoutMs
    while (this.#runner.hasWork && !this.#isStepping) {
      if (this.poll() || clock.monotonicMs() >= limitMs) return
    }
  }

  close(): Promise<unknown> {
    this.#outcomes.clear()
    this.#runner.abort()
    return Promise.resolve()
  }

  #awaitTurn(): void {
    if (this.#isTurnAwaited || !this.#runner.hasWork) return
    this.#isTurnAwaited = true
    this.#environment.soon(() => {
      this.#isTurnAwaited = false
      this.poll()
      this.#awaitTurn()
    })
  }
}

/**
 * InlineExecutor: runs a job at once, on the owner's thread. For tests and simulations, for custom comparators (a function
 * cannot cross threads), and where there are no workers.
 */
import type { Comparator } from '../base/comparator.ts'
import type { Environment } from '../base/environment.ts'
import { runFlushJob } from '../jobs/flush-job.ts'
import type { JobExecutor, JobOutcome } from './executor.ts'
import type { Job, JobResult } from './messages.ts'

export class InlineExecutor implements JobExecutor {
  readonly #environment: Environment
  readonly #comparator: Comparator

  constructor(environment: Environment, comparator: Comparator) {
    this.#environment = environment
    this.#comparator = comparator
  }

  start(job: Job, outcome: JobOutcome): void {
    let result: JobResult
    try {
      result = runFlushJob(job, this.#environment, this.#comparator)
    } catch (error) {
      outcome(error as Error, undefined)
      return
    }
    outcome(undefined, result)
  }

  poll(): boolean {
    return false
  }

  waitSync(): void {}

  close(): void {}
}

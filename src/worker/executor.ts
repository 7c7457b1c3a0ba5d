/**
 * JobExecutor: where background jobs run. `start` hands a job over; its outcome is delivered, on the owner's thread,
 * either by itself when the owner yields to its event loop, or from inside `poll` or `waitSync`.
 */
import type { Job, JobResult } from './messages.ts'

/** Called once a job, on the owner's thread. */
export type JobOutcome = (error: Error | undefined, result: JobResult | undefined) => void

export interface JobExecutor {
  start(job: Job, outcome: JobOutcome): void
  /** Deliver outcomes that have arrived, without waiting. @returns whether there were any */
  poll(): boolean
  /** Block this thread until an outcome was delivered, or for `timeoutMs`. */
  waitSync(timeoutMs: number): void
  /** Stop; outcomes not yet delivered never are. */
  close(): void
}

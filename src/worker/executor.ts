/**
 * JobExecutor: where background jobs run. `start` hands a job over; its outcome is delivered, on the owner's thread,
 * either by itself when the owner yields to its event loop, or from inside `poll` or `waitSync`.
 *
 * One executor serves all kinds of jobs. Compactions run one after another, and the others do, which never wait for a
 * compaction. Inline, any but a compaction is done, and its outcome delivered, when `start` returns.
 */
import { IOError } from '../base/errors.ts'
import type { Opened } from '../jobs/written-tables.ts'
import type { Job, ResultOf } from './messages.ts'

/** Called once a job, on the owner's thread. */
export type JobOutcome<J extends Job = Job> = (error: Error | undefined, result: ResultOf<J> | undefined) => void

/** The thread of a job has ended without an answer: what became of the job, its cause does not say. */
export class ThreadEndedError extends IOError {}

export interface JobExecutor {
  /**
   * @param opened on another thread, a job opens the tables that it writes, for the one that reads: it is told of each before the
   *   outcome. Inline, whoever reads opens them.
   */
  start<J extends Job>(job: J, outcome: JobOutcome<J>, opened?: Opened): void
  /** Deliver outcomes that have arrived, without waiting; inline, do a slice of work first. @returns whether there were any */
  poll(): boolean
  /** From now on, jobs for which no thread is there run on the owner's thread: there are few left, and short ones. */
  startNoThread(): void
  /** Block this thread until an outcome was delivered, or for `timeoutMs`. Returns at once if no job is under way. */
  waitSync(timeoutMs: number): void
  /**
   * Stop; outcomes not yet delivered never are. A compaction is aborted between two slices of its work, which this
   * waits for, though never long: what it then leaves behind is in no MANIFEST, and the next opening removes it.
   * @returns fulfilled when no job can touch a file any more
   */
  close(): Promise<unknown>
}

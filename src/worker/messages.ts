/**
 * What crosses between the database's thread and a worker: plain data, and the shared memory inside it.
 */
import type { WireError } from '../base/errors.ts'
import type { FlushJob, FlushResult } from '../jobs/flush-job.ts'

/** Work for a worker. */
export type Job = FlushJob
export type JobResult = FlushResult

export interface RunMessage {
  readonly type: 'run'
  readonly id: number
  readonly job: Job
  /** One Int32 that the worker bumps and notifies after it has posted an answer, for an owner that sleeps on it. */
  readonly bell: SharedArrayBuffer
}

export type AnswerMessage =
  | { readonly type: 'done'; readonly id: number; readonly result: JobResult }
  | { readonly type: 'failed'; readonly id: number; readonly error: WireError }

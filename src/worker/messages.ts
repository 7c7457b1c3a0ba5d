/**
 * What crosses between the database's thread and a worker: plain data, and the shared memory inside it.
 */
import type { WireError } from '../base/errors.ts'
import type { FileNumber } from '../base/types.ts'
import type { ClearJob, ClearResult, RemoveJob, RemoveResult, SyncJob, SyncResult } from '../jobs/chores.ts'
import type { CompactionJob, CompactionResult } from '../jobs/compaction-job.ts'
import type { FlushJob, FlushResult } from '../jobs/flush-job.ts'
import type { SampleJob, SampleResult } from '../jobs/sample-job.ts'
import type { TableOutline } from '../table/table-outline.ts'

/** Work for a worker. */
export type Job = FlushJob | CompactionJob | SyncJob | RemoveJob | ClearJob | SampleJob
export type JobResult = FlushResult | CompactionResult | SyncResult | RemoveResult | ClearResult | SampleResult
export type ResultOf<J extends Job> = Extract<JobResult, { readonly kind: J['kind'] }>

/** Words of the shared `signals`, as indexes of an Int32Array. */
/** The worker bumps and notifies it after it has posted a message, for an owner that sleeps on it. */
export const BELL = 0
/** The owner sets it to 1 to have compactions aborted; one that is gives a `failed` answer. */
export const STOP = 1
export const SIGNAL_WORDS = 2

export interface RunMessage {
  readonly type: 'run'
  readonly id: number
  readonly job: Job
  readonly signals: SharedArrayBuffer
  /** The memory of the DirectorySyncs, and the number of the thread in it. */
  readonly syncs: SharedArrayBuffer
  readonly thread: number
}

export type AnswerMessage =
  | { readonly type: 'done'; readonly id: number; readonly result: JobResult }
  | { readonly type: 'failed'; readonly id: number; readonly error: WireError }

/** A table that a job has written is open. Before the job's answer, and not rung for: nobody waits for it. */
export interface OpenedMessage {
  readonly type: 'opened'
  readonly id: number
  readonly number: FileNumber
  readonly outline: TableOutline
}

/** The worker's last: its thread ends. For an owner that sleeps, and so does not hear of it. */
export interface EndedMessage {
  readonly type: 'ended'
}

/**
 * JobRunner: runs jobs on the thread that it is on. Compactions wait in line, and the first of them advances a slice at a
 * time, whenever the owner says so; every other job is done at once. Between two slices the owner looks for those: a flush
 * thus waits for a slice, never for a compaction.
 */
import type { Comparator } from '../base/comparator.ts'
import type { Environment } from '../base/environment.ts'
import { AbortedError } from '../base/errors.ts'
import type { FileNumber } from '../base/types.ts'
import { runClearJob, runRemoveJob, runSyncJob } from '../jobs/chores.ts'
import { type CompactionJob, CompactionRun } from '../jobs/compaction-job.ts'
import { runFlushJob } from '../jobs/flush-job.ts'
import { type IdleJobs, idleJobs } from '../jobs/idle-jobs.ts'
import { runSampleJob } from '../jobs/sample-job.ts'
import type { Opened } from '../jobs/written-tables.ts'
import type { TableOutline } from '../table/table-outline.ts'
import type { Job, JobResult } from './messages.ts'

/** How a job ended; exactly one of the two is there. */
export type JobAnswer = (id: number, error: unknown, result: JobResult | undefined) => void

/** What a job opens of what it has written. */
export type JobOpened = (id: number, number: FileNumber, outline: TableOutline) => void

export class JobRunner {
  /** From the second flush or compaction on: whoever closes a database with little in it has one, and no use for code that stays. */
  idle: IdleJobs | undefined = undefined
  readonly #environment: Environment
  readonly #comparator: Comparator
  readonly #answer: JobAnswer
  readonly #opened: JobOpened | undefined
  /** In line, until they are answered. */
  readonly #compactions: { readonly id: number; readonly job: CompactionJob }[] = []
  /** Of the first of them, once it has begun. */
  #run: CompactionRun | undefined = undefined
  #hasBuilt = false

  /**
   * @param answer called once a job; it may add jobs
   * @param opened not given where jobs do not open what they write, since it is read on this thread
   */
  constructor(environment: Environment, comparator: Comparator, answer: JobAnswer, opened?: JobOpened) {
    this.#environment = environment
    this.#comparator = comparator
    this.#answer = answer
    this.#opened = opened
  }

  /** Whether there is a compaction to go on with. */
  get hasWork(): boolean {
    return this.#compactions.length > 0
  }

  /** Take a job; all but a compaction is answered before this returns. */
  add(id: number, job: Job): void {
    if (job.kind === 'flush' || job.kind === 'compact') {
      if (this.#hasBuilt) this.idle ??= idleJobs(this.#environment, this.#comparator)
      this.#hasBuilt = true
    }
    if (job.kind === 'compact') this.#compactions.push({ id, job })
    else this.#runNow(id, job)
  }

  /** Advance the compaction in front by a slice. @returns whether it was answered */
  step(): boolean {
    const [first] = this.#compactions
    if (first === undefined) return false
    const { id, job } = first
    let result: JobResult | undefined
    let failure: unknown
    try {
      this.#run ??= new CompactionRun(job, this.#environment, this.#comparator, this.#openedBy(id))
      if (this.#run.step()) return false
      result = this.#run.result
    } catch (error) {
      failure = error
    }
    this.#compactions.shift()
    this.#run = undefined
    this.#answer(id, failure, result)
    return true
  }

  /** Give up all compactions; the one under way removes what it wrote. Each is answered with an AbortedError. */
  abort(): void {
    const run = this.#run
    const compactions = this.#compactions.splice(0)
    this.#run = undefined
    run?.abort()
    const error = new AbortedError('the compaction was given up')
    for (const { id } of compactions) this.#answer(id, error, undefined)
  }

  #runNow(id: number, job: Exclude<Job, CompactionJob>): void {
    let result: JobResult
    try {
      result = this.#resultOf(id, job)
    } catch (error) {
      this.#answer(id, error, undefined)
      return
    }
    this.#answer(id, undefined, result)
  }

  #openedBy(id: number): Opened | undefined {
    const opened = this.#opened
    return opened && ((number, outline) => opened(id, number, outline))
  }

  #resultOf(id: number, job: Exclude<Job, CompactionJob>): JobResult {
    if (job.kind === 'flush') return runFlushJob(job, this.#environment, this.#comparator, this.#openedBy(id))
    if (job.kind === 'sample') return runSampleJob(job, this.#environment, this.#comparator)
    if (job.kind === 'clear') return runClearJob(job)
    return job.kind === 'sync' ? runSyncJob(job, this.#environment) : runRemoveJob(job, this.#environment)
  }
}

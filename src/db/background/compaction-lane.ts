/**
 * CompactionLane: takes what the picker chooses, or a range that somebody asked for, to compaction jobs, one at a time, and
 * installs what they wrote. The table cache keeps the indexes and filters of the new tables for their first read. To move a table
 * to the next level takes an edit of the MANIFEST, and no job.
 *
 * Failures   See retry.ts. A damaged input is different: trying again would read the same bytes. The table is reported and
 *            from then on left where it is, with its range of keys, until somebody asks for a compaction; reads of what
 *            is whole go on, and so do compactions elsewhere. A failure of the MANIFEST poisons the database.
 *            An output that does not read back as it was written is the disk's or the memory's, and is written anew.
 * The end    A compaction can be thrown away: its inputs are still there. Closing the executor aborts a running job.
 * One        at a time is what two cores have room for beside the writer and a flush. With several, the picker would also have
 *            to know where the others write to: outputs can overlap though no inputs do (docs/rfcs/0007-compaction.md).
 * Threads    belongs to the database's thread
 */
import type { Environment } from '../../base/environment.ts'
import { VarveError } from '../../base/errors.ts'
import { baseName, parseFileName } from '../../base/filename.ts'
import type { FileNumber } from '../../base/types.ts'
import type { TableCache } from '../../cache/table-cache.ts'
import type { CompactionJob, CompactionResult } from '../../jobs/compaction-job.ts'
import { type Compaction, inputsOf } from '../../version/compaction.ts'
import type { FileMetadata } from '../../version/file-metadata.ts'
import type { JobExecutor } from '../../worker/executor.ts'
import type { DatabaseDirectory } from '../opening/database-directory.ts'
import { CompactionFigures } from '../reports/compaction-figures.ts'
import type { CompactionDetail, Emit } from '../reports/events.ts'
import type { Outlines } from './flush-lane.ts'
import type { Done } from './installer.ts'
import type { ManualCompaction } from './manual-compaction.ts'
import { Retry } from './retry.ts'

/** What the lane asks of the engine. */
export interface CompactionHost {
  readonly place: DatabaseDirectory
  readonly environment: Environment
  readonly emit: Emit
  readonly tables: TableCache
  /** Tables that no compaction may take: inputs of one, about to be dropped, or damaged. */
  readonly busy: Set<FileNumber>
  /** Whether the MANIFEST still takes edits. */
  readonly isWritable: boolean
  /** The most urgent compaction, or undefined. */
  pickCompaction(): Compaction | undefined
  compactionJob(compaction: Compaction): CompactionJob
  /** Put the outputs in place of the inputs; an error is one of the MANIFEST, which has poisoned the database. */
  installCompaction(compaction: Compaction, outputs: readonly FileMetadata[], done: Done): void
  /** Remove tables that a job has written for nothing. */
  discard(tables: readonly FileMetadata[]): void
}

interface Running {
  readonly compaction: Compaction
  readonly startMs: number
  readonly outlines: Outlines
}

export class CompactionLane {
  readonly retry: Retry
  readonly figures: CompactionFigures = new CompactionFigures()
  readonly #host: CompactionHost
  readonly #executor: JobExecutor
  readonly #changed: () => void
  #running: Running | undefined = undefined
  #manual: ManualCompaction | undefined = undefined
  readonly #damaged = new Set<FileNumber>()
  #damage: Error | undefined = undefined
  #isEnded = false
  #isClosed = false

  constructor(host: CompactionHost, executor: JobExecutor, changed: () => void) {
    this.#host = host
    this.#executor = executor
    this.#changed = changed
    this.retry = new Retry('compaction', host.environment, host.emit, changed)
  }

  get isRunning(): boolean {
    return this.#running !== undefined
  }

  /** No compaction is begun any more. */
  get isEnded(): boolean {
    return this.#isEnded
  }

  /** Why no compaction can be waited for; undefined if one can. */
  get failure(): Error | undefined {
    const isUnderWay = this.#running !== undefined || this.#manual?.isOver === false
    if (isUnderWay || this.retry.pauseMs < Number.POSITIVE_INFINITY) return undefined
    return this.retry.failure ?? this.#damage
  }

  /** What somebody asked for; other picks are held back meanwhile. */
  get manual(): ManualCompaction | undefined {
    return this.#manual
  }

  /** Do this next. Tables that were found damaged get another chance, and what was given up as well. */
  beginManual(manual: ManualCompaction): void {
    this.#manual = manual
    for (const number of this.#damaged) this.#host.busy.delete(number)
    this.#damaged.clear()
    this.#damage = undefined
    this.retry.tryAgain()
  }

  /** Go on with what the picker chooses. */
  endManual(): void {
    this.#manual = undefined
    this.#changed()
  }

  /** Start the next compaction, if there is one to do and none under way. @returns whether something was done */
  start(): boolean {
    if (this.#isEnded || this.isRunning || this.retry.isHeld) return false
    const compaction = this.#next()
    if (compaction === undefined) return false
    if (compaction.isTrivialMove) this.#move(compaction)
    else this.#run(compaction)
    return true
  }

  /** Begin none any more. */
  end(): void {
    this.#isEnded = true
  }

  close(): void {
    this.#isClosed = true
    this.end()
    this.retry.close()
  }

  /**
   * What somebody asked for comes first. When that is over, the picker goes on at once. Whoever asked may hear of it only later: a
   * synchronous writer that waits for the picker's compactions keeps the event loop from turning.
   */
  #next(): Compaction | undefined {
    const manual = this.#manual
    if (manual !== undefined && !manual.isOver) {
      const compaction = this.#host.isWritable ? manual.next() : undefined
      if (!manual.isOver) return compaction
      this.#changed()
    }
    return this.#host.pickCompaction()
  }

  #run(compaction: Compaction): void {
    const running = this.#begin(compaction)
    const job = this.#host.compactionJob(compaction)
    this.#executor.start(
      job,
      this.#host.place.watched((error, result) => this.#finished(running, error, result)),
      (...table) => running.outlines.set(...table),
    )
    // Not before it is under way: a listener that writes may have to wait for it. One that failed at once has been told of.
    if (this.#running === running) this.#emit(compaction, { phase: 'begin' })
  }

  #begin(compaction: Compaction): Running {
    const startMs = this.#host.environment.clock.monotonicMs()
    const running: Running = { compaction, startMs, outlines: new Map() }
    this.#running = running
    for (const { number } of inputsOf(compaction)) this.#host.busy.add(number)
    return running
  }

  #end({ compaction }: Running, note: () => void): void {
    this.#running = undefined
    for (const { number } of inputsOf(compaction)) this.#host.busy.delete(number)
    note()
    this.#changed()
  }

  #finished(running: Running, error: Error | undefined, result: CompactionResult | undefined): void {
    if (this.#isClosed) return
    const { compaction, startMs } = running
    const durationMs = this.#host.environment.clock.monotonicMs() - startMs
    if (error === undefined && result !== undefined) {
      this.#install(running, result.outputs, () => this.#installed(running, result, durationMs))
    } else {
      if (result !== undefined) this.#host.discard(result.outputs)
      this.#end(running, () => this.#failed(compaction, error as Error, durationMs))
    }
  }

  #install(running: Running, outputs: readonly FileMetadata[], note: () => void): void {
    this.#host.installCompaction(running.compaction, outputs, (failure) => {
      this.#end(running, failure === undefined ? note : () => this.retry.giveUp(failure))
    })
  }

  #installed({ compaction, outlines }: Running, result: CompactionResult, durationMs: number): void {
    for (const [number, outline] of outlines) this.#host.tables.expect(number, outline)
    this.retry.succeeded()
    this.#manual?.wrote(compaction, result.outputs)
    const { bytesRead, bytesWritten, outputs } = result
    this.figures.compacted(compaction.outputLevel, bytesRead, bytesWritten, durationMs)
    this.#emit(compaction, { phase: 'end', outputs: outputs.length, bytesRead, bytesWritten, durationMs })
  }

  #move(compaction: Compaction): void {
    this.#install(this.#begin(compaction), compaction.upper, () => {
      this.figures.moved(compaction.outputLevel)
      this.#emit(compaction, { phase: 'move', outputs: 1 })
    })
  }

  #failed(compaction: Compaction, error: Error, durationMs: number): void {
    this.#emit(compaction, { phase: 'failed', durationMs })
    const code = error instanceof VarveError ? error.code : undefined
    const damaged = damagedTables(compaction, error)
    if ((code !== 'CORRUPTION' && code !== 'NOT_SUPPORTED') || damaged.length === 0) {
      this.retry.failed(error)
      return
    }
    this.#damage = error
    for (const number of damaged) {
      this.#damaged.add(number)
      this.#host.busy.add(number)
    }
    this.retry.refused(error)
  }

  #emit(compaction: Compaction, what: Partial<CompactionDetail> & Pick<CompactionDetail, 'phase'>): void {
    const { reason, level, outputLevel, upper, lower } = compaction
    const inputs = upper.length + lower.length
    const none = { outputs: 0, bytesRead: 0, bytesWritten: 0, durationMs: 0 }
    this.#host.emit('compaction', { reason, level, outputLevel, inputs, ...none, ...what })
  }
}

/** The input that the error names; all of them if it names no table, and none if it names another. */
function damagedTables(compaction: Compaction, error: Error): FileNumber[] {
  const numbers = inputsOf(compaction).map(({ number }) => number)
  const file = (error as Partial<VarveError>).file ?? ''
  const named = parseFileName(baseName(file))?.number
  return named === undefined ? numbers : numbers.filter((number) => number === named)
}

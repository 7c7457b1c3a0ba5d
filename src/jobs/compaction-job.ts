/**
 * CompactionJob: merge the tables of a compaction into new ones. A pure function of the job and the files it names, run on
 * a worker thread or inline, in slices, so that whoever runs it can do more pressing things in between.
 *
 *   inputs (compaction-inputs.ts) → what may be left out (drop-rule.ts) → outputs (compaction-outputs.ts)
 *
 * Checked     all that a table's reading checks, checksums included; and that the entries of each input ascend strictly.
 *             Nothing damaged is merged: the first fault ends the job.
 * Invariants  (1) a job that fails or is aborted removes what it wrote
 *             (2) inputs are only read; whoever installs the result removes them
 * Source      google/leveldb db/db_impl.cc (DoCompactionWork)
 */
import { closeQuietly } from '../base/close-all.ts'
import type { Comparator } from '../base/comparator.ts'
import type { Environment } from '../base/environment.ts'
import { TAG_BYTES } from '../base/internal-key.ts'
import type { Level, SequenceNumber } from '../base/types.ts'
import type { OrderedCursor } from '../table/ordered-cursor.ts'
import type { FileMetadata } from '../version/file-metadata.ts'
import type { FileNumbersToken } from '../version/file-numbers.ts'
import { totalBytes } from '../version/level-sizes.ts'
import { CompactionInputs } from './compaction-inputs.ts'
import { CompactionOutputs } from './compaction-outputs.ts'
import { DropRule } from './drop-rule.ts'
import type { Opened, WritingJob } from './written-tables.ts'

/** Plain data, so that it crosses threads. */
export interface CompactionJob extends WritingJob {
  readonly kind: 'compact'
  readonly level: Level
  readonly upper: readonly FileMetadata[]
  readonly lower: readonly FileMetadata[]
  readonly grandparents: readonly FileMetadata[]
  /** Tables of the levels below the output level that overlap the inputs, level by level: what tombstones may still hide. */
  readonly deeper: readonly (readonly FileMetadata[])[]
  /** Sequences that a snapshot reads at, ascending. Newer snapshots see the newest version of every key of the inputs. */
  readonly snapshots: readonly SequenceNumber[]
  readonly numbers: FileNumbersToken
  readonly maxFileBytes: number
}

export interface CompactionResult {
  readonly kind: 'compact'
  readonly outputs: readonly FileMetadata[]
  readonly bytesRead: number
  readonly bytesWritten: number
}

/** Bytes of entries in a slice: some 10 ms of work, beside which checking for other work costs nothing. */
const STEP_BYTES = 1024 * 1024
/** More bytes than a key has. */
const ALL_BYTES = 2 ** 30

/** A compaction under way. `step` until it returns false; then there is a result. */
export class CompactionRun {
  readonly #job: CompactionJob
  readonly #inputs: CompactionInputs
  readonly #outputs: CompactionOutputs
  readonly #rule: DropRule
  /** Of the keys since the entry written last, that one's included, each has at least so many bytes in common with the one before. */
  #common: number
  #hasBegun: boolean
  #result: CompactionResult | undefined

  /**
   * Touches no file yet.
   * @param opened is told what opening each output yields; if not given, they are not opened
   * @throws NotSupportedError if the format asks for a compression that the environment lacks
   */
  constructor(job: CompactionJob, environment: Environment, comparator: Comparator, opened?: Opened) {
    this.#job = job
    this.#inputs = new CompactionInputs(job.directory, environment, comparator, runsOf(job))
    this.#outputs = new CompactionOutputs(job, environment, comparator, opened)
    this.#rule = new DropRule(comparator, job.snapshots, job.deeper)
    this.#common = 0
    this.#hasBegun = false
    this.#result = undefined
  }

  /** Once `step` has returned false. */
  get result(): CompactionResult | undefined {
    return this.#result
  }

  /**
   * Do a slice of the work.
   * @returns whether there is more to do
   * @throws CorruptionError, NotSupportedError, IOError; the run has then been aborted
   */
  step(): boolean {
    try {
      const inputs = this.#inputs
      if (!this.#hasBegun) inputs.begin()
      this.#hasBegun = true
      for (let bytes = 0; inputs.valid && bytes < STEP_BYTES; inputs.next()) {
        const { entry } = inputs
        this.#take(entry, inputs.isNewKey, inputs.common)
        bytes += entry.keyLen + TAG_BYTES + entry.valLen
      }
      if (!inputs.valid) this.#finish()
      return inputs.valid
    } catch (error) {
      this.abort()
      throw error
    }
  }

  /** Stop, and remove what was written. Not after `step` has returned false. */
  abort(): void {
    closeQuietly(() => this.#inputs.close())
    this.#outputs.abandon()
  }

  #take(entry: OrderedCursor, isNewKey: boolean, common: number): void {
    if (common < this.#common) this.#common = common
    if (isNewKey) {
      this.#rule.startKey()
      this.#outputs.startKey(entry)
    }
    if (this.#rule.drops(entry.keyBuf, 0, entry.keyLen, entry.tagLow, entry.tagHigh)) return
    this.#outputs.add(entry, this.#common)
    this.#common = ALL_BYTES
  }

  #finish(): void {
    this.#inputs.close()
    this.#outputs.finish()
    const { upper, lower } = this.#job
    const { tables: outputs } = this.#outputs
    const bytesRead = totalBytes(upper) + totalBytes(lower)
    this.#result = { kind: 'compact', outputs, bytesRead, bytesWritten: totalBytes(outputs) }
  }
}

/** The tables that follow one another: of level 0, each by itself. */
export function runsOf({ level, upper, lower }: CompactionJob): readonly (readonly FileMetadata[])[] {
  const runs = level === 0 ? upper.map((file) => [file]) : [upper]
  return lower.length > 0 ? [...runs, lower] : runs
}

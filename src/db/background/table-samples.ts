/**
 * TableSamples: finds out what tables of earlier openings hold, so that those full of tombstones are compacted though nobody writes,
 * and `stats` can tell. What is found goes to the tables' metadata, in memory alone.
 *
 * How      The upper levels come first, where tombstones are: what reaches the deepest loses them. Up to WHOLE_BYTES are counted. Of
 *          the tables after that a few blocks each are looked at, spread evenly. That finds tables that are full of tombstones from
 *          end to end, and may miss a short run of them: a block of 4 KiB holds hundreds of tombstones, or one large value.
 * Pace     begins when the database has been open for a while, so a short visit pays nothing; then short jobs, with pauses: the
 *          thread of compactions takes them up between two slices.
 * Failures are not tried again. Damage is reported; a table that could not be read is left to whoever reads it.
 * Threads  belongs to the database's thread
 */
import type { Environment } from '../../base/environment.ts'
import { CorruptionError } from '../../base/errors.ts'
import type { SequenceNumber } from '../../base/types.ts'
import type { SampleResult } from '../../jobs/sample-job.ts'
import { isFullOfTombstones } from '../../version/compaction-picker.ts'
import type { FileMetadata } from '../../version/file-metadata.ts'
import type { Version } from '../../version/version.ts'
import type { JobExecutor } from '../../worker/executor.ts'
import type { DamageReports } from '../reports/damage-reports.ts'

const FIRST_PAUSE_MS = 1000
const PAUSE_MS = 20
/** Two seconds of a worker, spread over ten. */
const WHOLE_BYTES = 256 * 2 ** 20

/** What sampling needs of the engine. */
export interface SampleHost {
  readonly directory: string
  readonly environment: Environment
  readonly damage: DamageReports
  readonly isWritable: boolean
  readonly readState: { readonly version: Version }
}

/** A table, and what has been seen of it so far. */
interface Sampling {
  readonly table: FileMetadata
  /** Whether all of it is counted. */
  readonly isWhole: boolean
  blocks: number
  entries: number
  tombstones: number
}

export class TableSamples {
  readonly #host: SampleHost
  readonly #executor: JobExecutor
  /** A table is full of tombstones. */
  readonly #found: () => void
  /** No entry of the tables is newer. */
  readonly #newest: SequenceNumber
  /** What is not known yet, the first in turn at the end. */
  readonly #unknown: FileMetadata[]
  #wholeBytesLeft = WHOLE_BYTES
  #cancel: () => void = () => {}

  /** Of the current version's tables, those that nobody has counted are in turn. */
  constructor(host: SampleHost, executor: JobExecutor, newest: SequenceNumber, found: () => void) {
    this.#host = host
    this.#executor = executor
    this.#found = found
    this.#newest = newest
    const files = [...host.readState.version.files()].map(({ file }) => file)
    this.#unknown = files.filter(({ statistics }) => statistics === undefined).reverse()
    if (this.#unknown.length > 0) this.#later(FIRST_PAUSE_MS, () => this.#next())
  }

  close(): void {
    this.#cancel()
  }

  #later(delayMs: number, what: () => void): void {
    this.#cancel = this.#host.environment.later(delayMs, what)
  }

  #next(): void {
    let table = this.#unknown.pop()
    while (table !== undefined && !this.#isLive(table)) table = this.#unknown.pop()
    if (table === undefined) return
    const isWhole = table.bytes <= this.#wholeBytesLeft
    if (isWhole) this.#wholeBytesLeft -= table.bytes
    this.#goOn({ table, isWhole, blocks: 0, entries: 0, tombstones: 0 }, isWhole ? 0 : undefined)
  }

  #goOn(sampling: Sampling, first: number | undefined): void {
    const { directory, isWritable } = this.#host
    const { number, bytes } = sampling.table
    if (!isWritable) return
    this.#executor.start({ kind: 'sample', directory, number, bytes, first }, (error, result) => {
      if (result !== undefined) {
        this.#seen(sampling, result)
        return
      }
      this.#failed(sampling.table, error)
      this.#later(PAUSE_MS, () => this.#next())
    })
  }

  #seen(sampling: Sampling, { blocks, entries, tombstones, next, blocksInAll }: SampleResult): void {
    sampling.blocks += blocks
    sampling.entries += entries
    sampling.tombstones += tombstones
    if (sampling.isWhole && next < blocksInAll) {
      this.#later(PAUSE_MS, () => this.#goOn(sampling, next))
      return
    }
    this.#known(sampling, blocksInAll)
    this.#later(PAUSE_MS, () => this.#next())
  }

  #known({ table, blocks, entries, tombstones }: Sampling, blocksInAll: number): void {
    const scale = blocks === 0 ? 0 : blocksInAll / blocks
    table.statistics = {
      entries: Math.round(entries * scale),
      tombstones: Math.round(tombstones * scale),
      superseded: 0,
      newestTombstone: this.#newest,
      isSampled: true,
    }
    if (isFullOfTombstones(table)) this.#found()
  }

  /** A compaction may have taken it meanwhile. */
  #isLive({ number }: FileMetadata): boolean {
    return this.#host.readState.version.levels.some((files) => files.some((file) => file.number === number))
  }

  #failed(table: FileMetadata, error: Error | undefined): void {
    if (!(error instanceof CorruptionError) || !this.#isLive(table)) return
    this.#host.damage.found(error)
  }
}

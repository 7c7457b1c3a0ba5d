/**
 * CompactionJob: merge the tables of a compaction into new ones. A pure function of the job and the files it names.
 */
import type { Level, SequenceNumber } from '../base/types.ts'
import type { FileMetadata } from '../version/file-metadata.ts'
import type { FileNumbersToken } from '../version/file-numbers.ts'
import type { TableFormat } from './flush-job.ts'

/** Plain data, so that it crosses threads. */
export interface CompactionJob {
  readonly kind: 'compact'
  readonly directory: string
  readonly level: Level
  readonly outputLevel: Level
  readonly upper: readonly FileMetadata[]
  readonly lower: readonly FileMetadata[]
  readonly grandparents: readonly FileMetadata[]
  /** Tables of the levels below the output level that overlap the inputs, level by level: what tombstones may still hide. */
  readonly deeper: readonly (readonly FileMetadata[])[]
  /** Sequences that a snapshot reads at, ascending. Newer snapshots see the newest version of every key of the inputs. */
  readonly snapshots: readonly SequenceNumber[]
  readonly numbers: FileNumbersToken
  readonly format: TableFormat
  readonly maxFileBytes: number
}

export interface CompactionResult {
  readonly kind: 'compact'
  readonly outputs: readonly FileMetadata[]
  readonly bytesRead: number
  readonly bytesWritten: number
  readonly entriesRead: number
  readonly entriesWritten: number
}

/**
 * SampleJob: how many entries of a table are tombstones. LevelDB's MANIFEST has no field for that, so it is not known of a table that an
 * earlier opening wrote. A job counts a part of the table, or looks at a few blocks of it, spread evenly: either way it is
 * short, since a flush may wait for it.
 */
import type { Comparator } from '../base/comparator.ts'
import type { Environment } from '../base/environment.ts'
import type { FileNumber } from '../base/types.ts'
import type { TableCount } from '../table/table.ts'
import { openInputTable } from '../table/table-file.ts'

/** A few milliseconds. */
const JOB_BYTES = 2 ** 20
const SPREAD_BLOCKS = 32

export interface SampleJob {
  readonly kind: 'sample'
  readonly directory: string
  readonly number: FileNumber
  /** The size of the file. */
  readonly bytes: number
  /** The data block to begin with; a few of all of them if undefined. */
  readonly first: number | undefined
}

export interface SampleResult extends TableCount {
  readonly kind: 'sample'
  /** All data blocks that the table has. */
  readonly blocksInAll: number
}

/** @throws CorruptionError, NotSupportedError, IOError */
export function runSampleJob(job: SampleJob, environment: Environment, comparator: Comparator): SampleResult {
  const { directory, first } = job
  const table = openInputTable(environment, directory, job, comparator)
  try {
    const blocksInAll = table.blockCount
    const step = first === undefined ? Math.ceil(blocksInAll / SPREAD_BLOCKS) : 1
    const count = table.count(first ?? Math.floor(step / 2), Math.max(step, 1), JOB_BYTES)
    return { kind: 'sample', blocksInAll, ...count }
  } finally {
    table.close()
  }
}

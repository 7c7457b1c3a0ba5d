/** Tables in memory and compactions of them, for tests. */
import { bytewiseComparator, type Comparator } from '../../src/base/comparator.ts'
import type { Environment } from '../../src/base/environment.ts'
import { tableName } from '../../src/base/filename.ts'
import { encodeInternalKey } from '../../src/base/internal-key.ts'
import { fileNumber } from '../../src/base/types.ts'
import type { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { type CompactionJob, type CompactionResult, CompactionRun } from '../../src/jobs/compaction-job.ts'
import type { TableFormat } from '../../src/jobs/output-format.ts'
import { tableOptions } from '../../src/jobs/table-options.ts'
import type { Opened } from '../../src/jobs/written-tables.ts'
import { Table } from '../../src/table/table.ts'
import type { FileMetadata } from '../../src/version/file-metadata.ts'
import { FileNumbers } from '../../src/version/file-numbers.ts'
import { buildTable, current, type Entry } from '../table/entries.ts'

export const DIRECTORY = '/db'
export const FORMAT: TableFormat = { blockBytes: 256, restartInterval: 4, bloomBitsPerKey: 10, compression: 'none' }
/** The first number that a job's outputs get, unless told otherwise. */
export const FIRST_OUTPUT = 100

/** Place a table of sorted entries in the directory. */
export function placeTable(
  memory: MemoryEnvironment,
  number: number,
  entries: readonly Entry[],
  comparator: Comparator = bytewiseComparator,
): FileMetadata {
  const bytes = buildTable(entries, tableOptions(FORMAT, comparator, memory.codecs))
  memory.write(`${DIRECTORY}/${tableName(fileNumber(number))}`, bytes)
  return metadataOf(number, bytes.length, entries)
}

export function metadataOf(number: number, bytes: number, entries: readonly Entry[]): FileMetadata {
  const internal = ({ key, low, high }: Entry): Uint8Array<ArrayBuffer> =>
    encodeInternalKey(key, 0, key.length, low, high)
  const [first, last] = [entries[0], entries[entries.length - 1]]
  return { number: fileNumber(number), bytes, smallest: internal(first), largest: internal(last) }
}

/** A job from level 1 to level 2 that keeps nothing for anybody, but for what is said. */
export function jobOf(parts: Partial<CompactionJob> & Pick<CompactionJob, 'upper'>): CompactionJob {
  return {
    kind: 'compact',
    directory: DIRECTORY,
    level: 1,
    lower: [],
    grandparents: [],
    deeper: [],
    snapshots: [],
    numbers: FileNumbers.startingAt(FIRST_OUTPUT).share(),
    format: FORMAT,
    maxFileBytes: 1024,
    outlineBytesMax: 0,
    ...parts,
  }
}

/** The whole job at once. */
export function runCompactionJob(
  job: CompactionJob,
  environment: Environment,
  comparator: Comparator = bytewiseComparator,
  opened?: Opened,
): CompactionResult {
  const run = new CompactionRun(job, environment, comparator, opened)
  while (run.step());
  return run.result as CompactionResult
}

/** All entries of a table. */
export function entriesOf({ files, codecs }: Environment, number: number, directory: string = DIRECTORY): Entry[] {
  const file = files.openRandomAccess(files.join(directory, tableName(fileNumber(number))))
  const options = { comparator: bytewiseComparator, filterPolicy: undefined, blockCache: undefined, codecs }
  const table = Table.open(file, fileNumber(number), options)
  const entries: Entry[] = []
  const iterator = table.iterator()
  for (iterator.seekToFirst(); iterator.valid; iterator.next()) entries.push(current(iterator) as Entry)
  table.close()
  return entries
}

/** How many entries some tables have. */
export function entryCount(memory: MemoryEnvironment, tables: readonly FileMetadata[]): number {
  return tables.reduce((sum, { number }) => sum + entriesOf(memory, number).length, 0)
}

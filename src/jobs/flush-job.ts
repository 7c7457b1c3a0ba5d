/**
 * FlushJob: write one frozen MemTable to a new table in level 0. A pure function of the job and the files it names, run
 * on a worker thread or inline; it attaches the MemTable's memory in place and copies nothing. Range tombstones become
 * tombstones of the keys that they cover (flush-entries.ts), for which the tables below are read; a MemTable of range
 * tombstones that cover nothing makes no table.
 *
 * Order       write the table → fdatasync → close → open it → fsync the directory. Only then may the MANIFEST name it (rule D6);
 *             the same directory sync makes durable the name of the log that took over from the MemTable's own.
 * Invariants  (1) every version of every key is written, as LevelDB does; nothing is dropped
 *             (2) the entries written are as many as the MemTable counts, and the tombstones that stand for range tombstones,
 *                 in ascending order, or the job fails
 *             (3) a job that fails removes what it wrote
 */
import { assert } from '../base/assert.ts'
import { closeQuietly } from '../base/close-all.ts'
import type { Comparator } from '../base/comparator.ts'
import type { Environment } from '../base/environment.ts'
import { CorruptionError } from '../base/errors.ts'
import { tableName } from '../base/filename.ts'
import { type FileNumber, MAX_SEQUENCE } from '../base/types.ts'
import { MemTable } from '../memtable/memtable.ts'
import type { MemTableToken } from '../memtable/memtable-options.ts'
import { TableBuilder } from '../table/table-builder.ts'
import { type FileMetadata, metadataOf } from '../version/file-metadata.ts'
import { CoveredKeys } from './covered-keys.ts'
import { FlushEntries } from './flush-entries.ts'
import { InputTables } from './input-tables.ts'
import { tableOptions } from './table-options.ts'
import { type Opened, type WritingJob, WrittenTables } from './written-tables.ts'

export interface FlushJob extends WritingJob {
  readonly kind: 'flush'
  readonly number: FileNumber
  readonly memtable: MemTableToken
  /** Tables of the version below, level 0 first, in which its range tombstones cover a key: all that may, and stay. */
  readonly below: readonly (readonly FileMetadata[])[]
}

export interface FlushResult {
  readonly kind: 'flush'
  /** undefined if there was nothing to write: range tombstones that cover nothing. */
  readonly file: FileMetadata | undefined
  readonly entries: number
}

/**
 * @param job of a MemTable that is frozen, and not empty
 * @param opened is told what opening the table yields; if not given, it is not opened
 * @throws IOError if the table cannot be written; CorruptionError if the MemTable is not what it says it is; both also for
 *   the tables below
 */
export function runFlushJob(
  job: FlushJob,
  environment: Environment,
  comparator: Comparator,
  opened?: Opened,
): FlushResult {
  const { files } = environment
  const memtable = MemTable.attach(job.memtable, { comparator })
  assert(memtable.isFrozen && memtable.largestSequence > 0, 'a flushed MemTable is frozen and not empty')
  const inputs = new InputTables(environment, job.directory, comparator)
  try {
    const below = coveredBelow(memtable, inputs, job.below, comparator)
    if (memtable.entryCount > 0 || below?.valid)
      return writeTable(job, environment, comparator, memtable, below, opened)
    // The MANIFEST is going to name the log that took over, so its name has to be durable.
    files.syncDirectory(job.directory)
    return { kind: 'flush', file: undefined, entries: 0 }
  } finally {
    inputs.close()
  }
}

/** At the first key of the tables that a range tombstone covers. */
function coveredBelow(
  memtable: MemTable,
  inputs: InputTables,
  below: FlushJob['below'],
  comparator: Comparator,
): CoveredKeys | undefined {
  const cover = memtable.rangeCover(MAX_SEQUENCE)
  if (cover === undefined || below.every((files) => files.length === 0)) return undefined
  const keys = new CoveredKeys(inputs.iterator(below), cover, comparator)
  keys.start()
  return keys
}

function writeTable(
  job: FlushJob,
  environment: Environment,
  comparator: Comparator,
  memtable: MemTable,
  below: CoveredKeys | undefined,
  opened: Opened | undefined,
): FlushResult {
  const { files } = environment
  const path = files.join(job.directory, tableName(job.number))
  const file = files.createWritable(path)
  try {
    const options = tableOptions(job.format, comparator, environment.codecs)
    const builder = new TableBuilder(file, options)
    const entries = new FlushEntries(memtable, below, comparator, builder)
    try {
      entries.write()
      checkCounts(entries, memtable, builder)
      builder.finish()
      file.sync()
    } finally {
      file.close()
    }
    const written = metadataOf(job.number, builder)
    if (opened !== undefined) new WrittenTables(job, environment, options, opened).open(written)
    files.syncDirectory(job.directory)
    return { kind: 'flush', file: written, entries: builder.entryCount }
  } catch (error) {
    // The first error is the one to report; what no MANIFEST names, the next opening removes.
    closeQuietly(() => files.remove(path))
    throw error
  }
}

function checkCounts({ ownCount, expandedCount }: FlushEntries, memtable: MemTable, builder: TableBuilder): void {
  if (ownCount !== memtable.entryCount || builder.entryCount !== ownCount + expandedCount) {
    const written = `${builder.entryCount}, ${expandedCount} of them for range tombstones`
    throw new CorruptionError(`a MemTable of ${memtable.entryCount} entries yielded ${written}`)
  }
}

/**
 * FlushJob: write one frozen MemTable to a new table in level 0. A pure function of the job and the files it names, run
 * on a worker thread or inline; it attaches the MemTable's memory in place and copies nothing.
 *
 * Order       write the table → fdatasync → close → fsync the directory. Only then may the MANIFEST name it (rule D6);
 *             the same directory sync makes durable the name of the log that took over from the MemTable's own.
 * Invariants  (1) every version of every key is written, as LevelDB does; nothing is dropped
 *             (2) the entries written are as many as the MemTable counts, in ascending order, or the job fails
 *             (3) a job that fails removes what it wrote
 */
import { assert } from '../base/assert.ts'
import { EMPTY } from '../base/bytes.ts'
import { bytewiseComparator, type Comparator } from '../base/comparator.ts'
import type { Codecs, Environment } from '../base/environment.ts'
import { CorruptionError } from '../base/errors.ts'
import { tableName } from '../base/filename.ts'
import { compareTags } from '../base/internal-key.ts'
import type { InternalIterator } from '../base/iterator.ts'
import type { Bytes, FileNumber } from '../base/types.ts'
import { MemTable } from '../memtable/memtable.ts'
import type { MemTableToken } from '../memtable/memtable-options.ts'
import { BloomFilter } from '../table/bloom-filter.ts'
import { type Compression, compressorOf } from '../table/compression.ts'
import { TableBuilder, type TableOptions } from '../table/table-builder.ts'
import type { FileMetadata } from '../version/file-metadata.ts'

/** How tables are written; plain data, so that it crosses threads. */
export interface TableFormat {
  readonly blockBytes: number
  readonly restartInterval: number
  /** 0 for no filter. */
  readonly bloomBitsPerKey: number
  readonly compression: Compression
}

export interface FlushJob {
  readonly kind: 'flush'
  readonly directory: string
  readonly number: FileNumber
  readonly memtable: MemTableToken
  readonly format: TableFormat
}

export interface FlushResult {
  readonly kind: 'flush'
  readonly file: FileMetadata
  readonly entries: number
}

/**
 * @param codecs the environment's
 * @throws NotSupportedError if the format asks for a compression that they lack
 */
export function tableOptions(format: TableFormat, comparator: Comparator, codecs: Codecs | undefined): TableOptions {
  return {
    comparator,
    blockBytes: format.blockBytes,
    restartInterval: format.restartInterval,
    filterPolicy: format.bloomBitsPerKey === 0 ? undefined : new BloomFilter(format.bloomBitsPerKey),
    compressor: compressorOf(format.compression, codecs),
  }
}

/**
 * @param memtable not empty, frozen
 * @throws IOError if the table cannot be written; CorruptionError if the MemTable is not what it says it is
 */
export function runFlushJob(
  job: FlushJob,
  environment: Environment,
  comparator: Comparator = bytewiseComparator,
): FlushResult {
  const { files } = environment
  const memtable = MemTable.attach(job.memtable, { comparator })
  assert(memtable.isFrozen && memtable.entryCount > 0, 'a flushed MemTable is frozen and not empty')
  const path = files.join(job.directory, tableName(job.number))
  const file = files.createWritable(path)
  try {
    const builder = new TableBuilder(file, tableOptions(job.format, comparator, environment.codecs))
    try {
      writeEntries(memtable, builder, comparator)
      builder.finish()
      file.sync()
    } finally {
      file.close()
    }
    files.syncDirectory(job.directory)
    const { fileBytes: bytes, smallest, largest, statistics } = builder
    return {
      kind: 'flush',
      file: { number: job.number, bytes, smallest, largest, statistics },
      entries: builder.entryCount,
    }
  } catch (error) {
    removeQuietly(environment, path)
    throw error
  }
}

function writeEntries(memtable: MemTable, builder: TableBuilder, comparator: Comparator): void {
  const entries = memtable.iterator()
  const order = new EntryOrder(comparator)
  for (entries.seekToFirst(); entries.valid; entries.next()) {
    order.check(entries)
    builder.add(
      entries.keyBuf,
      entries.keyOff,
      entries.keyLen,
      entries.tagLow,
      entries.tagHigh,
      entries.valBuf,
      entries.valOff,
      entries.valLen,
    )
  }
  if (builder.entryCount !== memtable.entryCount) {
    throw new CorruptionError(`a MemTable of ${memtable.entryCount} entries yielded ${builder.entryCount}`)
  }
}

/** Sees that entries ascend: memory that was damaged is told from a defect of the table builder's caller. */
class EntryOrder {
  readonly #comparator: Comparator
  #isFirst = true
  #keyBuf: Bytes = EMPTY
  #keyOff = 0
  #keyLen = 0
  #tagLow = 0
  #tagHigh = 0

  constructor(comparator: Comparator) {
    this.#comparator = comparator
  }

  /** @throws CorruptionError unless the entry, in the memory of the one before it, comes after that one */
  check(at: InternalIterator): void {
    const { keyBuf, keyOff, keyLen, tagLow, tagHigh } = at
    if (!this.#isFirst) {
      const order = this.#comparator.compare(this.#keyBuf, this.#keyOff, this.#keyLen, keyBuf, keyOff, keyLen)
      if (order > 0 || (order === 0 && compareTags(this.#tagLow, this.#tagHigh, tagLow, tagHigh) >= 0)) {
        throw new CorruptionError('the entries of a MemTable are not in order: its memory is damaged')
      }
    }
    this.#isFirst = false
    this.#keyBuf = keyBuf
    this.#keyOff = keyOff
    this.#keyLen = keyLen
    this.#tagLow = tagLow
    this.#tagHigh = tagHigh
  }
}

/** The first error is the one to report. */
function removeQuietly({ files }: Environment, path: string): void {
  try {
    files.remove(path)
  } catch {
    // The file is not in any MANIFEST, so the next opening removes it.
  }
}

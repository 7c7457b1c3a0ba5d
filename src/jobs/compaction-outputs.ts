/**
 * CompactionOutputs: the tables that a compaction writes, one after another.
 *
 * Ends       a table ends before the next user key, once it is as large as asked for, or when it overlaps so many bytes of
 *            the grandparents that compacting it later would cost too much. All versions of a user key are in one table.
 * Durable    a table that another follows goes on to the disk when it ends, and is synced when the next one has ended: little
 *            is then left to wait for; then it is opened (written-tables.ts). The directory is synced once, after the last. Only then
 *            may the MANIFEST name them.
 * Failures   whoever gives up calls `abandon`: nothing that was written stays.
 * Source     google/leveldb db/db_impl.cc, db/version_set.cc (ShouldStopBefore)
 */
import { closeQuietly } from '../base/close-all.ts'
import { getFixed32 } from '../base/coding.ts'
import type { Comparator } from '../base/comparator.ts'
import type { Environment, FileSystem, WritableFile } from '../base/environment.ts'
import { tableName } from '../base/filename.ts'
import { compareTags, TAG_BYTES } from '../base/internal-key.ts'
import { type FileNumber, fileNumber } from '../base/types.ts'
import type { OrderedCursor } from '../table/ordered-cursor.ts'
import { TableBuilder, type TableOptions } from '../table/table-builder.ts'
import { GRANDPARENT_FILES_MAX } from '../version/compaction-plan.ts'
import { type FileMetadata, metadataOf } from '../version/file-metadata.ts'
import { FileNumbers } from '../version/file-numbers.ts'
import type { CompactionJob } from './compaction-job.ts'
import { tableOptions } from './table-options.ts'
import { type Opened, WrittenTables } from './written-tables.ts'

/** Smaller tables are synced when they must be. */
const SYNC_AHEAD_BYTES = 1024 * 1024

/** Longer values are copied faster by `TypedArray.set` (measured: docs/performance.md). */
const WORDS_BYTES_MAX = 256

export class CompactionOutputs {
  readonly tables: FileMetadata[] = []

  readonly #directory: string
  readonly #files: FileSystem
  readonly #comparator: Comparator
  readonly #numbers: FileNumbers
  readonly #tableOptions: TableOptions
  /** Opens those that are synced; undefined if nobody is told of it. */
  readonly #written: WrittenTables | undefined
  readonly #maxFileBytes: number
  readonly #grandparents: readonly FileMetadata[]
  /** The first of the grandparents that does not end before the keys to come. */
  #grandparent: number
  /** Bytes of grandparents that the table being written has left behind. */
  #overlappedBytes: number
  #hasSeenKey: boolean
  /** The table being written, if there is one. */
  #file: WritableFile | undefined
  #builder: TableBuilder | undefined
  #number: FileNumber
  /** The last of the tables, while it is not synced. */
  #unsynced: WritableFile | undefined

  /** @throws NotSupportedError if the format asks for a compression that the environment lacks */
  constructor(job: CompactionJob, environment: Environment, comparator: Comparator, opened: Opened | undefined) {
    const { files, codecs } = environment
    this.#directory = job.directory
    this.#files = files
    this.#comparator = comparator
    this.#numbers = FileNumbers.attach(job.numbers)
    this.#tableOptions = tableOptions(job.format, comparator, codecs)
    this.#written = opened && new WrittenTables(job, environment, this.#tableOptions, opened)
    this.#maxFileBytes = job.maxFileBytes
    this.#grandparents = job.grandparents
    this.#grandparent = 0
    this.#overlappedBytes = 0
    this.#hasSeenKey = false
    this.#file = undefined
    this.#builder = undefined
    this.#number = fileNumber(0)
    this.#unsynced = undefined
  }

  /** `entry` is the first of its user key, kept or not: end the table before it, if it is time. */
  startKey(entry: OrderedCursor): void {
    const endsByOverlap = this.#grandparent < this.#grandparents.length && this.#passGrandparents(entry)
    this.#hasSeenKey = true
    const builder = this.#builder
    if (builder === undefined || !(endsByOverlap || builder.fileBytes >= this.#maxFileBytes)) return
    this.#endTable()
    if (builder.fileBytes >= SYNC_AHEAD_BYTES) this.#unsynced?.syncAhead?.()
  }

  /**
   * Write an entry.
   * @param known so many bytes its user key has in common with that of the entry written before, or more
   * @throws IOError
   */
  add(entry: OrderedCursor, known: number): void {
    const builder = this.#builder ?? this.#beginTable()
    builder.add(
      entry.keyBuf,
      0,
      entry.keyLen,
      entry.tagLow,
      entry.tagHigh,
      entry.valBuf,
      entry.valOff,
      entry.valLen,
      known,
      entry.valLen <= WORDS_BYTES_MAX ? entry.view : undefined,
    )
  }

  /** End the last table, and make all of them durable. @throws IOError */
  finish(): void {
    if (this.#builder !== undefined) this.#endTable()
    this.#syncLast()
    if (this.tables.length > 0) this.#files.syncDirectory(this.#directory)
  }

  /** Remove what was written; what cannot be removed is left to the next opening. */
  abandon(): void {
    const file = this.#file
    const unsynced = this.#unsynced
    const numbers = this.tables.map(({ number }) => number)
    if (file !== undefined) numbers.push(this.#number)
    closeQuietly(
      () => file?.close(),
      () => unsynced?.close(),
      ...numbers.map((number) => () => this.#files.remove(this.#files.join(this.#directory, tableName(number)))),
    )
    this.tables.length = 0
    this.#file = undefined
    this.#builder = undefined
    this.#unsynced = undefined
  }

  /** Go past the grandparents that end before the entry. @returns whether the table overlaps enough of them */
  #passGrandparents(entry: OrderedCursor): boolean {
    const files = this.#grandparents
    while (this.#grandparent < files.length && this.#endsBefore(files[this.#grandparent], entry)) {
      if (this.#hasSeenKey) this.#overlappedBytes += files[this.#grandparent].bytes
      this.#grandparent++
    }
    if (this.#overlappedBytes <= GRANDPARENT_FILES_MAX * this.#maxFileBytes) return false
    this.#overlappedBytes = 0
    return true
  }

  #endsBefore({ largest }: FileMetadata, entry: OrderedCursor): boolean {
    const end = largest.length - TAG_BYTES
    const order = this.#comparator.compare(largest, 0, end, entry.keyBuf, 0, entry.keyLen)
    if (order !== 0) return order < 0
    return compareTags(getFixed32(largest, end), getFixed32(largest, end + 4), entry.tagLow, entry.tagHigh) < 0
  }

  #beginTable(): TableBuilder {
    const number = this.#numbers.take()
    const file = this.#files.createWritable(this.#files.join(this.#directory, tableName(number)))
    this.#number = number
    this.#file = file
    this.#builder = new TableBuilder(file, this.#tableOptions)
    return this.#builder
  }

  #endTable(): void {
    const builder = this.#builder as TableBuilder
    const file = this.#file as WritableFile
    builder.finish()
    this.#syncLast()
    this.tables.push(metadataOf(this.#number, builder))
    this.#unsynced = file
    this.#file = undefined
    this.#builder = undefined
  }

  /** The last of the tables, if it is not synced yet. */
  #syncLast(): void {
    const file = this.#unsynced
    if (file === undefined) return
    file.sync()
    this.#unsynced = undefined
    file.close()
    this.#written?.open(this.tables[this.tables.length - 1])
  }
}

/**
 * ReplaySink: takes the batches that are replayed from logs into MemTables, and full MemTables to tables, all on this thread, as
 * recovery and repair need it. A read-only opening keeps the MemTables.
 */
import { closeQuietly } from '../../base/close-all.ts'
import { tableName } from '../../base/filename.ts'
import type { Bytes, FileNumber, Level } from '../../base/types.ts'
import * as Batch from '../../batch/batch-format.ts'
import { RangeOps } from '../../batch/range-ops.ts'
import { runFlushJob } from '../../jobs/flush-job.ts'
import type { MemTable } from '../../memtable/memtable.ts'
import type { FileMetadata } from '../../version/file-metadata.ts'
import type { VersionEdit } from '../../version/version-edit.ts'
import { type FlushSurroundings, planFlush } from '../background/flush-plan.ts'
import { type ResolvedOptions, tableFormat } from '../options.ts'
import { newMemTable, recycleMemTable } from '../write/new-memtable.ts'
import { arenaBytesMax } from '../write/write-group.ts'
import type { ReplayTarget } from './log-replay.ts'

/** What the replayed data comes on top of. */
export interface ReplayBase {
  /** Tables by level; those of level 0 may be in any order. */
  levels(): readonly (readonly FileMetadata[])[]
  newFileNumber(): FileNumber
  readonly surroundings: FlushSurroundings
}

export class ReplaySink implements ReplayTarget {
  /** Newest first; kept only for a read-only opening. */
  readonly memtables: MemTable[] = []
  readonly #directory: string
  readonly #options: ResolvedOptions
  readonly #base: ReplayBase
  readonly #ranges: RangeOps
  /** Tables written so far, in ascending number. */
  readonly #written: FileMetadata[] = []
  /** Tables that range deletes have done away with, of the version found or of this recovery. */
  readonly #dropped = new Map<FileNumber, Level>()
  #active: MemTable | undefined = undefined

  constructor(directory: string, options: ResolvedOptions, base: ReplayBase) {
    this.#directory = directory
    this.#options = options
    this.#base = base
    this.#ranges = new RangeOps(options.comparator)
  }

  get writtenCount(): number {
    return this.#written.length
  }

  /** What the version found becomes by what has been replayed. */
  get change(): Required<Pick<VersionEdit, 'newFiles' | 'deletedFiles'>> {
    const deletedFiles = Array.from(this.#dropped, ([number, level]) => ({ level, number }))
    const newFiles = this.#written.filter(({ number }) => !this.#dropped.has(number))
    return { deletedFiles, newFiles: newFiles.map((file) => ({ level: 0, file })) }
  }

  fault(bytes: Bytes, offset: number, length: number): string | undefined {
    return this.#ranges.read(bytes, offset, length).fault
  }

  replay(bytes: Bytes, offset: number, length: number): void {
    const needed = arenaBytesMax(Batch.batchCount(bytes, offset), this.#ranges.count, length)
    if (this.#active !== undefined && !this.#active.hasRoom(needed)) this.finish()
    this.#active ??= this.#begin(needed)
    Batch.forEachOp(bytes, offset, length, this.#active)
    if (this.#active.memoryUsage >= this.#options.writeBufferBytes) this.finish()
  }

  /** Put what is in memory where it belongs. */
  finish(): void {
    const table = this.#active
    this.#active = undefined
    if (table === undefined) return
    // Not with every batch: until here nobody else can look.
    table.publish()
    if (this.#options.readOnly) return
    table.freeze()
    this.#flush(table)
  }

  /** Recovery has failed: nothing refers to the tables written so far. What stays, the next opening removes. */
  removeTables(): void {
    const { files } = this.#options.environment
    for (const { number } of this.#written)
      closeQuietly(() => files.remove(files.join(this.#directory, tableName(number))))
  }

  #begin(needed: number): MemTable {
    const { readOnly } = this.#options
    // What goes to a table is sorted once, when all of it is there.
    const table = newMemTable(this.#options, needed, readOnly ? undefined : 'vector')
    if (readOnly) this.memtables.unshift(table)
    return table
  }

  #flush(table: MemTable): void {
    const { environment, comparator } = this.#options
    const { below, dropped } = planFlush(table, this.#levels(), comparator, this.#base.surroundings)
    const { file } = runFlushJob(
      {
        kind: 'flush',
        directory: this.#directory,
        number: this.#base.newFileNumber(),
        memtable: table.share(),
        below,
        format: tableFormat(this.#options, 0),
        outlineBytesMax: 0,
      },
      environment,
      comparator,
    )
    if (file !== undefined) this.#written.push(file)
    for (const { level, number } of dropped) this.#dropped.set(number, level)
    recycleMemTable(table)
  }

  /** The tables below what comes next: those found and those written, without those dropped. */
  #levels(): FileMetadata[][] {
    return this.#base.levels().map((files, level) => {
      const all = level === 0 ? [...files, ...this.#written] : files
      return all.filter(({ number }) => !this.#dropped.has(number))
    })
  }
}

/**
 * CompactionInputs: all entries of a compaction's tables, merged, in internal-key order. Every table is read once, from
 * its beginning to its end, through a descriptor of its own and past all caches, read ahead as any iterator's is
 * (table/sequential-blocks.ts); a table is opened when its turn comes and closed after it, so that no more are open than
 * levels, and tables of level 0.
 *
 * Threads  belongs to its job
 */
import { closeAll } from '../base/close-all.ts'
import type { Comparator } from '../base/comparator.ts'
import type { Environment } from '../base/environment.ts'
import { CorruptionError } from '../base/errors.ts'
import { MergingIterator } from '../iterator/merging-iterator.ts'
import { Table } from '../table/table.ts'
import { openTableFile } from '../table/table-file.ts'
import type { TableIterator } from '../table/table-iterator.ts'
import type { FileMetadata } from '../version/file-metadata.ts'
import { LevelIterator } from '../version/level-iterator.ts'
import type { CompactionJob } from './compaction-job.ts'

export class CompactionInputs {
  readonly entries: MergingIterator
  readonly #runs: readonly Run[]

  constructor(job: CompactionJob, environment: Environment, comparator: Comparator) {
    const { level, upper, lower } = job
    const groups = level === 0 ? upper.map((file) => [file]) : [upper]
    if (lower.length > 0) groups.push(lower)
    this.#runs = groups.map((group) => new Run(job.directory, environment, comparator, group))
    this.entries = new MergingIterator(
      comparator,
      this.#runs.map((run) => run.entries),
    )
  }

  /** @throws CorruptionError, always: the entry shown does not come after the one before it in its table */
  outOfOrder(): never {
    return this.#runs[this.entries.child].outOfOrder()
  }

  close(): void {
    closeAll(this.#runs.map((run) => () => run.close()))
  }
}

/** Tables that follow one another. */
class Run {
  readonly entries: LevelIterator
  readonly #directory: string
  readonly #environment: Environment
  readonly #comparator: Comparator
  #table: Table | undefined = undefined
  #iterator: TableIterator | undefined = undefined

  constructor(directory: string, environment: Environment, comparator: Comparator, tables: readonly FileMetadata[]) {
    this.#directory = directory
    this.#environment = environment
    this.#comparator = comparator
    this.entries = new LevelIterator(comparator, tables, (file) => this.#open(file))
  }

  outOfOrder(): never {
    throw new CorruptionError('entries of a table do not ascend', {
      file: this.#table?.file.path ?? this.#directory,
      offset: this.#iterator?.blockOffset ?? 0,
    })
  }

  close(): void {
    const table = this.#table
    this.#table = undefined
    table?.close()
  }

  #open({ number, bytes }: FileMetadata): TableIterator {
    this.close()
    const { files, codecs } = this.#environment
    const file = openTableFile(files, this.#directory, number, bytes)
    try {
      const options = { comparator: this.#comparator, filterPolicy: undefined, blockCache: undefined, codecs }
      this.#table = Table.open(file, number, options)
    } catch (error) {
      file.close()
      throw error
    }
    this.#iterator = this.#table.iterator({ readsAll: true })
    return this.#iterator
  }
}

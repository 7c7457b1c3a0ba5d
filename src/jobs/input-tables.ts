/**
 * InputTables: the tables that a job reads, opened with descriptors of their own, without filters and without a cache: a job
 * goes through each once, in order, on its own thread.
 */
import { closeAll } from '../base/close-all.ts'
import type { Comparator } from '../base/comparator.ts'
import type { Environment } from '../base/environment.ts'
import type { InternalIterator } from '../base/iterator.ts'
import { MergingIterator } from '../iterator/merging-iterator.ts'
import type { Table } from '../table/table.ts'
import { openInputTable } from '../table/table-file.ts'
import type { FileMetadata } from '../version/file-metadata.ts'
import { LevelIterator } from '../version/level-iterator.ts'

export class InputTables {
  readonly #environment: Environment
  readonly #directory: string
  readonly #comparator: Comparator
  readonly #open: Table[] = []

  constructor(environment: Environment, directory: string, comparator: Comparator) {
    this.#environment = environment
    this.#directory = directory
    this.#comparator = comparator
  }

  /**
   * All entries of some tables of a version, in internal-key order. Tables of level 0 are opened now, those below when the
   * iterator comes to them; all stay open until `close`.
   * @param levels level 0 first
   * @throws CorruptionError, NotSupportedError, IOError; so do the iterator's moves
   */
  iterator(levels: readonly (readonly FileMetadata[])[]): InternalIterator {
    const open = (file: FileMetadata): InternalIterator => this.#openTable(file).iterator()
    const children = (levels[0] ?? []).map(open)
    for (const files of levels.slice(1)) {
      if (files.length > 0) children.push(new LevelIterator(this.#comparator, files, open))
    }
    return new MergingIterator(this.#comparator, children)
  }

  close(): void {
    closeAll(this.#open.splice(0).map((table) => () => table.close()))
  }

  #openTable(input: FileMetadata): Table {
    const table = openInputTable(this.#environment, this.#directory, input, this.#comparator)
    this.#open.push(table)
    return table
  }
}

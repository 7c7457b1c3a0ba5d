/**
 * PinnedTables: the tables that one scan holds open. Those of level 0 are held for as long as it lasts, since each may have
 * the next entry; of every other level, the one that the scan is in. A scan thus holds as many descriptors as level 0 has
 * tables and there are levels; and of memory, for each of them, a block, and a window of readahead of at most 256 KiB
 * (table/sequential-blocks.ts), beside index and filter, which the table cache counts.
 */
import type { FileNumber } from '../../base/types.ts'
import type { TableCache } from '../../cache/table-cache.ts'
import type { Table } from '../../table/table.ts'
import type { FileMetadata } from '../../version/file-metadata.ts'

export class PinnedTables {
  readonly #tables: TableCache
  readonly #pinned: Map<FileNumber, Table>

  constructor(tables: TableCache) {
    this.#tables = tables
    this.#pinned = new Map()
  }

  /** @throws CorruptionError, NotSupportedError, IOError if the table cannot be opened */
  pin(file: FileMetadata): Table {
    const table = this.#tables.acquire(file.number, file.bytes)
    this.#pinned.set(file.number, table)
    return table
  }

  /** Let go of a table that is pinned. */
  release(file: FileMetadata): void {
    const table = this.#pinned.get(file.number)
    if (table === undefined) return
    this.#pinned.delete(file.number)
    this.#tables.release(table)
  }

  releaseAll(): void {
    for (const table of this.#pinned.values()) this.#tables.release(table)
    this.#pinned.clear()
  }
}

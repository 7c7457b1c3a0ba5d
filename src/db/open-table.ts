/**
 * How a database opens its tables: by number, with its own comparator, filter and cache, checked against the MANIFEST.
 */
import type { FileNumber } from '../base/types.ts'
import type { BlockCache } from '../cache/block-cache.ts'
import { tableOptions } from '../jobs/flush-job.ts'
import { Table } from '../table/table.ts'
import { openTableFile } from '../table/table-file.ts'
import { type ResolvedOptions, tableFormat } from './options.ts'

/**
 * @param bytes the size that the MANIFEST gives
 * @throws CorruptionError, IOError
 */
export function openTable(
  directory: string,
  options: ResolvedOptions,
  blockCache: BlockCache,
  number: FileNumber,
  bytes: number,
): Table {
  const file = openTableFile(options.environment.files, directory, number, bytes)
  try {
    const { comparator, filterPolicy } = tableOptions(tableFormat(options), options.comparator)
    return Table.open(file, number, { comparator, filterPolicy, blockCache })
  } catch (error) {
    file.close()
    throw error
  }
}

/**
 * How a database opens its tables: by number, with its own comparator, filter and cache, checked against the MANIFEST.
 */
import type { FileNumber } from '../base/types.ts'
import type { BlockCache } from '../cache/block-cache.ts'
import { filterPolicyOf } from '../jobs/flush-job.ts'
import { Table } from '../table/table.ts'
import { openTableFile } from '../table/table-file.ts'
import type { ResolvedOptions } from './options.ts'

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
  const { files, codecs } = options.environment
  const file = openTableFile(files, directory, number, bytes)
  try {
    const { comparator } = options
    return Table.open(file, number, { comparator, filterPolicy: filterPolicyOf(options), blockCache, codecs })
  } catch (error) {
    file.close()
    throw error
  }
}

/**
 * How a database opens its tables: by number, with its own comparator, filter and cache, checked against the MANIFEST.
 */

import { CorruptionError } from '../base/errors.ts'
import { tableName } from '../base/filename.ts'
import type { FileNumber } from '../base/types.ts'
import type { BlockCache } from '../cache/block-cache.ts'
import { tableOptions } from '../jobs/flush-job.ts'
import { tablePath } from '../jobs/input-tables.ts'
import { Table } from '../table/table.ts'
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
  const { files } = options.environment
  const path = tablePath(files, directory, number)
  if (path === undefined)
    throw new CorruptionError('table is missing', { file: files.join(directory, tableName(number)) })
  const file = files.openRandomAccess(path)
  try {
    if (file.bytes !== bytes)
      throw new CorruptionError(`table has ${file.bytes} bytes, the MANIFEST says ${bytes}`, { file: path })
    const { comparator, filterPolicy } = tableOptions(tableFormat(options), options.comparator)
    return Table.open(file, number, { comparator, filterPolicy, blockCache })
  } catch (error) {
    file.close()
    throw error
  }
}

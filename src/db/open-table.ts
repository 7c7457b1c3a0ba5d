/**
 * How a database opens its tables: by number, with its own comparator, filter and cache, checked against the MANIFEST.
 */

import type { FileSystem } from '../base/environment.ts'
import { CorruptionError } from '../base/errors.ts'
import { oldTableName, tableName } from '../base/filename.ts'
import type { FileNumber } from '../base/types.ts'
import type { BlockCache } from '../cache/block-cache.ts'
import { filterPolicyOf } from '../jobs/flush-job.ts'
import { Table } from '../table/table.ts'
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
  const path = tablePath(files, directory, number)
  if (path === undefined)
    throw new CorruptionError('table is missing', { file: files.join(directory, tableName(number)) })
  const file = files.openRandomAccess(path)
  try {
    if (file.bytes !== bytes)
      throw new CorruptionError(`table has ${file.bytes} bytes, the MANIFEST says ${bytes}`, { file: path })
    const { comparator } = options
    return Table.open(file, number, { comparator, filterPolicy: filterPolicyOf(options), blockCache, codecs })
  } catch (error) {
    file.close()
    throw error
  }
}

/** The path of a table, by whichever of its two names it has. */
export function tablePath(files: FileSystem, directory: string, number: FileNumber): string | undefined {
  const path = files.join(directory, tableName(number))
  if (files.status(path) !== undefined) return path
  const old = files.join(directory, oldTableName(number))
  return files.status(old) === undefined ? undefined : old
}

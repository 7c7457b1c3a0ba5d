/**
 * Where a table lies in the directory, under whichever of its two names, and whether it is as long as the MANIFEST says.
 */
import type { Comparator } from '../base/comparator.ts'
import type { Environment, FileStatus, FileSystem, RandomAccessFile } from '../base/environment.ts'
import { CorruptionError } from '../base/errors.ts'
import { oldTableName, tableName } from '../base/filename.ts'
import type { FileNumber } from '../base/types.ts'
import { Table } from './table.ts'

/** Where a table is, by whichever of its two names it has, and what is there. */
export function findTable(
  files: FileSystem,
  directory: string,
  number: FileNumber,
): { readonly name: string; readonly path: string; readonly status: FileStatus } | undefined {
  for (const name of [tableName(number), oldTableName(number)]) {
    const path = files.join(directory, name)
    const status = files.status(path)
    if (status !== undefined) return { name, path, status }
  }
  return undefined
}

/**
 * @param bytes the size that the MANIFEST gives
 * @returns a file that the caller closes
 * @throws CorruptionError if it is missing or has another size, IOError
 */
export function openTableFile(
  files: FileSystem,
  directory: string,
  number: FileNumber,
  bytes: number,
): RandomAccessFile {
  const path = findTable(files, directory, number)?.path
  if (path === undefined)
    throw new CorruptionError('table is missing', { file: files.join(directory, tableName(number)) })
  const file = files.openRandomAccess(path)
  if (file.bytes === bytes) return file
  file.close()
  throw new CorruptionError(`table has ${file.bytes} bytes, the MANIFEST says ${bytes}`, { file: path })
}

/**
 * A table for a job that reads it once: without filters, and past all caches. Closing it closes its file.
 * @throws as openTableFile and Table.open
 */
export function openInputTable(
  { files, codecs }: Pick<Environment, 'files' | 'codecs'>,
  directory: string,
  { number, bytes }: { readonly number: FileNumber; readonly bytes: number },
  comparator: Comparator,
): Table {
  const file = openTableFile(files, directory, number, bytes)
  try {
    return Table.open(file, number, { comparator, filterPolicy: undefined, blockCache: undefined, codecs })
  } catch (error) {
    file.close()
    throw error
  }
}

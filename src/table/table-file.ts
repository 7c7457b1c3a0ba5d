/**
 * Where a table lies in the directory, under whichever of its two names, and whether it is as long as the MANIFEST says.
 */
import type { FileSystem, RandomAccessFile } from '../base/environment.ts'
import { CorruptionError } from '../base/errors.ts'
import { oldTableName, tableName } from '../base/filename.ts'
import type { FileNumber } from '../base/types.ts'

/** The path of a table; undefined if there is none of that number. */
export function tablePath(files: FileSystem, directory: string, number: FileNumber): string | undefined {
  const path = files.join(directory, tableName(number))
  if (files.status(path) !== undefined) return path
  const old = files.join(directory, oldTableName(number))
  return files.status(old) === undefined ? undefined : old
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
  const path = tablePath(files, directory, number)
  if (path === undefined)
    throw new CorruptionError('table is missing', { file: files.join(directory, tableName(number)) })
  const file = files.openRandomAccess(path)
  if (file.bytes === bytes) return file
  file.close()
  throw new CorruptionError(`table has ${file.bytes} bytes, the MANIFEST says ${bytes}`, { file: path })
}

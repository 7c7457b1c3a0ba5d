/**
 * prepareDirectory: looks at a directory before anything in it is opened, and refuses what is not a database and may not become one.
 */
import type { FileSystem } from '../../base/environment.ts'
import { AlreadyExistsError, CorruptionError, InvalidArgumentError, NotFoundError } from '../../base/errors.ts'
import { CURRENT, parseFileName } from '../../base/filename.ts'
import { listLinked } from '../../base/linked-directory.ts'
import { BEGINNING_BYTES } from '../../log/log-room.ts'
import type { ResolvedOptions } from '../options.ts'

/**
 * @param given the directory as its user names it
 * @param directory the path of it; is made if it may be
 * @throws InvalidArgumentError, NotFoundError, AlreadyExistsError, CorruptionError, IOError
 */
export function prepareDirectory(given: string, directory: string, options: ResolvedOptions): void {
  const { files } = options.environment
  const status = files.status(directory)
  if (status !== undefined && status.kind === 'file')
    throw new InvalidArgumentError(`${given} is a file, not a directory`)
  if (status?.kind === 'other') listLinked(files, directory, given)
  const exists = status !== undefined && files.status(files.join(directory, CURRENT)) !== undefined
  if (exists && options.errorIfExists) throw new AlreadyExistsError(`there is a database in ${given} already`)
  if (exists) return
  if (status !== undefined) checkEmpty(files, given, directory)
  if (options.readOnly || !options.createIfMissing) throw new NotFoundError(`there is no database in ${given}`)
  files.makeDirectory(directory)
}

/** A directory without CURRENT must not hold the rest of a database, nor anybody else's files. */
function checkEmpty(files: FileSystem, given: string, directory: string): void {
  const names = files.list(directory)
  const holdsData = names.find((name) => {
    const type = parseFileName(name)?.type
    // A creation that a crash cut short leaves a manifest and an empty log.
    return (
      type === 'table' || (type === 'log' && (files.status(files.join(directory, name))?.bytes ?? 0) > BEGINNING_BYTES)
    )
  })
  if (holdsData !== undefined) {
    const manifests = names.filter((name) => parseFileName(name)?.type === 'manifest')
    const found = [holdsData, ...manifests].join(', ')
    throw new CorruptionError(`CURRENT is missing, though there is ${found}`, { file: files.join(directory, CURRENT) })
  }
  const foreign = names.filter(
    (name) => parseFileName(name) === undefined && !name.startsWith('.') && name !== 'lost+found',
  )
  if (foreign.length > 0) {
    const some = foreign.slice(0, 3).join(', ')
    throw new InvalidArgumentError(`${given} is not a database, and not empty: it holds ${some}`)
  }
}

/**
 * AdminContext: what an operation on a whole database runs with: its arguments, checked, and its progress.
 */
import type { Environment, FileSystem } from '../base/environment.ts'
import { InvalidArgumentError, NotFoundError } from '../base/errors.ts'
import { parseFileName } from '../base/filename.ts'
import { checkCallOptions } from '../base/known-options.ts'
import { listLinked } from '../base/linked-directory.ts'
import { checkPath } from '../base/text.ts'
import { defaultEnvironment } from '../db/open.ts'
import { type Options, type ResolvedOptions, resolveOptions } from '../db/options.ts'
import type { AdminOptions, AdminProgress } from './admin-options.ts'

const COMMON = ['comparator', 'onProgress', 'signal', 'environment']

/** What an operation runs with. */
export interface AdminContext {
  /** Leads to the same place wherever the process goes on to work. */
  readonly directory: string
  /** As it was given. */
  readonly givenDirectory: string
  readonly files: FileSystem
  readonly environment: Environment
  readonly options: ResolvedOptions
  readonly signal: AbortSignal | undefined
  readonly progress: ProgressMeter
}

/**
 * Check an operation's arguments.
 * @param own names of its options besides the common ones
 * @param engine options of `open` that it passes on
 * @throws InvalidArgumentError
 */
export function adminContext(
  call: string,
  directory: unknown,
  options: AdminOptions,
  own: readonly string[] = [],
  engine: Options = {},
): AdminContext {
  checkPath(directory, 'the directory')
  checkCallOptions(call, options, new Set([...COMMON, ...own]))
  const { comparator, environment, signal, onProgress } = options
  if (onProgress !== undefined && typeof onProgress !== 'function')
    throw new InvalidArgumentError('option onProgress must be a function')
  const resolved = resolveOptions({ ...engine, comparator, environment }, defaultEnvironment)
  const { files } = resolved.environment
  return {
    directory: files.absolute?.(directory) ?? directory,
    givenDirectory: directory,
    files,
    environment: resolved.environment,
    options: resolved,
    signal,
    progress: new ProgressMeter(resolved.environment, onProgress),
  }
}

/** @throws NotFoundError unless the directory, or what it is a link to, holds files of a database; returns the names in it */
export function databaseNames({ files, directory, givenDirectory }: AdminContext): string[] {
  const status = files.status(directory)
  if (status === undefined || status.kind === 'file') throw new NotFoundError(`there is no directory ${givenDirectory}`)
  const names = listLinked(files, directory, givenDirectory)
  const isDatabase = names.some((name) => {
    const type = parseFileName(name)?.type
    return type === 'current' || type === 'manifest' || type === 'table'
  })
  if (!isDatabase) throw new NotFoundError(`there is no database in ${givenDirectory}`)
  return names
}

/** Length of a file of the directory; 0 if it has vanished. */
export function bytesOf({ files, directory }: AdminContext, name: string): number {
  return files.status(files.join(directory, name))?.bytes ?? 0
}

const PROGRESS_MS = 50

class ProgressMeter {
  readonly #environment: Environment
  readonly #report: ((progress: AdminProgress) => void) | undefined
  #bytes = 0
  #totalBytes = 0
  #lastMs = Number.NEGATIVE_INFINITY

  constructor(environment: Environment, report: ((progress: AdminProgress) => void) | undefined) {
    this.#environment = environment
    this.#report = report
  }

  expect(bytes: number): void {
    this.#totalBytes += bytes
  }

  /** So many bytes of `file` more have been gone through. */
  add(file: string, bytes: number): void {
    this.#bytes += bytes
    if (this.#report === undefined) return
    const nowMs = this.#environment.clock.monotonicMs()
    if (nowMs - this.#lastMs < PROGRESS_MS) return
    this.#lastMs = nowMs
    this.#report({ file, bytes: this.#bytes, totalBytes: this.#totalBytes })
  }
}

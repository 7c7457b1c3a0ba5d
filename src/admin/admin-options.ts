/**
 * Options of the operations on a whole database that nobody has open, checked, and the waiting that they have in common:
 * for the lock, and between steps. The only file of this folder with `await`.
 */

import { closeQuietly } from '../base/close-all.ts'
import type { KeyOrder } from '../base/comparator.ts'
import type { DirectoryLock, Environment, FileSystem } from '../base/environment.ts'
import { InvalidArgumentError, NotFoundError } from '../base/errors.ts'
import { parseFileName } from '../base/filename.ts'
import { checkCallOptions } from '../base/known-options.ts'
import { listLinked } from '../base/linked-directory.ts'
import { checkPath } from '../base/text.ts'
import { promised } from '../db/call-options.ts'
import { aborted, runSteps, type Steps } from '../db/copies/long-runs.ts'
import { defaultEnvironment } from '../db/open.ts'
import { type Options, type ResolvedOptions, resolveOptions } from '../db/options.ts'

/** The progress of an operation. */
export interface AdminProgress {
  /** The file that is being processed. */
  readonly file: string
  /** Bytes processed so far, and all there are to process: 0 for a stream, whose length is unknown. */
  readonly bytes: number
  readonly totalBytes: number
}

/** Options of `verify`, `repair`, `restore` and `destroy`. */
export interface AdminOptions {
  /** The order of keys that the database was made with. Default: unsigned bytewise. */
  readonly comparator?: KeyOrder | undefined
  /** Called at most every few milliseconds. */
  readonly onProgress?: ((progress: AdminProgress) => void) | undefined
  /** Aborts the operation. */
  readonly signal?: AbortSignal | undefined
  /** Files, clock, randomness and threads. Default: Node's. */
  readonly environment?: Environment | undefined
}

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

/** @throws InvalidArgumentError unless an option is true, false or not given */
export function checkFlag(name: string, value: unknown): boolean {
  if (value !== undefined && typeof value !== 'boolean') {
    throw new InvalidArgumentError(`option ${name} must be true or false`)
  }
  return value ?? false
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

/** What else an operation does under the lock. */
interface Around {
  /** Whether it changes nothing. */
  readonly onlyLooks?: boolean
  /** Awaited before the steps. */
  readonly before?: (lock: DirectoryLock) => Promise<unknown>
  /** Called if it fails. */
  readonly onFailure?: () => void
}

/** Run an operation under the directory's lock. Rejects with LockedError if another opener has it. */
export async function runLocked<T>(context: AdminContext, steps: () => Steps<T>, around: Around = {}): Promise<T> {
  const lock = await context.files.lock(context.givenDirectory, around.onlyLooks)
  let result: T
  try {
    await around.before?.(lock)
    result = await runUnlocked(context, () => underLock(lock, steps()))
  } catch (error) {
    around.onFailure?.()
    closeQuietly(() => lock.release())
    throw error
  }
  lock.release()
  return result
}

/**
 * The steps, between which the lock is checked: what has the directory's path meanwhile may be another database, and the lock may have
 * a line to write for which there was no room. An error in between ends the steps, and is no fault of the file that they are at.
 */
function* underLock<T>(lock: DirectoryLock, steps: Steps<T>): Steps<T> {
  try {
    for (;;) {
      const step = steps.next()
      if (step.done) return step.value
      yield
      lock.check?.()
    }
  } finally {
    steps.return(undefined as T)
  }
}

/** Run an operation that changes nothing, beside whoever has the database open. */
export async function runUnlocked<T>({ environment, signal }: AdminContext, steps: () => Steps<T>): Promise<T> {
  return await runSteps(steps(), environment, signal)
}

/** Hand a stream's chunks over, one after another. @throws (rejects with) AbortedError; what either side throws */
export async function pullInto(
  source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  take: (chunk: Uint8Array) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const chunks = signal !== undefined && Symbol.asyncIterator in source ? untilAborted(source, signal) : source
  for await (const chunk of chunks) {
    if (signal?.aborted) throw aborted(signal)
    take(chunk)
  }
}

/** The chunks of a source. An abort also ends the waiting for a chunk that never comes. */
async function* untilAborted(
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const chunks = source[Symbol.asyncIterator]()
  for (;;) {
    const { done, value } = await nextOrAborted(chunks, signal)
    if (done) return
    let isTaken = false
    try {
      yield value
      isTaken = true
    } finally {
      if (!isTaken) await chunks.return?.()
    }
  }
}

function nextOrAborted<T>(chunks: AsyncIterator<T>, signal: AbortSignal): Promise<IteratorResult<T>> {
  return new Promise((resolve, reject) => {
    // `for await` also takes sources whose methods return no promise.
    const giveUp = (): void => {
      reject(aborted(signal))
      // Not waited for: a source ends after it has given the chunk that it was asked for, which may be never.
      promised(() => chunks.return?.()).catch(() => {})
    }
    signal.addEventListener('abort', giveUp)
    const answered = (): void => signal.removeEventListener('abort', giveUp)
    promised(() => chunks.next())
      .then(resolve, reject)
      .finally(answered)
    // One that fired before the first chunk was asked for does not fire again.
    if (signal.aborted) giveUp()
  })
}

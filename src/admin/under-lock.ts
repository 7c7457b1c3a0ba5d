/**
 * under-lock: how an operation on a whole database waits: for the lock, between its steps, and for a stream. The only file of this folder
 * with `await`.
 */
import { closeQuietly } from '../base/close-all.ts'
import type { DirectoryLock } from '../base/environment.ts'
import { promised } from '../db/call-options.ts'
import { aborted, runSteps, type Steps } from '../db/copies/long-runs.ts'
import type { AdminContext } from './admin-context.ts'

/** What else an operation does under the lock. */
interface Around {
  /** Whether it changes nothing. */
  readonly onlyLooks?: boolean
  /** Awaited before the steps. */
  readonly before?: (lock: DirectoryLock) => Promise<unknown>
  /** Called if it fails. @param isOurs see isOurs */
  readonly onFailure?: (isOurs: boolean) => void
}

/** Run an operation under the directory's lock. Rejects with LockedError if another opener has it. */
export async function runLocked<T>(
  context: AdminContext,
  steps: (lock: DirectoryLock) => Steps<T>,
  around: Around = {},
): Promise<T> {
  const lock = await context.files.lock(context.givenDirectory, around.onlyLooks)
  let result: T
  try {
    await around.before?.(lock)
    result = await runUnlocked(context, () => underLock(lock, steps(lock)))
  } catch (error) {
    closeQuietly(
      () => around.onFailure?.(isOurs(lock)),
      () => lock.release(),
    )
    throw error
  }
  lock.release()
  return result
}

/** Whether what was made in the directory may be removed: at its path, another database may lie by now, with files of the same names. */
export function isOurs(lock: DirectoryLock): boolean {
  try {
    lock.check?.()
    return true
  } catch {
    return false
  }
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

/** What a report says of who may have the database open as well; nothing if there is nobody. */
export function warningsOf(lock: DirectoryLock | undefined): string[] {
  return lock?.unseen === undefined
    ? []
    : [`perhaps still open: whether ${lock.unseen} has ended cannot be seen from here`]
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

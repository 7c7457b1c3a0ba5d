/**
 * DirectorySyncs: what a database's threads know of one another's syncs of its directory, in shared memory. A failed sync may lose the names
 * that are pending then, of whoever made them, and a later sync on another thread succeeds without them. The message that tells
 * of the failure comes too late for that other thread; so a thread that runs jobs announces each of its syncs before it begins, and
 * counts the failure before it says that the sync has ended.
 *
 * Rule     Names are durable if a sync has begun after they were made, and has succeeded; if since then no sync is under way that may have
 *          begun before (`settle`); and if no more have failed by then than before the names were made (`failures`).
 * Threads  any thread reads; each that runs jobs has a word of its own; a database's thread counts its own failures, without a word:
 *          nobody but itself relies on names
 * Source   docs/rfcs/0033-syncs-of-the-directory-on-several-threads.md
 */
import type { Environment } from '../base/environment.ts'
import { IOError, isOutOfDescriptors } from '../base/errors.ts'
import { sharedMemory } from '../base/shared-memory.ts'

/** The words: how many syncs have failed, and one for each thread that runs jobs, which is odd while a sync of its is under way. */
const FAILURES = 0
const FIRST_THREAD = 1
const WORDS = 3
/** Whoever waits for longer does without: one that sleeps is not told that a thread has died in its sync. */
const SETTLE_MS = 10_000
/** The same, of a thread that runs jobs, which holds up nobody. */
const SETTLE_JOB_MS = 60_000

export class DirectorySyncs {
  readonly #words: Int32Array<SharedArrayBuffer>
  readonly #environment: Pick<Environment, 'waitWhile'> | undefined

  /** @param environment not needed where no thread runs jobs */
  constructor(environment?: Pick<Environment, 'waitWhile'>, memory: SharedArrayBuffer = sharedMemory(4 * WORDS)) {
    this.#words = new Int32Array(memory)
    this.#environment = environment
  }

  /** For the threads that run jobs. */
  get memory(): SharedArrayBuffer {
    return this.#words.buffer
  }

  /** How many have failed, or may have. */
  get failures(): number {
    return Atomics.load(this.#words, FAILURES)
  }

  /** One has. */
  failed(): void {
    Atomics.add(this.#words, FAILURES, 1)
  }

  /** On the thread of that number, 0 or 1. @param sync throws if it fails @throws as sync; IOError if one on another thread does not end */
  run(thread: number, sync: () => void): void {
    this.begin(thread)
    try {
      sync()
    } catch (error) {
      // Without a descriptor, nothing has begun.
      if (!isOutOfDescriptors(error)) this.failed()
      throw error
    } finally {
      this.end(thread)
    }
    // The database's thread, which is told of the job next, need not wait: it only looks at the count.
    if (!this.settle(SETTLE_JOB_MS)) throw new IOError('a sync of the directory on another thread does not end')
  }

  begin(thread: number): void {
    Atomics.add(this.#words, FIRST_THREAD + thread, 1)
  }

  /** After `failed`, if it has. */
  end(thread: number): void {
    Atomics.add(this.#words, FIRST_THREAD + thread, 1)
    Atomics.notify(this.#words, FIRST_THREAD + thread)
  }

  /** That thread is no more, wherever it stood: how its sync has ended, nobody knows. */
  threadEnded(thread: number): void {
    if ((Atomics.load(this.#words, FIRST_THREAD + thread) & 1) === 0) return
    this.failed()
    this.end(thread)
  }

  /** Wait until those that are under way have ended. @returns false if that takes too long */
  settle(timeoutMs: number = SETTLE_MS): boolean {
    for (let index = FIRST_THREAD; index < WORDS; index++) {
      const word = Atomics.load(this.#words, index)
      if ((word & 1) === 1 && this.#environment?.waitWhile(this.#words, index, word, timeoutMs)) return false
    }
    return true
  }
}

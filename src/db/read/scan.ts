/**
 * Scan: the entries of a range, as of one moment, as an iterable. It keeps the layers that it began with, so it stays valid
 * across rotations and flushes, and sees nothing that is written after it began. Ending it (the loop's end, `break`, the
 * last entry of its limit, `close`) lets go of them; closing the database ends it. That nobody has it any more does not: a collector
 * of garbage comes late, sees nothing of the memory, files and disk space that hang on it, and to be told costs each short scan a part of its time.
 *
 * Threads  belongs to the database's thread. An asynchronous scan lets the event loop turn every few milliseconds.
 */
import type { CopyPool } from '../../base/copy-pool.ts'
import type { Environment } from '../../base/environment.ts'
import type { Cursor } from './cursor.ts'
import type { DBIterator } from './db-iterator.ts'

/** Key and value: copies that are yours. */
export type Entry = [key: Uint8Array<ArrayBuffer>, value: Uint8Array<ArrayBuffer>]

/** Makes of the entry that an iterator is at what a scan yields. */
export type Project<T> = (iterator: DBIterator, copies: CopyPool) => T

export const projectKey: Project<Uint8Array<ArrayBuffer>> = (i, copies) => copies.copy(i.keyBuf, i.keyOff, i.keyLen)
export const projectValue: Project<Uint8Array<ArrayBuffer>> = (i, copies) => copies.copy(i.valBuf, i.valOff, i.valLen)
export const projectEntry: Project<Entry> = (i, copies) => [projectKey(i, copies), projectValue(i, copies)]

/** Entries between two looks at the clock. */
const CLOCK_EVERY = 64
/** How long an asynchronous scan may keep the event loop waiting. */
const TURN_MS = 4

/** The pulling part that both kinds of scan share. */
export class ScanCursor<T> {
  readonly #cursor: Cursor
  readonly #iterator: DBIterator
  readonly #project: Project<T>
  readonly #copies: CopyPool
  #left: number

  /** @param iterator what `cursor` moves */
  constructor(cursor: Cursor, iterator: DBIterator, project: Project<T>, copies: CopyPool, limit: number) {
    this.#cursor = cursor
    this.#iterator = iterator
    this.#project = project
    this.#copies = copies
    this.#left = limit
  }

  /**
   * The next element, or undefined at the end.
   * @throws ClosedError if the database was closed; CorruptionError, IOError, which end the scan
   */
  pull(): T | undefined {
    if (this.#left > 0 && this.#cursor.next()) {
      const element = this.#project(this.#iterator, this.#copies)
      // Whoever wanted so many may not ask for one more, and so hear that it is over.
      if (--this.#left === 0) this.#cursor.close()
      return element
    }
    this.#cursor.close()
    return undefined
  }

  close(): void {
    this.#cursor.close()
  }
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined }

/** A scan for `for … of`. */
export class SyncScan<T> implements IterableIterator<T> {
  readonly #cursor: ScanCursor<T>

  /** Made by `DB.scanSync()`. @internal */
  constructor(cursor: ScanCursor<T>) {
    this.#cursor = cursor
  }

  next(): IteratorResult<T, undefined> {
    const value = this.#cursor.pull()
    return value === undefined ? DONE : { done: false, value }
  }

  return(): IteratorResult<T, undefined> {
    this.#cursor.close()
    return DONE
  }

  /** End the scan, and release its tables. Ending twice is no error. */
  close(): void {
    this.#cursor.close()
  }

  [Symbol.iterator](): this {
    return this
  }

  [Symbol.dispose](): void {
    this.#cursor.close()
  }
}

/** A scan for `for await … of`. */
export class Scan<T> implements AsyncIterableIterator<T> {
  readonly #cursor: ScanCursor<T>
  readonly #environment: Environment
  #sinceClock = 0
  #turnStartMs = Number.NEGATIVE_INFINITY
  /** Calls that wait for the event loop's next turn: one that comes after them waits, too, so that they are answered in order. */
  #waiting = 0

  /** Made by `DB.scan()`. @internal */
  constructor(cursor: ScanCursor<T>, environment: Environment) {
    this.#cursor = cursor
    this.#environment = environment
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#waiting > 0 || (this.#sinceClock++ >= CLOCK_EVERY && this.#isTurnOver())) return this.#nextTurn()
    return this.#pull()
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#cursor.close()
    return Promise.resolve(DONE)
  }

  /** End the scan, and release its tables. Ending twice is no error. */
  close(): void {
    this.#cursor.close()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#cursor.close()
    return Promise.resolve()
  }

  #pull(): Promise<IteratorResult<T, undefined>> {
    try {
      const value = this.#cursor.pull()
      return Promise.resolve(value === undefined ? DONE : { done: false, value })
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #isTurnOver(): boolean {
    this.#sinceClock = 0
    const now = this.#environment.clock.monotonicMs()
    if (this.#turnStartMs < 0) this.#turnStartMs = now
    return now - this.#turnStartMs >= TURN_MS
  }

  #nextTurn(): Promise<IteratorResult<T, undefined>> {
    this.#waiting++
    return new Promise((resolve) => {
      this.#environment.soon(() => {
        this.#waiting--
        this.#turnStartMs = this.#environment.clock.monotonicMs()
        resolve(this.#pull())
      })
    })
  }
}

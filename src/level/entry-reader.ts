/**
 * EntryReader: what the three kinds of iterators share: a cursor of the engine, in the shape and encoding asked for. It is on
 * the state of the call that made the iterator. Entries are read where they are asked for, without a thread's round trip, so
 * nothing is read ahead; whatever takes longer lets the event loop turn in between.
 *
 * Errors of the cursor's opening are told by the first read: abstract-level expects none of `db.iterator()`.
 */
import type { Cursor, CursorOptions, DB } from '../public/index.ts'
import { type Data, type Format, keyAt, toBytes, valueAt } from './format.ts'
import { aborted, toLevelError } from './level-error.ts'
import { cursorOptions, isInRange, type RangeOptions } from './level-range.ts'
import type { Turn } from './turn.ts'

export interface ReaderOptions extends RangeOptions {
  readonly keyEncoding: Format
  readonly valueEncoding: Format
  readonly keys?: boolean
  readonly values?: boolean
  readonly signal?: AbortSignal | null
  readonly highWaterMarkBytes?: number
}

/** As classic-level's. */
const HIGH_WATER_MARK_BYTES = 16 * 1024

export type LevelEntry = [key: Data | undefined, value: Data | undefined]

/** What an iterator gives of the entry that its cursor is at. */
export type Shape<T> = (cursor: Cursor, options: ReaderOptions) => T

export const asEntry: Shape<LevelEntry> = (cursor, { keys, values, keyEncoding, valueEncoding }) => [
  keys === false ? undefined : keyAt(cursor, keyEncoding),
  values === false ? undefined : valueAt(cursor, valueEncoding),
]
export const asKey: Shape<Data> = (cursor, { keyEncoding }) => keyAt(cursor, keyEncoding)
export const asValue: Shape<Data> = (cursor, { valueEncoding }) => valueAt(cursor, valueEncoding)

export class EntryReader<T> {
  readonly #options: ReaderOptions
  readonly #shape: Shape<T>
  readonly #turn: Turn
  readonly #signal: AbortSignal | undefined
  readonly #highWaterMarkBytes: number
  readonly #bounds: CursorOptions
  readonly #cursor: Cursor | undefined
  readonly #failure: unknown
  /** After a seek: the entry that it found has not been given yet. */
  #isAhead = false
  /** After a seek to a place outside of the range. */
  #isOut = false

  constructor(db: DB, options: ReaderOptions, shape: Shape<T>, turn: Turn) {
    const { highWaterMarkBytes } = options
    this.#options = options
    this.#shape = shape
    this.#turn = turn
    this.#signal = options.signal ?? undefined
    this.#highWaterMarkBytes = typeof highWaterMarkBytes === 'number' ? highWaterMarkBytes : HIGH_WATER_MARK_BYTES
    this.#bounds = cursorOptions(options)
    let cursor: Cursor | undefined
    try {
      cursor = db.cursor(this.#bounds)
    } catch (error) {
      this.#failure = toLevelError(error)
    }
    this.#cursor = cursor
  }

  /** The next one, or undefined at the end. */
  async next(): Promise<T | undefined> {
    if (this.#turn.step()) await this.#nextTurn()
    else if (this.#signal !== undefined) await this.#afterAbort(this.#signal)
    const cursor = this.#opened()
    return this.#move(cursor) ? this.#shape(cursor, this.#options) : undefined
  }

  /** The next `count` at most; fewer at the end, and where what is given of them has more bytes than the high-water mark. */
  async nextMany(count: number): Promise<T[]> {
    if (this.#turn.isOver()) await this.#nextTurn()
    else if (this.#signal !== undefined) await this.#afterAbort(this.#signal)
    const cursor = this.#opened()
    const { keys, values } = this.#options
    const items: T[] = []
    let bytes = 0
    // One at least, whatever the mark is: none would be the end.
    while (items.length < count && (items.length === 0 || bytes <= this.#highWaterMarkBytes) && this.#move(cursor)) {
      items.push(this.#shape(cursor, this.#options))
      bytes += (keys === false ? 0 : cursor.keyLen) + (values === false ? 0 : cursor.valLen)
    }
    return items
  }

  /** All that are left, `count` at most. */
  async all(count: number): Promise<T[]> {
    if (this.#signal !== undefined) await this.#afterAbort(this.#signal)
    const cursor = this.#opened()
    const items: T[] = []
    while (items.length < count && this.#move(cursor)) {
      items.push(this.#shape(cursor, this.#options))
      if (this.#turn.step()) await this.#nextTurn()
    }
    return items
  }

  /** Go on from the first entry at or after `target`, in the iterator's direction. */
  seek(target: Data): void {
    const cursor = this.#opened()
    const key = toBytes(target)
    this.#isOut = !isInRange(key, this.#bounds)
    if (this.#isOut) return
    try {
      cursor.seek(key)
    } catch (error) {
      throw toLevelError(error)
    }
    this.#isAhead = true
  }

  close(): void {
    this.#cursor?.close()
  }

  #opened(): Cursor {
    if (this.#cursor === undefined) throw this.#failure
    return this.#cursor
  }

  #move(cursor: Cursor): boolean {
    if (this.#isOut) return false
    if (this.#isAhead) {
      this.#isAhead = false
      return cursor.valid
    }
    try {
      return cursor.next()
    } catch (error) {
      throw toLevelError(error)
    }
  }

  async #nextTurn(): Promise<void> {
    await this.#turn.next()
    if (this.#signal?.aborted) throw aborted(this.#signal)
  }

  /** A signal may fire in the same turn in which a read was asked for, and still stops it. */
  async #afterAbort(signal: AbortSignal): Promise<void> {
    await undefined
    if (signal.aborted) throw aborted(signal)
  }
}

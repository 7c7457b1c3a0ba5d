/**
 * Iterators of abstract-level, of entries, keys and values, over an EntryReader. abstract-level itself takes care of the
 * limit, of one read at a time, of decoding, and of closing; it calls the methods with an underscore.
 */
import { AbstractIterator, AbstractKeyIterator, AbstractValueIterator } from 'abstract-level'
import type { DB } from '../public/index.ts'
import { asEntry, asKey, asValue, EntryReader, type LevelEntry, type ReaderOptions } from './entry-reader.ts'
import type { Data } from './format.ts'
import type { Turn } from './turn.ts'

export class LevelIterator<TDatabase, K, V> extends AbstractIterator<TDatabase, K, V> {
  readonly #reader: EntryReader<LevelEntry>

  constructor(level: TDatabase, db: DB, options: ReaderOptions, turn: Turn) {
    super(level, options as object)
    this.#reader = new EntryReader(db, options, asEntry, turn)
  }

  _next(): Promise<LevelEntry | undefined> {
    return this.#reader.next()
  }

  _nextv(count: number): Promise<LevelEntry[]> {
    return this.#reader.nextMany(count)
  }

  _all(): Promise<LevelEntry[]> {
    return this.#reader.all(this.limit - this.count)
  }

  _seek(target: Data): void {
    this.#reader.seek(target)
  }

  async _close(): Promise<void> {
    this.#reader.close()
  }
}

export class LevelKeyIterator<TDatabase, K> extends AbstractKeyIterator<TDatabase, K> {
  readonly #reader: EntryReader<Data>

  constructor(level: TDatabase, db: DB, options: ReaderOptions, turn: Turn) {
    super(level, options as object)
    this.#reader = new EntryReader(db, { ...options, keys: true, values: false }, asKey, turn)
  }

  _next(): Promise<Data | undefined> {
    return this.#reader.next()
  }

  _nextv(count: number): Promise<Data[]> {
    return this.#reader.nextMany(count)
  }

  _all(): Promise<Data[]> {
    return this.#reader.all(this.limit - this.count)
  }

  _seek(target: Data): void {
    this.#reader.seek(target)
  }

  async _close(): Promise<void> {
    this.#reader.close()
  }
}

export class LevelValueIterator<TDatabase, K, V> extends AbstractValueIterator<TDatabase, K, V> {
  readonly #reader: EntryReader<Data>

  constructor(level: TDatabase, db: DB, options: ReaderOptions, turn: Turn) {
    super(level, options as object)
    this.#reader = new EntryReader(db, { ...options, keys: false, values: true }, asValue, turn)
  }

  _next(): Promise<Data | undefined> {
    return this.#reader.next()
  }

  _nextv(count: number): Promise<Data[]> {
    return this.#reader.nextMany(count)
  }

  _all(): Promise<Data[]> {
    return this.#reader.all(this.limit - this.count)
  }

  _seek(target: Data): void {
    this.#reader.seek(target)
  }

  async _close(): Promise<void> {
    this.#reader.close()
  }
}

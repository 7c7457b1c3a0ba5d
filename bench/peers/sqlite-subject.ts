/**
 * SQLite (better-sqlite3, which is synchronous) under measurement: one table without row identifiers, key and value as BLOB, a
 * write-ahead log that is taken over when it has the write buffer's size. At `os` synchronous is OFF, at `disk` FULL. A put is a
 * statement that commits by itself, a batch one transaction.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Bytes } from '../../src/base/types.ts'
import { installOnDemand } from '../../tools/on-demand.ts'
import type { Operations } from '../dataset.ts'
import type { Subject, SubjectOptions } from '../subject.ts'
import type { Tally } from '../tally.ts'
import { PACKAGES, SQLITE } from './places.ts'

const KIB = 1024
const PAGE_BYTES = 4096
const CACHE_BYTES = 32 * KIB * KIB

type Row = readonly [key: Bytes, value: Bytes]

interface Statement {
  run(...values: readonly unknown[]): unknown
  get(...values: readonly unknown[]): unknown
  all(...values: readonly unknown[]): unknown
  iterate(...values: readonly unknown[]): unknown
  pluck(): Statement
  raw(): Statement
}

/** The part of better-sqlite3's database that is used here. */
interface Sqlite {
  pragma(source: string): unknown
  exec(source: string): unknown
  prepare(source: string): Statement
  close(): void
}

export class SqliteSubject implements Subject {
  readonly #db: Sqlite
  readonly #put: Statement
  readonly #delete: Statement
  readonly #get: Statement
  readonly #scan: Statement
  readonly #scanReverse: Statement
  readonly #range: Statement
  readonly #prefix: Statement
  readonly #begin: Statement
  readonly #commit: Statement

  private constructor(db: Sqlite) {
    this.#db = db
    this.#put = db.prepare('INSERT INTO kv VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value')
    this.#delete = db.prepare('DELETE FROM kv WHERE key = ?')
    this.#get = db.prepare('SELECT value FROM kv WHERE key = ?').pluck()
    this.#scan = db.prepare('SELECT key, value FROM kv ORDER BY key').raw()
    this.#scanReverse = db.prepare('SELECT key, value FROM kv ORDER BY key DESC').raw()
    this.#range = db.prepare('SELECT key, value FROM kv WHERE key >= ? ORDER BY key LIMIT ?').raw()
    this.#prefix = db.prepare('SELECT key, value FROM kv WHERE key >= ? AND key < ? ORDER BY key LIMIT ?').raw()
    this.#begin = db.prepare('BEGIN IMMEDIATE')
    this.#commit = db.prepare('COMMIT')
  }

  static open(directory: string, { isDurable, writeBufferBytes, cacheBytes }: SubjectOptions): SqliteSubject {
    const Database = installOnDemand(PACKAGES, SQLITE)('better-sqlite3') as new (path: string) => Sqlite
    mkdirSync(directory, { recursive: true })
    const db = new Database(join(directory, 'data.sqlite'))
    db.pragma(`page_size = ${PAGE_BYTES}`)
    db.pragma('journal_mode = WAL')
    db.pragma(`synchronous = ${isDurable ? 'FULL' : 'OFF'}`)
    db.pragma(`wal_autocheckpoint = ${Math.floor(writeBufferBytes / PAGE_BYTES)}`)
    db.pragma(`cache_size = -${(cacheBytes ?? CACHE_BYTES) / KIB}`)
    db.exec('CREATE TABLE IF NOT EXISTS kv (key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID')
    return new SqliteSubject(db)
  }

  async put(key: Bytes, value: Bytes): Promise<void> {
    this.#put.run(key, value)
  }

  putSync(key: Bytes, value: Bytes): void {
    this.#put.run(key, value)
  }

  async delete(key: Bytes): Promise<void> {
    this.#delete.run(key)
  }

  async writeBatch({ keys, values }: Operations, begin: number, limit: number): Promise<void> {
    this.#begin.run()
    for (let i = begin; i < limit; i++) this.#put.run(keys[i], values[i])
    this.#commit.run()
  }

  async get(key: Bytes): Promise<Bytes | undefined> {
    return this.getSync(key)
  }

  getSync(key: Bytes): Bytes | undefined {
    return this.#get.get(key) as Bytes | undefined
  }

  async *scan(isReverse: boolean): AsyncGenerator<Row> {
    yield* this.#rows(isReverse)
  }

  async scanBest(isReverse: boolean, tally: Tally): Promise<void> {
    for (const [key, value] of this.#rows(isReverse)) tally.addEntry(key, value)
  }

  range(gte: Bytes, lt: Bytes | undefined, count: number, tally: Tally): void {
    const rows = lt === undefined ? this.#range.all(gte, count) : this.#prefix.all(gte, lt, count)
    for (const [key, value] of rows as Row[]) tally.addEntry(key, value)
  }

  async close(): Promise<void> {
    this.#db.close()
  }

  #rows(isReverse: boolean): Iterable<Row> {
    return (isReverse ? this.#scanReverse : this.#scan).iterate() as Iterable<Row>
  }
}

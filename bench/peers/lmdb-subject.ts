/**
 * lmdb under measurement. At `os` it does not sync at all; at `disk` a commit is synced before its promise is settled. Puts of one
 * turn of the event loop become one transaction, by itself.
 */
import { join } from 'node:path'
import type { Bytes } from '../../src/base/types.ts'
import { installOnDemand, LMDB } from '../../tools/on-demand.ts'
import type { Operations } from '../dataset.ts'
import type { Subject, SubjectOptions } from '../subject.ts'
import type { Tally } from '../tally.ts'
import { PACKAGES } from './places.ts'

interface Range {
  readonly start?: Bytes
  readonly end?: Bytes
  readonly limit?: number
  readonly reverse?: boolean
}

/** The part of lmdb's database that is used here. */
interface Lmdb {
  get(key: Bytes): Bytes | undefined
  put(key: Bytes, value: Bytes): Promise<boolean>
  putSync(key: Bytes, value: Bytes): boolean
  remove(key: Bytes): Promise<boolean>
  transaction(body: () => void): Promise<unknown>
  getRange(range: Range): Iterable<{ readonly key: Bytes; readonly value: Bytes }>
  close(): Promise<void>
}

export class LmdbSubject implements Subject {
  readonly #db: Lmdb

  private constructor(db: Lmdb) {
    this.#db = db
  }

  static open(directory: string, { isDurable }: SubjectOptions): LmdbSubject {
    const { open } = installOnDemand(PACKAGES, LMDB)('lmdb') as { open(options: object): Lmdb }
    const path = join(directory, 'data.mdb')
    const durability = isDurable ? { overlappingSync: false } : { noSync: true }
    return new LmdbSubject(open({ path, keyEncoding: 'binary', encoding: 'binary', ...durability }))
  }

  put(key: Bytes, value: Bytes): Promise<void> {
    return this.#db.put(key, value) as Promise<unknown> as Promise<void>
  }

  putSync(key: Bytes, value: Bytes): void {
    this.#db.putSync(key, value)
  }

  delete(key: Bytes): Promise<void> {
    return this.#db.remove(key) as Promise<unknown> as Promise<void>
  }

  async writeBatch({ keys, values }: Operations, begin: number, limit: number): Promise<void> {
    const db = this.#db
    await db.transaction(() => {
      for (let i = begin; i < limit; i++) void db.put(keys[i], values[i])
    })
  }

  async get(key: Bytes): Promise<Bytes | undefined> {
    return this.#db.get(key)
  }

  getSync(key: Bytes): Bytes | undefined {
    return this.#db.get(key)
  }

  async *scan(isReverse: boolean): AsyncGenerator<readonly [Bytes, Bytes]> {
    for (const { key, value } of this.#db.getRange({ reverse: isReverse })) yield [key, value]
  }

  async scanBest(isReverse: boolean, tally: Tally): Promise<void> {
    for (const { key, value } of this.#db.getRange({ reverse: isReverse })) tally.addEntry(key, value)
  }

  range(gte: Bytes, lt: Bytes | undefined, count: number, tally: Tally): void {
    const range = lt === undefined ? { start: gte, limit: count } : { start: gte, end: lt, limit: count }
    for (const { key, value } of this.#db.getRange(range)) tally.addEntry(key, value)
  }

  close(): Promise<void> {
    return this.#db.close()
  }
}

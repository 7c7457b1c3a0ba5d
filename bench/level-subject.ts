/**
 * classic-level (LevelDB in C++) under measurement: its defaults, but for what SubjectOptions say, and without compression, as
 * varve. Keys and values are Uint8Arrays, one of the encodings that it takes without transcoding. And memory-level, which has
 * the same face.
 */
import type { AbstractLevel } from 'abstract-level'
import { ClassicLevel } from 'classic-level'
import { MemoryLevel } from 'memory-level'
import type { Bytes } from '../src/base/types.ts'
import type { Operations } from './dataset.ts'
import type { Subject, SubjectOptions } from './subject.ts'
import type { Tally } from './tally.ts'

type Level = AbstractLevel<string | Buffer | Uint8Array, Uint8Array, Uint8Array>

/** Entries that one call of nextv takes at most: what its documentation suggests, and what it does by itself. */
const NEXTV_COUNT = 1000
const VIEWS = { keyEncoding: 'view', valueEncoding: 'view' } as const

export class LevelSubject implements Subject {
  readonly #db: Level
  readonly #writeOptions: { readonly sync: boolean }

  private constructor(db: Level, isDurable: boolean) {
    this.#db = db
    this.#writeOptions = { sync: isDurable }
  }

  static async open(directory: string, options: SubjectOptions): Promise<LevelSubject> {
    const { writeBufferBytes, cacheBytes, isDurable } = options
    const db = new ClassicLevel<Uint8Array, Uint8Array>(directory, {
      ...VIEWS,
      compression: false,
      writeBufferSize: writeBufferBytes,
      ...(cacheBytes === undefined ? {} : { cacheSize: cacheBytes }),
    })
    await db.open()
    return new LevelSubject(db as unknown as Level, isDurable)
  }

  /** memory-level, which keeps nothing anywhere. */
  static async openMemory(): Promise<LevelSubject> {
    const db = new MemoryLevel<Uint8Array, Uint8Array>({ ...VIEWS, storeEncoding: 'view' })
    await db.open()
    return new LevelSubject(db as unknown as Level, false)
  }

  put(key: Bytes, value: Bytes): Promise<void> {
    return this.#writeOptions.sync ? this.#db.put(key, value, this.#writeOptions as object) : this.#db.put(key, value)
  }

  putSync(): void {
    throw new Error('classic-level has no putSync')
  }

  delete(key: Bytes): Promise<void> {
    return this.#writeOptions.sync ? this.#db.del(key, this.#writeOptions as object) : this.#db.del(key)
  }

  writeBatch({ keys, values }: Operations, begin: number, limit: number): Promise<void> {
    const batch: { type: 'put'; key: Uint8Array; value: Uint8Array }[] = []
    for (let i = begin; i < limit; i++) batch.push({ type: 'put', key: keys[i], value: values[i] })
    return this.#writeOptions.sync ? this.#db.batch(batch, this.#writeOptions as object) : this.#db.batch(batch)
  }

  get(key: Bytes): Promise<Bytes | undefined> {
    return this.#db.get(key)
  }

  getSync(key: Bytes): Bytes | undefined {
    return this.#db.getSync(key)
  }

  scan(isReverse: boolean): AsyncIterable<readonly [Bytes, Bytes]> {
    return this.#db.iterator({ reverse: isReverse })
  }

  async scanBest(isReverse: boolean, tally: Tally): Promise<void> {
    const iterator = this.#db.iterator({ reverse: isReverse })
    let entries = await iterator.nextv(NEXTV_COUNT)
    while (entries.length > 0) {
      for (const [key, value] of entries) tally.addEntry(key, value)
      entries = await iterator.nextv(NEXTV_COUNT)
    }
    await iterator.close()
  }

  async range(gte: Bytes, lt: Bytes | undefined, count: number, tally: Tally): Promise<void> {
    const range = lt === undefined ? { gte, limit: count } : { gte, lt, limit: count }
    for (const [key, value] of await this.#db.iterator(range).all()) tally.addEntry(key, value)
  }

  close(): Promise<void> {
    return this.#db.close()
  }
}

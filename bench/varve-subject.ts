/**
 * varve under measurement: its defaults, but for what SubjectOptions say, and without compression, as its peer.
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Bytes } from '../src/base/types.ts'
import * as varve from '../src/public/index.ts'
import type { Operations } from './dataset.ts'
import type { Subject, SubjectOptions } from './subject.ts'
import type { Tally } from './tally.ts'

export class VarveSubject implements Subject {
  readonly #db: varve.DB
  readonly #Batch: typeof varve.WriteBatch

  private constructor(db: varve.DB, Batch: typeof varve.WriteBatch) {
    this.#db = db
    this.#Batch = Batch
  }

  /** @param build directory of another build to measure, instead of this one */
  static async open(directory: string, options: SubjectOptions, build?: string): Promise<VarveSubject> {
    const { open, WriteBatch } = await engineOf(build)
    const { writeBufferBytes, cacheBytes, isDurable } = options
    const cache = cacheBytes === undefined ? {} : { blockCacheBytes: cacheBytes }
    const durability = isDurable ? 'disk' : 'os'
    const db = await open(directory, { writeBufferBytes, compression: 'none', durability, ...cache })
    return new VarveSubject(db, WriteBatch)
  }

  put(key: Bytes, value: Bytes): Promise<void> {
    return this.#db.put(key, value)
  }

  putSync(key: Bytes, value: Bytes): void {
    this.#db.putSync(key, value)
  }

  delete(key: Bytes): Promise<void> {
    return this.#db.delete(key)
  }

  writeBatch({ keys, values }: Operations, begin: number, limit: number): Promise<void> {
    const batch = new this.#Batch()
    for (let i = begin; i < limit; i++) batch.put(keys[i], values[i])
    return this.#db.write(batch)
  }

  get(key: Bytes): Promise<Bytes | undefined> {
    return this.#db.get(key)
  }

  getSync(key: Bytes): Bytes | undefined {
    return this.#db.getSync(key)
  }

  scan(isReverse: boolean): AsyncIterable<readonly [Bytes, Bytes]> {
    return this.#db.scan({ reverse: isReverse })
  }

  async scanBest(isReverse: boolean, tally: Tally): Promise<void> {
    const cursor = this.#db.cursor({ reverse: isReverse })
    while (cursor.next()) tally.addEntry(cursor.key, cursor.value)
    cursor.close()
  }

  scanInPlace(tally: Tally): void {
    const at = this.#db.cursor()
    while (at.next()) tally.addEntryIn(at.keyBuf, at.keyOff, at.keyLen, at.valBuf, at.valOff, at.valLen)
    at.close()
  }

  range(gte: Bytes, lt: Bytes | undefined, count: number, tally: Tally): void {
    const range = lt === undefined ? { gte, limit: count } : { gte, lt, limit: count }
    for (const [key, value] of this.#db.scanSync(range)) tally.addEntry(key, value)
  }

  /** Everything out of memory. */
  flush(): Promise<void> {
    return this.#db.flush()
  }

  /** Everything into the lowest level. */
  compact(): Promise<void> {
    return this.#db.compactRange()
  }

  close(): Promise<void> {
    return this.#db.close()
  }
}

async function engineOf(build: string | undefined): Promise<typeof varve> {
  if (build === undefined) return varve
  return (await import(pathToFileURL(join(build, 'src', 'public', 'index.js')).href)) as typeof varve
}

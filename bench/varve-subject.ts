/**
 * varve under measurement: its defaults, but for what SubjectOptions say.
 */
import type { Bytes } from '../src/base/types.ts'
import { type DB, open, WriteBatch } from '../src/public/index.ts'
import type { Operations } from './dataset.ts'
import type { Subject, SubjectOptions } from './subject.ts'
import type { Tally } from './tally.ts'

export class VarveSubject implements Subject {
  readonly #db: DB

  private constructor(db: DB) {
    this.#db = db
  }

  static async open(directory: string, options: SubjectOptions): Promise<VarveSubject> {
    const { writeBufferBytes, cacheBytes, isDurable } = options
    const cache = cacheBytes === undefined ? {} : { blockCacheBytes: cacheBytes }
    return new VarveSubject(
      await open(directory, { writeBufferBytes, durability: isDurable ? 'disk' : 'os', ...cache }),
    )
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
    const batch = new WriteBatch()
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
    for (const [key, value] of this.#db.scanSync({ reverse: isReverse })) tally.addEntry(key, value)
  }

  close(): Promise<void> {
    return this.#db.close()
  }
}

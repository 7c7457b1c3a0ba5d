/**
 * varve as an Engine.
 */
import { type DB, open, WriteBatch } from '../../src/public/index.ts'
import type { Engine, EngineOptions, Level, Put, Write } from './engine.ts'

const decoder = new TextDecoder()

export async function openVarve(directory: string, options: EngineOptions): Promise<Engine> {
  const { readOnly = false, writeBufferBytes = 4 * 1024 * 1024, rangeDeletes = true } = options
  return new VarveEngine(await open(directory, { readOnly, writeBufferBytes }), rangeDeletes)
}

export class VarveEngine implements Engine {
  readonly saidLoss: boolean
  readonly keepsOrder: boolean = true
  readonly #db: DB
  readonly #rangeDeletes: boolean

  constructor(db: DB, rangeDeletes: boolean = true) {
    this.#db = db
    this.#rangeDeletes = rangeDeletes
    this.saidLoss = db.recoveryInfo.discarded.length > 0
  }

  write(write: Write, level: Level): Promise<void> {
    return this.#db.write(batchOf(write, this.#rangeDeletes), { durability: level })
  }

  writeSync(write: Write, level: Level): void {
    this.#db.writeSync(batchOf(write, this.#rangeDeletes), { durability: level })
  }

  async get(key: string): Promise<string | undefined> {
    const value = await this.#db.get(key)
    return value === undefined ? undefined : decoder.decode(value)
  }

  async *entries(gte: string = '', lt?: string): AsyncGenerator<Put> {
    const range = lt === undefined ? { gte } : { gte, lt }
    for await (const [key, value] of this.#db.scan(range)) yield [decoder.decode(key), decoder.decode(value)]
  }

  close(): Promise<void> {
    return this.#db.close()
  }
}

export function batchOf({ puts, clear }: Write, rangeDeletes: boolean = true): WriteBatch {
  const batch = new WriteBatch()
  if (clear !== undefined && rangeDeletes) batch.deleteRange(clear.start, clear.end)
  else for (const key of clear?.keys ?? []) batch.delete(key)
  for (const [key, value] of puts) batch.put(key, value)
  return batch
}

/**
 * varve as an Engine.
 */
import { type DB, open, WriteBatch } from '../../src/public/index.ts'
import type { Engine, EngineOptions, Level, Put } from './engine.ts'

const decoder = new TextDecoder()

export async function openVarve(directory: string, options: EngineOptions): Promise<Engine> {
  const { readOnly = false, writeBufferBytes = 4 * 1024 * 1024 } = options
  return new VarveEngine(await open(directory, { readOnly, writeBufferBytes }))
}

class VarveEngine implements Engine {
  readonly saidLoss: boolean
  readonly #db: DB

  constructor(db: DB) {
    this.#db = db
    this.saidLoss = db.recoveryInfo.discarded.length > 0
  }

  write(puts: readonly Put[], level: Level): Promise<void> {
    return this.#db.write(batchOf(puts), { durability: level })
  }

  writeSync(puts: readonly Put[], level: Level): void {
    this.#db.writeSync(batchOf(puts), { durability: level })
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

function batchOf(puts: readonly Put[]): WriteBatch {
  const batch = new WriteBatch()
  for (const [key, value] of puts) batch.put(key, value)
  return batch
}

/**
 * Importer: gathers entries into batches, and writes them one after another.
 */

import { showPlural } from '../inspect/figures.ts'
import { type DB, type Durability, WriteBatch } from '../public/index.ts'
import { EXIT_FAILED, ExitError } from './exit.ts'
import { RecordFault } from './record-fault.ts'

/** A batch of long values is written before it has all its records: memory is bounded by bytes. */
const MAX_BATCH_BYTES = 8 * 1024 * 1024

export class Importer {
  readonly #db: DB
  readonly #batchRecords: number
  readonly #durability: Durability
  readonly #batch = new WriteBatch()
  /** Written, and their bytes. */
  records = 0
  bytes = 0

  constructor(db: DB, batchRecords: number, durability: Durability) {
    this.#db = db
    this.#batchRecords = batchRecords
    this.#durability = durability
  }

  /** @throws InvalidArgumentError if the database does not take the key or the value */
  add(key: string | Uint8Array, value: string | Uint8Array): void {
    this.#batch.put(key, value)
  }

  /** Whether it is time to write. */
  get isFull(): boolean {
    return this.#batch.count >= this.#batchRecords || this.#batch.byteLength >= MAX_BATCH_BYTES
  }

  /** Write what has been gathered, all or nothing. Rejects as DB.write does. */
  async write(): Promise<void> {
    if (this.#batch.count === 0) return
    await this.#db.write(this.#batch, { durability: this.#durability })
    this.records += this.#batch.count
    this.bytes += this.#batch.byteLength
    this.#batch.clear()
  }

  /**
   * The import ends with `error`. If a record was the reason, those before it are written first.
   * @returns the error to tell
   */
  async finishBefore(error: unknown): Promise<unknown> {
    if (!(error instanceof RecordFault)) return error
    await this.write()
    return new ExitError(EXIT_FAILED, `${error.message} (imported before it: ${showPlural(this.records, 'record')})`)
  }
}

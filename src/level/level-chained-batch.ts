/**
 * LevelChainedBatch: a chained batch whose operations go straight into a WriteBatch, encoded, as they are added.
 */
import { AbstractChainedBatch } from 'abstract-level'
import { WriteBatch } from '../public/index.ts'
import { type Data, toBytes } from './format.ts'
import { toLevelError } from './level-error.ts'
import type { ChainedBatchWriteOptions } from './level-options.ts'

/** Writes a batch into the database that made it. */
export type WriteChained = (batch: WriteBatch, options: ChainedBatchWriteOptions) => Promise<void>

export class LevelChainedBatch<TDatabase, K, V> extends AbstractChainedBatch<TDatabase, K, V> {
  readonly #batch: WriteBatch = new WriteBatch()
  readonly #write: WriteChained

  constructor(level: TDatabase, write: WriteChained) {
    super(level)
    this.#write = write
  }

  override write(): Promise<void>
  override write(options: ChainedBatchWriteOptions): Promise<void>
  override write(options?: ChainedBatchWriteOptions): Promise<void> {
    return super.write(options as ChainedBatchWriteOptions)
  }

  _put(key: Data, value: Data): void {
    try {
      this.#batch.put(toBytes(key), toBytes(value))
    } catch (error) {
      throw toLevelError(error)
    }
  }

  _del(key: Data): void {
    try {
      this.#batch.delete(toBytes(key))
    } catch (error) {
      throw toLevelError(error)
    }
  }

  _clear(): void {
    this.#batch.clear()
  }

  _write(options: ChainedBatchWriteOptions): Promise<void> {
    return this.#write(this.#batch, options)
  }
}

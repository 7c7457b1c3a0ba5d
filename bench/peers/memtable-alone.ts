/**
 * The part of a write that is varve's MemTable, as a floor beside the engines: entries are inserted as the engine does it, one by one,
 * and published as a batch is. There is no log and no table; a full MemTable is dropped, and the next one begins.
 */
import { type Bytes, type SequenceNumber, sequenceNumber } from '../../src/base/types.ts'
import * as ValueType from '../../src/base/value-type.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import type { Operations } from '../dataset.ts'
import type { Subject, SubjectOptions } from '../subject.ts'

/** Room for the batch that fills it. */
const SLACK_BYTES = 8 * 1024 * 1024

export class MemTableAlone implements Subject {
  readonly #writeBufferBytes: number
  #table: MemTable
  #sequence: SequenceNumber = sequenceNumber(0)

  constructor({ writeBufferBytes }: SubjectOptions) {
    this.#writeBufferBytes = writeBufferBytes
    this.#table = this.#newTable()
  }

  async put(key: Bytes, value: Bytes): Promise<void> {
    this.putSync(key, value)
  }

  putSync(key: Bytes, value: Bytes): void {
    this.#add(key, value)
    this.#publish()
  }

  async delete(): Promise<void> {
    throw new Error('nothing is deleted')
  }

  async writeBatch({ keys, values }: Operations, begin: number, limit: number): Promise<void> {
    for (let i = begin; i < limit; i++) this.#add(keys[i], values[i])
    this.#publish()
  }

  async get(): Promise<undefined> {
    throw new Error('only writes are measured')
  }

  getSync(): undefined {
    throw new Error('only writes are measured')
  }

  scan(): AsyncIterable<readonly [Bytes, Bytes]> {
    throw new Error('only writes are measured')
  }

  /** Nothing: what other engines hold is compared by it. */
  async scanBest(): Promise<void> {}

  range(): void {
    throw new Error('only writes are measured')
  }

  async close(): Promise<void> {}

  #newTable(): MemTable {
    return MemTable.create({ capacityBytes: this.#writeBufferBytes + SLACK_BYTES })
  }

  #add(key: Bytes, value: Bytes): void {
    this.#sequence = sequenceNumber(this.#sequence + 1)
    this.#table.add(this.#sequence, ValueType.VALUE, key, 0, key.length, value, 0, value.length)
  }

  #publish(): void {
    this.#table.publish()
    if (this.#table.memoryUsage >= this.#writeBufferBytes) this.#table = this.#newTable()
  }
}

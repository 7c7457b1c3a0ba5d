/**
 * Reader: point lookups. Asks the active MemTable, the frozen ones newest first, then the tables newest first; the first
 * layer that knows the key answers, and a tombstone is an answer.
 *
 * Threads  belongs to the database's thread; one lookup at a time, which synchronous code ensures
 */
import type { CopyPool } from '../base/copy-pool.ts'
import * as Lookup from '../base/lookup.ts'
import type { Bytes, Level, SequenceNumber } from '../base/types.ts'
import type { Table } from '../table/table.ts'
import type { FileMetadata } from '../version/file-metadata.ts'
import type { TableSource, ValueSink } from '../version/version.ts'
import type { Engine } from './engine.ts'

export class Reader {
  readonly #engine: Engine
  readonly #copy: CopySink

  constructor(engine: Engine) {
    this.#engine = engine
    this.#copy = new CopySink(engine.copies)
  }

  /**
   * The value of `key` as of `sequence`, in memory of its own; undefined if there is none.
   * @throws CorruptionError, IOError
   */
  get(key: Bytes, sequence: SequenceNumber): Uint8Array<ArrayBuffer> | undefined {
    const copy = this.#copy
    if (this.#lookup(key, sequence, copy) !== Lookup.FOUND) return undefined
    const { value } = copy
    copy.value = undefined
    return value
  }

  /** Whether `key` has a value as of `sequence`. */
  has(key: Bytes, sequence: SequenceNumber): boolean {
    return this.#lookup(key, sequence, NO_SINK) === Lookup.FOUND
  }

  #lookup(key: Bytes, sequence: SequenceNumber, sink: ValueSink): number {
    const { active, immutables, version } = this.#engine.readState
    const newest = active.table
    const answer = newest.lookup(key, 0, key.length, sequence)
    if (answer === Lookup.FOUND) sink.take(newest.valBuf, newest.valOff, newest.valLen)
    if (answer !== Lookup.ABSENT) return answer
    for (let i = 0; i < immutables.length; i++) {
      const { table } = immutables[i]
      const older = table.lookup(key, 0, key.length, sequence)
      if (older === Lookup.FOUND) sink.take(table.valBuf, table.valOff, table.valLen)
      if (older !== Lookup.ABSENT) return older
    }
    const tables: TableSource<Table> = this.#engine.tables
    const found = version.lookup(tables, key, 0, key.length, sequence, sink)
    if (version.missed !== undefined) this.#missed(version.missed, version.missedLevel)
    return found
  }

  /** A lookup passed through a table in vain. */
  #missed(file: FileMetadata, level: Level): void {
    const { options, hints, background } = this.#engine
    if (options.seekCompaction && hints.chargeSeek(level, file)) background.schedule()
  }
}

class CopySink implements ValueSink {
  value: Uint8Array<ArrayBuffer> | undefined = undefined
  readonly #pool: CopyPool

  constructor(pool: CopyPool) {
    this.#pool = pool
  }

  take(bytes: Bytes, offset: number, length: number): void {
    this.value = this.#pool.copy(bytes, offset, length)
  }
}

const NO_SINK: ValueSink = { take(): void {} }

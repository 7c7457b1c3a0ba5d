/**
 * Reader: point lookups. Asks the active MemTable, the frozen ones newest first, then the tables newest first; the first
 * layer that knows the key answers, and a tombstone is an answer.
 *
 * Threads  belongs to one thread; one lookup at a time, which synchronous code ensures
 */
import type { CopyPool } from '../../base/copy-pool.ts'
import * as Lookup from '../../base/lookup.ts'
import type { Bytes, SequenceNumber } from '../../base/types.ts'
import { KeyBatch, type ManySink } from '../../version/key-batch.ts'
import type { ValueSink } from '../../version/version.ts'
import { NOTHING, READING } from '../calls.ts'
import type { ReadHost } from './read-host.ts'

export class Reader {
  readonly #host: ReadHost
  readonly #copy: CopySink

  constructor(host: ReadHost) {
    this.#host = host
    this.#copy = new CopySink(host.copies)
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

  /**
   * The values of several keys as of `sequence`, by their place. The MemTables are asked first; the keys that they do not
   * know go to the tables in ascending order, which visits each table and each block once.
   * @throws CorruptionError, IOError
   */
  getMany(keys: readonly Bytes[], sequence: SequenceNumber): (Uint8Array<ArrayBuffer> | undefined)[] {
    const { calls, damage } = this.#host
    try {
      return calls.during(READING, () => this.#getMany(keys, sequence))
    } catch (error) {
      throw damage.found(error)
    }
  }

  #getMany(keys: readonly Bytes[], sequence: SequenceNumber): (Uint8Array<ArrayBuffer> | undefined)[] {
    const { copies, options, tables, readState } = this.#host
    const values = new ManyValues(keys.length, copies)
    const unknown = new Int32Array(keys.length)
    let count = 0
    for (let i = 0; i < keys.length; i++) {
      values.number = i
      if (this.#lookupMemTables(keys[i], sequence, values) === Lookup.ABSENT) unknown[count++] = i
    }
    const { version } = readState
    if (count > 0 && !version.isEmpty) {
      const batch = new KeyBatch(options.comparator, keys, unknown.subarray(0, count))
      version.lookupMany(tables, batch, sequence, values)
    }
    return values.all
  }

  #lookup(key: Bytes, sequence: SequenceNumber, sink: ValueSink): number {
    const { calls } = this.#host
    calls.begin(READING)
    try {
      return this.#lookupLayers(key, sequence, sink)
    } catch (error) {
      throw this.#host.damage.found(error)
    } finally {
      calls.now = NOTHING
      calls.tellUntold()
    }
  }

  #lookupLayers(key: Bytes, sequence: SequenceNumber, sink: ValueSink): number {
    const answer = this.#lookupMemTables(key, sequence, sink)
    if (answer !== Lookup.ABSENT) return answer
    const { tables, readState, hints } = this.#host
    const { version } = readState
    const found = version.lookup(tables, key, 0, key.length, sequence, sink)
    if (version.missed !== undefined) hints?.missed(version.missed, version.missedLevel)
    return found
  }

  #lookupMemTables(key: Bytes, sequence: SequenceNumber, sink: ValueSink): number {
    const { active, immutables } = this.#host.readState
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
    return Lookup.ABSENT
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

/** Values by the place of their keys. */
class ManyValues implements ValueSink, ManySink {
  readonly all: (Uint8Array<ArrayBuffer> | undefined)[]
  /** Whose value `take` takes. */
  number: number
  readonly #pool: CopyPool

  constructor(count: number, pool: CopyPool) {
    this.all = new Array<Uint8Array<ArrayBuffer> | undefined>(count).fill(undefined)
    this.number = 0
    this.#pool = pool
  }

  take(bytes: Bytes, offset: number, length: number): void {
    this.takeOne(this.number, bytes, offset, length)
  }

  takeOne(number: number, bytes: Bytes, offset: number, length: number): void {
    this.all[number] = this.#pool.copy(bytes, offset, length)
  }
}

const NO_SINK: ValueSink = { take(): void {} }

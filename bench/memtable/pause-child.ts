/**
 * pause-child: random inserts into MemTables that take turns, as an engine's do: a full one freezes, a new one takes its place,
 * and the last few stay for readers and the flush. How long does garbage collection stop the writer? Its arguments are the
 * number of entries and the capacity of a table; its output, PauseFigures as JSON.
 */
import { Prng } from '../../src/base/prng.ts'
import { sequenceNumber } from '../../src/base/types.ts'
import * as ValueType from '../../src/base/value-type.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import { VALUE_BYTES } from './key-file.ts'
import { Pauses } from './pauses.ts'

export interface PauseFigures {
  readonly entries: number
  readonly tables: number
  readonly elapsedMs: number
  /** Of garbage collection: how often, the longest one, and all together. */
  readonly collections: number
  readonly longestMs: number
  readonly totalMs: number
  /** Longest time from one full table to the next one's first entry. */
  readonly rotationMs: number
}

const KEY_BYTES = 16
/** Between two turns of the event loop. */
const BATCH_ENTRIES = 1000
/** As an engine's by default: frozen ones that may wait. */
const FROZEN_TABLES = 3

class Writer {
  tables = 1
  rotationMs = 0
  readonly #capacityBytes: number
  readonly #prng: Prng = new Prng(1)
  readonly #key: Uint8Array<ArrayBuffer> = new Uint8Array(KEY_BYTES)
  readonly #value: Uint8Array<ArrayBuffer> = new Uint8Array(VALUE_BYTES)
  readonly #frozen: MemTable[] = []
  #table: MemTable
  #sequence = 0

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes
    this.#table = MemTable.create({ capacityBytes })
  }

  writeBatch(entries: number): void {
    if (!this.#table.hasRoom(entries * MemTable.entryBytesMax(KEY_BYTES, VALUE_BYTES))) this.#rotate()
    for (let i = 0; i < entries; i++) this.#write()
    this.#table.publish()
  }

  #write(): void {
    const key = this.#key
    const prng = this.#prng
    for (let at = 0; at < KEY_BYTES; at += 8) {
      let rest = prng.below(1e8)
      for (let i = at + 7; i >= at; i--) {
        key[i] = 0x30 + (rest % 10)
        rest = Math.floor(rest / 10)
      }
    }
    const value = this.#value
    value[this.#sequence % VALUE_BYTES]++
    this.#table.add(sequenceNumber(++this.#sequence), ValueType.VALUE, key, 0, KEY_BYTES, value, 0, VALUE_BYTES)
  }

  #rotate(): void {
    const start = performance.now()
    this.#table.freeze()
    this.#frozen.push(this.#table)
    if (this.#frozen.length > FROZEN_TABLES) this.#frozen.shift()
    this.#table = MemTable.create({ capacityBytes: this.#capacityBytes })
    this.tables++
    this.rotationMs = Math.max(this.rotationMs, performance.now() - start)
  }
}

async function run(entries: number, capacityBytes: number): Promise<PauseFigures> {
  const pauses = new Pauses()
  const writer = new Writer(capacityBytes)
  const begin = performance.now()
  for (let done = 0; done < entries; done += BATCH_ENTRIES) {
    writer.writeBatch(Math.min(BATCH_ENTRIES, entries - done))
    await new Promise((resolve) => setImmediate(resolve))
  }
  const limit = performance.now()
  const all = await pauses.between(begin, limit)
  return {
    entries,
    tables: writer.tables,
    elapsedMs: limit - begin,
    collections: all.length,
    longestMs: Math.max(0, ...all),
    totalMs: all.reduce((sum, ms) => sum + ms, 0),
    rotationMs: writer.rotationMs,
  }
}

console.log(JSON.stringify(await run(Number(process.argv[2]), Number(process.argv[3]))))

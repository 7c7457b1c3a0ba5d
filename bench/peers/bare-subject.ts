/**
 * What the machine itself takes, as a floor beside the engines: a put is one write(2) of the bytes that a record of it takes in
 * LevelDB's log, and one fdatasync at `disk`; what is read is copied from memory. It finds nothing and keeps no order. Of a key
 * that is missing all bytes are hashed, as a Bloom filter does, and one word of an index is read, and one byte of a filter.
 */
import { closeSync, fdatasync, fdatasyncSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { hash32 } from '../../src/base/hash.ts'
import type { Bytes } from '../../src/base/types.ts'
import type { Operations } from '../dataset.ts'
import type { Subject, SubjectOptions } from '../subject.ts'
import type { Tally } from '../tally.ts'

/** Frame of a record; sequence and count of its batch; type and both lengths of one put. */
const RECORD_BYTES = 7 + 12 + 3
/** An index has a word for each block of so many entries, a filter ten bits a key. */
const BLOCK_ENTRIES = 33
const FILTER_BYTES = 10 / 8
const fdatasyncLater = promisify(fdatasync)

export class BareSubject implements Subject {
  readonly #file: number
  readonly #isDurable: boolean
  #record: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  #keys: Bytes[] = []
  #values: Bytes[] = []
  #next = 0
  #index: Float64Array = new Float64Array(0)
  #filter: Uint8Array = new Uint8Array(0)
  #keysAreMissing = false

  private constructor(file: number, isDurable: boolean) {
    this.#file = file
    this.#isDurable = isDurable
  }

  static open(directory: string, { isDurable }: SubjectOptions): BareSubject {
    mkdirSync(directory, { recursive: true })
    return new BareSubject(openSync(join(directory, 'log'), 'w'), isDurable)
  }

  async put(key: Bytes, value: Bytes): Promise<void> {
    this.#append(key, value)
    if (this.#isDurable) await fdatasyncLater(this.#file)
  }

  putSync(key: Bytes, value: Bytes): void {
    this.#append(key, value)
    if (this.#isDurable) fdatasyncSync(this.#file)
  }

  async delete(): Promise<void> {
    throw new Error('nothing is deleted')
  }

  /** One write(2) for all of them. */
  async writeBatch({ keys, values }: Operations, begin: number, limit: number): Promise<void> {
    let bytes = 0
    for (let i = begin; i < limit; i++) bytes += keys[i].length + values[i].length + 3
    writeSync(this.#file, new Uint8Array(bytes))
    this.#keys = keys
    this.#values = values
  }

  async get(): Promise<Bytes | undefined> {
    return this.#copy()
  }

  get keysAreMissing(): boolean {
    return this.#keysAreMissing
  }

  set keysAreMissing(areMissing: boolean) {
    this.#keysAreMissing = areMissing
    if (!areMissing) return
    const { length } = this.#keys
    // Written to, so that it is memory of its own.
    this.#index = new Float64Array(Math.ceil(length / BLOCK_ENTRIES)).fill(1)
    this.#filter = new Uint8Array(Math.ceil(length * FILTER_BYTES)).fill(1)
  }

  /** A copy of some value; nothing for a key that is missing. */
  getSync(key: Bytes): Bytes | undefined {
    if (!this.#keysAreMissing) return this.#copy()
    const hash = hash32(key, 0, key.length, 0)
    // Which byte of the filter, is known once the word is.
    const word = this.#index[hash % this.#index.length]
    return this.#filter[(hash + word) % this.#filter.length] === 0 ? this.#copy() : undefined
  }

  scan(): AsyncIterable<readonly [Bytes, Bytes]> {
    throw new Error('there is no order')
  }

  /** A copy of every key and value, in the order in which they were written. */
  async scanBest(_isReverse: boolean, tally: Tally): Promise<void> {
    for (let i = 0; i < this.#keys.length; i++) tally.addEntry(this.#keys[i].slice(), this.#values[i].slice())
  }

  range(): void {
    throw new Error('there is no order')
  }

  async close(): Promise<void> {
    closeSync(this.#file)
  }

  #copy(): Bytes {
    this.#next = (this.#next + 104_729) % this.#values.length
    return this.#values[this.#next].slice()
  }

  #append(key: Bytes, value: Bytes): void {
    const bytes = RECORD_BYTES + key.length + value.length
    if (this.#record.length !== bytes) this.#record = new Uint8Array(bytes)
    writeSync(this.#file, this.#record, 0, bytes)
  }
}

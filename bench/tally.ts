/**
 * Tally: count and checksum of what a benchmark has read, in order. Cheap, since it is part of what is timed: of each string
 * the last four bytes and the length. A check of every byte follows when the clock has stopped.
 */
import type { Bytes } from '../src/base/types.ts'

const MULTIPLIER = 0x9e3779b1 | 0

export class Tally {
  count = 0
  checksum = 0

  addValue(value: Bytes): void {
    this.count++
    this.#fold(value, 0, value.length)
  }

  addEntry(key: Bytes, value: Bytes): void {
    this.count++
    this.#fold(key, 0, key.length)
    this.#fold(value, 0, value.length)
  }

  /** An entry that lies in memory of the engine's. */
  addEntryIn(keyBuf: Bytes, keyOff: number, keyLen: number, valBuf: Bytes, valOff: number, valLen: number): void {
    this.count++
    this.#fold(keyBuf, keyOff, keyLen)
    this.#fold(valBuf, valOff, valLen)
  }

  /** @throws Error if it differs from what was expected */
  check(expected: Tally): void {
    if (this.count !== expected.count) throw new Error(`read ${this.count} values instead of ${expected.count}`)
    if (this.checksum !== expected.checksum) throw new Error('read wrong keys or values')
  }

  #fold(bytes: Bytes, offset: number, length: number): void {
    const end = offset + length
    const last = bytes[end - 4] | (bytes[end - 3] << 8) | (bytes[end - 2] << 16) | (bytes[end - 1] << 24)
    this.checksum = (Math.imul(this.checksum, MULTIPLIER) + (last ^ length)) | 0
  }
}

/**
 * VectorIterator: a cursor over the entries of a SortedVector. In the writer's own, a move after writes first finds its place
 * again.
 * Threads  one iterator belongs to one thread
 */
import type { Bytes } from '../base/types.ts'
import type { MemTableIterator } from './memtable-rep.ts'
import type { SortedVector } from './sorted-vector.ts'
import { VERSION_BYTES, versionTagHigh, versionTagLow, versionValueLength } from './version-record.ts'

/** Entries that are touched together. */
const TOUCHED = 32
/** Words from a key to one that is needed as well and may lie in the next cache line. */
const KEY_REACH = 8

export class VectorIterator implements MemTableIterator {
  valid: boolean
  keyBuf: Bytes
  keyOff: number
  keyLen: number
  tagLow: number
  tagHigh: number
  valBuf: Bytes
  valOff: number
  valLen: number

  readonly #vector: SortedVector
  #place: number
  /** Entries that the place is meant for. */
  #count: number
  /** Keeps what is only touched from being optimised away. */
  #touched: number

  constructor(vector: SortedVector) {
    this.valid = false
    this.keyBuf = vector.arena.bytes
    this.keyOff = 0
    this.keyLen = 0
    this.tagLow = 0
    this.tagHigh = 0
    this.valBuf = vector.arena.bytes
    this.valOff = 0
    this.valLen = 0
    this.#vector = vector
    this.#place = 0
    this.#count = 0
    this.#touched = 0
  }

  seekToFirst(): void {
    this.#begin()
    this.#enter(0)
  }

  seekToLast(): void {
    this.#begin()
    this.#enter(this.#count - 1)
  }

  seek(key: Bytes, keyOff: number, keyLen: number, tagLow: number, tagHigh: number): void {
    this.#begin()
    this.#enter(this.#vector.seek(key, keyOff, keyLen, tagLow, tagHigh))
  }

  next(): void {
    this.#renew()
    const place = this.#place + 1
    if (place % TOUCHED === 0) this.#touch(place)
    this.#enter(place)
  }

  prev(): void {
    this.#renew()
    this.#enter(this.#place - 1)
  }

  nextKey(): void {
    this.#renew()
    const next = this.#place + 1
    const isOther = next === this.#count || !this.#vector.haveSameKey(this.#place, next)
    this.#enter(isOther ? next : this.#vector.keyStart(next, true))
  }

  prevKey(): void {
    this.toNewest()
    this.#enter(this.#place - 1)
    if (this.valid) this.toNewest()
  }

  toNewest(): void {
    this.#renew()
    const place = this.#place
    if (place > 0 && this.#vector.haveSameKey(place - 1, place)) this.#enter(this.#vector.keyStart(place, false))
    else this.#enter(place)
  }

  /** Load two words of each entry from a place on: these loads wait for memory together. */
  #touch(place: number): void {
    const vector = this.#vector
    const { words } = vector.arena
    const end = Math.min(place + TOUCHED, this.#count)
    const last = words.length - 1
    let touched = 0
    for (let i = place; i < end; i++) {
      const key = vector.keyOffset(i) >> 2
      const further = key + KEY_REACH
      touched ^= words[key] ^ words[further < last ? further : last]
    }
    this.#touched ^= touched
  }

  #begin(): void {
    this.#vector.order()
    this.#count = this.#vector.count
  }

  /** To the same entry, where it is now. */
  #renew(): void {
    if (this.#count === this.#vector.count) return
    this.#begin()
    this.#place = this.#vector.seek(this.keyBuf, this.keyOff, this.keyLen, this.tagLow, this.tagHigh)
  }

  #enter(place: number): void {
    this.#place = place
    this.valid = false
    if (place < 0 || place >= this.#count) return
    const vector = this.#vector
    vector.verify(place)
    this.valid = true
    const { words } = vector.arena
    const version = vector.version(place)
    this.keyOff = vector.keyOffset(place)
    this.keyLen = vector.keyLength(place)
    this.tagLow = versionTagLow(words, version)
    this.tagHigh = versionTagHigh(words, version)
    this.valOff = version + VERSION_BYTES
    this.valLen = versionValueLength(words, version)
  }
}

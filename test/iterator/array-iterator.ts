/**
 * ArrayIterator: an InternalIterator over a sorted array, as the child of iterators under test.
 */
import assert from 'node:assert/strict'
import { EMPTY } from '../../src/base/bytes.ts'
import { CorruptionError } from '../../src/base/errors.ts'
import type { InternalIterator } from '../../src/base/iterator.ts'
import type { Bytes } from '../../src/base/types.ts'
import { compareEntries, type Entry } from '../table/entries.ts'

/** Iterates over a sorted array; throws when it comes to the entry number `damagedAt`. */
export class ArrayIterator implements InternalIterator {
  valid = false
  keyBuf: Bytes = EMPTY
  keyOff = 0
  keyLen = 0
  tagLow = 0
  tagHigh = 0
  valBuf: Bytes = EMPTY
  valOff = 0
  valLen = 0
  /** Moves and seeks so far. */
  moveCount = 0
  readonly #entries: readonly Entry[]
  readonly #damagedAt: number
  #at = 0

  constructor(entries: readonly Entry[], damagedAt: number = Number.NaN) {
    this.#entries = entries
    this.#damagedAt = damagedAt
  }

  seekToFirst(): void {
    this.#go(0)
  }

  seekToLast(): void {
    this.#go(this.#entries.length - 1)
  }

  seek(key: Bytes, keyOff: number, keyLen: number, low: number, high: number): void {
    const target = { key: key.slice(keyOff, keyOff + keyLen), low, high, value: EMPTY }
    const found = this.#entries.findIndex((entry) => compareEntries(entry, target) >= 0)
    this.#go(found < 0 ? this.#entries.length : found)
  }

  next(): void {
    assert.ok(this.valid, 'next needs a valid iterator')
    this.#go(this.#at + 1)
  }

  prev(): void {
    assert.ok(this.valid, 'prev needs a valid iterator')
    this.#go(this.#at - 1)
  }

  #go(at: number): void {
    this.valid = false
    this.moveCount++
    if (at === this.#damagedAt) throw new CorruptionError('damaged')
    this.#at = at
    const entry = this.#entries[at]
    if (entry === undefined) return
    this.valid = true
    // Borrowed bytes: the next move overwrites them, as a block iterator's key buffer.
    this.keyBuf.fill(0xee)
    // Neither key nor value begins where its buffer does, and they begin elsewhere each time.
    this.keyOff = 1 + (at % 3)
    this.keyBuf = new Uint8Array(this.keyOff + entry.key.length + 1)
    this.keyBuf.set(entry.key, this.keyOff)
    this.keyLen = entry.key.length
    this.tagLow = entry.low
    this.tagHigh = entry.high
    this.valOff = 2 - (at % 3)
    this.valBuf = new Uint8Array(this.valOff + entry.value.length + 1)
    this.valBuf.set(entry.value, this.valOff)
    this.valLen = entry.value.length
  }
}

/**
 * VisibleEntries: the newest version of every key as of one sequence, in the order of the keys, tombstones included: what a
 * dump of a MemTable consists of. A move writes its result to fields, borrowed until the next one.
 * Threads  one instance belongs to one thread. In an attached table it stays at the moment at which it was made; in the
 *          writer's own it also meets what is written while it is in use, up to its sequence.
 */
import { EMPTY } from '../base/bytes.ts'
import { compareTags, tagHigh, tagLow, tagType } from '../base/internal-key.ts'
import type { Bytes, SequenceNumber } from '../base/types.ts'
import * as ValueType from '../base/value-type.ts'
import type { MemTableIterator, MemTableRep } from './memtable-rep.ts'
import { isTombstone, VERSION_BYTES, versionValueLength } from './version-record.ts'

export class VisibleEntries {
  valid: boolean
  isTombstone: boolean
  keyBuf: Bytes
  keyOff: number
  keyLen: number
  valBuf: Bytes
  valOff: number
  valLen: number
  /** After `measure`: how many there are, and the bytes of their keys and values. */
  count: number
  bytes: number

  readonly #rep: MemTableRep
  readonly #limit: number
  readonly #at: MemTableIterator
  /** The largest tag that is visible. */
  readonly #tagLow: number
  readonly #tagHigh: number

  /** @param limit what this thread may see; NO_LIMIT for the writer */
  constructor(rep: MemTableRep, limit: number, sequence: SequenceNumber) {
    this.valid = false
    this.isTombstone = false
    this.keyBuf = EMPTY
    this.keyOff = 0
    this.keyLen = 0
    this.valBuf = EMPTY
    this.valOff = 0
    this.valLen = 0
    this.count = 0
    this.bytes = 0
    this.#rep = rep
    this.#limit = limit
    this.#at = rep.iterator(limit)
    this.#tagLow = tagLow(sequence, ValueType.VALUE)
    this.#tagHigh = tagHigh(sequence)
  }

  measure(): void {
    this.count = 0
    this.bytes = 0
    for (this.first(); this.valid; this.next()) {
      this.count++
      this.bytes += this.keyLen + this.valLen
    }
  }

  first(): void {
    this.#at.seekToFirst()
    this.#settle()
  }

  next(): void {
    this.#at.nextKey()
    this.#settle()
  }

  /** Here, or at the next key that has a visible version. */
  #settle(): void {
    const at = this.#at
    while (at.valid && !this.#take(at)) at.nextKey()
    this.valid = at.valid
  }

  #take(at: MemTableIterator): boolean {
    this.keyBuf = at.keyBuf
    this.keyOff = at.keyOff
    this.keyLen = at.keyLen
    if (compareTags(at.tagLow, at.tagHigh, this.#tagLow, this.#tagHigh) < 0) return this.#takeOlder(at)
    this.isTombstone = tagType(at.tagLow) === ValueType.DELETION
    this.valBuf = at.valBuf
    this.valOff = at.valOff
    this.valLen = at.valLen
    return true
  }

  #takeOlder(at: MemTableIterator): boolean {
    const { words, bytes } = this.#rep.arena
    const version = this.#rep.find(at.keyBuf, at.keyOff, at.keyLen, this.#tagLow, this.#tagHigh, this.#limit)
    if (version === 0) return false
    this.isTombstone = isTombstone(words, version)
    this.valBuf = bytes
    this.valOff = version + VERSION_BYTES
    this.valLen = versionValueLength(words, version)
    return true
  }
}

/**
 * NewestEntries: the newest entry of every key that a MemTable holds, in the order of the keys, tombstones included; a key
 * that a newer range tombstone covers is a tombstone. A move writes its result to fields, borrowed until the next one.
 * Threads  one instance belongs to one thread. In an attached table it stays at the moment at which it was made; in the
 *          writer's own it also meets what is written while it is in use.
 */
import { EMPTY, ownedCopy } from '../base/bytes.ts'
import type { Comparator } from '../base/comparator.ts'
import { InvalidArgumentError } from '../base/errors.ts'
import { MAX_TAG_HIGH, MAX_TAG_LOW, tagSequence, tagType } from '../base/internal-key.ts'
import type { Bytes, SequenceNumber } from '../base/types.ts'
import * as ValueType from '../base/value-type.ts'
import type { Arena } from './arena.ts'
import type { MemTableEntry } from './entry.ts'
import type { MemTableIterator } from './memtable-rep.ts'
import type { RangeTombstones } from './range-tombstones.ts'

export class NewestEntries {
  valid: boolean
  keyBuf: Bytes
  keyOff: number
  keyLen: number
  sequence: SequenceNumber
  isTombstone: boolean
  /** Unless it is a tombstone. */
  valBuf: Bytes
  valOff: number
  valLen: number

  readonly #at: MemTableIterator
  readonly #ranges: RangeTombstones
  readonly #limit: number
  readonly #arena: Arena
  readonly #isOfTorn: boolean

  /** @param at a new cursor over the table's versions, with the same limit */
  constructor(at: MemTableIterator, ranges: RangeTombstones, limit: number, arena: Arena) {
    this.valid = false
    this.keyBuf = EMPTY
    this.keyOff = 0
    this.keyLen = 0
    this.sequence = 0 as SequenceNumber
    this.isTombstone = false
    this.valBuf = EMPTY
    this.valOff = 0
    this.valLen = 0
    this.#at = at
    this.#ranges = ranges
    this.#limit = limit
    this.#arena = arena
    this.#isOfTorn = arena.isTorn
  }

  first(): void {
    this.#at.seekToFirst()
    this.#settle()
  }

  last(): void {
    this.#at.seekToLast()
    if (this.#at.valid) this.#at.toNewest()
    this.#settle()
  }

  /** To the first key that is not before the given one. */
  seek(key: Bytes, keyOff: number, keyLen: number): void {
    this.#at.seek(key, keyOff, keyLen, MAX_TAG_LOW, MAX_TAG_HIGH)
    this.#settle()
  }

  /** From a valid position, as `prev`. */
  next(): void {
    this.#at.nextKey()
    this.#settle()
  }

  prev(): void {
    this.#at.prevKey()
    this.#settle()
  }

  /** @throws InvalidArgumentError if a write was cut off since this was made: it may be at what that has left */
  #settle(): void {
    if (this.#arena.isTorn !== this.#isOfTorn)
      throw new InvalidArgumentError('a call that wrote to the MemTable was cut off halfway: begin anew')
    const at = this.#at
    this.valid = at.valid
    if (!at.valid) return
    this.keyBuf = at.keyBuf
    this.keyOff = at.keyOff
    this.keyLen = at.keyLen
    this.sequence = tagSequence(at.tagLow, at.tagHigh)
    this.isTombstone = tagType(at.tagLow) === ValueType.DELETION
    this.valBuf = at.valBuf
    this.valOff = at.valOff
    this.valLen = at.valLen
    const ranges = this.#ranges
    if (ranges.isEmpty) return
    const { keyBuf, keyOff, keyLen } = at
    const limit = this.#limit
    const cover = ranges.find(keyBuf, keyOff, keyLen, MAX_TAG_LOW, MAX_TAG_HIGH, limit, at.tagLow, at.tagHigh)
    if (cover === 0) return
    this.sequence = ranges.sequenceOf(cover)
    this.isTombstone = true
  }
}

/** A copy of the entry at a valid position. */
export function entryAt(at: NewestEntries): MemTableEntry {
  const key = ownedCopy(at.keyBuf, at.keyOff, at.keyLen)
  const { sequence } = at
  if (at.isTombstone) return { key, type: 'tombstone', sequence }
  return { key, type: 'value', value: ownedCopy(at.valBuf, at.valOff, at.valLen), sequence }
}

/** The newest version of every key from `start` to `end`, both inclusive, or from either end of the table. */
export function* entriesBetween(
  at: NewestEntries,
  comparator: Comparator,
  start: Bytes | undefined,
  end: Bytes | undefined,
): Generator<MemTableEntry, undefined, undefined> {
  if (start === undefined) at.first()
  else at.seek(start, 0, start.length)
  while (at.valid) {
    if (end !== undefined && comparator.compare(at.keyBuf, at.keyOff, at.keyLen, end, 0, end.length) > 0) return
    yield entryAt(at)
    at.next()
  }
}

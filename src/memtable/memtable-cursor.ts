/**
 * MemTableCursor: a position in a MemTable's keys, each with its newest version, tombstones included. A new cursor stands
 * nowhere; the moves that position it work from anywhere, `next` and `prev` from a valid position.
 * A move that did not end, because V8 cut it off or the stack did, leaves the cursor nowhere, and not behind the last key: then
 * everything throws but a move that positions it. So it does once a write has torn the table (memtable.ts).
 * Threads  one cursor belongs to one thread. In an attached table it stays at the moment at which it was made; in the
 *          writer's own it also meets what is written while it is in use.
 */
import { ownedCopy } from '../base/bytes.ts'
import type { Comparator } from '../base/comparator.ts'
import { InvalidArgumentError } from '../base/errors.ts'
import { toBytes } from '../base/text.ts'
import type { SequenceNumber } from '../base/types.ts'
import type { MemTableEntry } from './entry.ts'
import { entryAt, type NewestEntries } from './newest-entries.ts'

/** A position in a MemTable's keys, each with its newest version. A new cursor stands nowhere. */
export class MemTableCursor {
  readonly #entries: NewestEntries
  readonly #comparator: Comparator
  #isMoving: boolean

  /** Made by `MemTable.cursor()`. @internal */
  constructor(entries: NewestEntries, comparator: Comparator) {
    this.#entries = entries
    this.#comparator = comparator
    this.#isMoving = false
  }

  /** Whether the cursor stands at a key. */
  get valid(): boolean {
    if (this.#isMoving) throw new InvalidArgumentError('the last move of the cursor was cut off: position it anew')
    return this.#entries.valid
  }

  /** A copy of the key. @throws InvalidArgumentError unless valid, as the other properties */
  get key(): Uint8Array<ArrayBuffer> {
    const at = this.#position()
    return ownedCopy(at.keyBuf, at.keyOff, at.keyLen)
  }

  /** A copy of the value; undefined at a tombstone. */
  get value(): Uint8Array<ArrayBuffer> | undefined {
    const at = this.#position()
    return at.isTombstone ? undefined : ownedCopy(at.valBuf, at.valOff, at.valLen)
  }

  get type(): 'value' | 'tombstone' {
    return this.#position().isTombstone ? 'tombstone' : 'value'
  }

  get sequence(): SequenceNumber {
    return this.#position().sequence
  }

  /** A copy of all of it. */
  get entry(): MemTableEntry {
    return entryAt(this.#position())
  }

  /** To the first key. @returns `valid`, as all moves do */
  first(): boolean {
    this.#begin().first()
    return this.#end()
  }

  /** To the last key. */
  last(): boolean {
    this.#begin().last()
    return this.#end()
  }

  /**
   * To the first key that is not before `key`. O(log n).
   * @throws InvalidArgumentError if it is neither string nor Uint8Array, or not well-formed; the cursor stays
   */
  seek(key: string | Uint8Array): boolean {
    const bytes = toBytes(key, 'key')
    this.#begin().seek(bytes, 0, bytes.length)
    return this.#end()
  }

  /** To the last key that is not after `key`; else as `seek`. */
  seekForPrev(key: string | Uint8Array): boolean {
    const bytes = toBytes(key, 'key')
    const at = this.#begin()
    at.seek(bytes, 0, bytes.length)
    if (!at.valid) at.last()
    else if (this.#comparator.compare(at.keyBuf, at.keyOff, at.keyLen, bytes, 0, bytes.length) !== 0) at.prev()
    return this.#end()
  }

  /** To the next key; past the last one the cursor is not valid. */
  next(): boolean {
    this.#position()
    this.#begin().next()
    return this.#end()
  }

  /** To the previous key; before the first one the cursor is not valid. */
  prev(): boolean {
    this.#position()
    this.#begin().prev()
    return this.#end()
  }

  #begin(): NewestEntries {
    this.#isMoving = true
    return this.#entries
  }

  #end(): boolean {
    this.#isMoving = false
    return this.#entries.valid
  }

  #position(): NewestEntries {
    if (!this.valid) throw new InvalidArgumentError('the cursor is not at a key')
    return this.#entries
  }
}

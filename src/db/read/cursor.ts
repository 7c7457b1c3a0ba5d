/**
 * Cursor: a position in a range of keys, as of one moment, that can be sought to any key of the range and moved on from there.
 * It stands on the layers that it began with until it is closed, so it sees nothing that is written after it began; closing
 * the database ends it.
 *
 * A move allocates nothing. The entry that the cursor is at can be looked at in place, through (keyBuf, keyOff, keyLen) and
 * (valBuf, valOff, valLen), which are the engine's own memory: borrowed until the next move, and not to be written.
 *
 * Threads  belongs to the database's thread
 */
import type { CopyPool } from '../../base/copy-pool.ts'
import { InvalidArgumentError } from '../../base/errors.ts'
import { toKey } from '../../base/limits.ts'
import type { Bytes } from '../../base/types.ts'
import { type Calls, NOTHING, READING } from '../calls.ts'
import type { DBIterator } from './db-iterator.ts'

/** A position in a range of keys: `next` moves it on, `seek` anywhere. Close it: it keeps the tables that it began with. */
export class Cursor {
  readonly #iterator: DBIterator
  readonly #copies: CopyPool
  readonly #calls: Calls
  #onEnd: ((error: unknown) => void) | undefined
  #isStarted = false
  #error: unknown = undefined

  /**
   * Made by `DB.cursor()`. @internal
   * @param onEnd called once, when the cursor lets go of its layers, with the error that ended it, if one did
   */
  constructor(iterator: DBIterator, copies: CopyPool, calls: Calls, onEnd: (error: unknown) => void) {
    this.#iterator = iterator
    this.#copies = copies
    this.#calls = calls
    this.#onEnd = onEnd
  }

  /** Whether the cursor is at an entry. */
  get valid(): boolean {
    return this.#onEnd !== undefined && this.#iterator.valid
  }

  get isClosed(): boolean {
    return this.#onEnd === undefined
  }

  /**
   * To the next entry in the cursor's direction; at first, to the first one. At the end it stays there.
   * @returns `valid`; false once it is closed
   * @throws ClosedError if the database was closed; CorruptionError, IOError, which close the cursor: it throws them again
   */
  next(): boolean {
    const iterator = this.#iterator
    const calls = this.#calls
    calls.begin(READING)
    try {
      if (this.#onEnd === undefined) return this.#ended()
      if (!this.#isStarted) {
        this.#isStarted = true
        iterator.start()
      } else if (iterator.valid) {
        iterator.advance()
      }
      return iterator.valid
    } catch (error) {
      this.#fail(error)
      throw error
    } finally {
      calls.now = NOTHING
      calls.tellUntold()
    }
  }

  /**
   * To the first entry of the range that is not before `target`, in the cursor's direction: with `reverse`, the last one that
   * does not sort after it. Works from anywhere, and back as well.
   * @returns and @throws as next; InvalidArgumentError if the target is no key, and the cursor stays
   */
  seek(target: string | Uint8Array): boolean {
    const key = toKey(target)
    const calls = this.#calls
    calls.begin(READING)
    try {
      if (this.#onEnd === undefined) return this.#ended()
      this.#isStarted = true
      this.#iterator.seek(key)
      return this.#iterator.valid
    } catch (error) {
      this.#fail(error)
      throw error
    } finally {
      calls.now = NOTHING
      calls.tellUntold()
    }
  }

  /** A copy of the key. @throws InvalidArgumentError unless valid */
  get key(): Uint8Array<ArrayBuffer> {
    const at = this.#position()
    return this.#copies.copy(at.keyBuf, at.keyOff, at.keyLen)
  }

  /** A copy of the value. @throws InvalidArgumentError unless valid */
  get value(): Uint8Array<ArrayBuffer> {
    const at = this.#position()
    return this.#copies.copy(at.valBuf, at.valOff, at.valLen)
  }

  /** The key in place, not a copy: keyBuf[keyOff, keyOff + keyLen), until the next move. The value likewise. Do not change them. */
  get keyBuf(): Bytes {
    return this.#iterator.keyBuf
  }

  get keyOff(): number {
    return this.#iterator.keyOff
  }

  get keyLen(): number {
    return this.#iterator.keyLen
  }

  get valBuf(): Bytes {
    return this.#iterator.valBuf
  }

  get valOff(): number {
    return this.#iterator.valOff
  }

  get valLen(): number {
    return this.#iterator.valLen
  }

  /** Release the tables. Closing twice is no error. */
  close(): void {
    if (this.#onEnd !== undefined) this.#calls.during(READING, () => this.#end())
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** @internal Whoever moves on is told why it cannot. */
  abort(error: Error): void {
    this.#fail(error)
  }

  #fail(error: unknown): void {
    if (this.#onEnd === undefined) return
    this.#error = error
    this.#end()
  }

  #end(): void {
    const onEnd = this.#onEnd
    this.#onEnd = undefined
    onEnd?.(this.#error)
  }

  #ended(): boolean {
    if (this.#error !== undefined) throw this.#error
    return false
  }

  #position(): DBIterator {
    if (!this.valid) throw new InvalidArgumentError('the cursor is not at an entry')
    return this.#iterator
  }
}

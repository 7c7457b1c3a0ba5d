/**
 * WriteBatch: puts, deletes and range deletes that reach the database together or not at all. The encoded bytes are the object
 * (batch-format.ts); the sequence number is filled in when the batch is committed, in the database's own copy.
 *
 * Invariant  bytes[0, byteLength) is a well-formed batch after every call
 * Threads    belongs to one thread; `write` copies it, so it may be changed or used again as soon as `write` returns
 */
import { equalBytes, grown } from '../base/bytes.ts'
import { InvalidArgumentError } from '../base/errors.ts'
import { MAX_BATCH_BYTES, toKey, toValue } from '../base/limits.ts'
import { isUint8Array } from '../base/text.ts'
import type { Bytes } from '../base/types.ts'
import * as ValueType from '../base/value-type.ts'
import {
  deleteBytes,
  deleteRangeBytes,
  forEachOp,
  HEADER_BYTES,
  putBytes,
  writeDelete,
  writeDeleteRange,
  writeHeader,
  writePut,
} from './batch-format.ts'

const INITIAL_BYTES = 256

/** Writes that are made together, all or none: fill it, and give it to `DB.write`. */
export class WriteBatch {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(INITIAL_BYTES)
  #end: number = HEADER_BYTES
  #count = 0
  #rangeCount = 0

  /**
   * Set `key` to `value`; a later op of the batch on the same key wins.
   * @throws InvalidArgumentError if key or value is not of the documented form, or the batch would exceed 1 GiB
   */
  put(key: string | Uint8Array, value: string | Uint8Array): this {
    const k = toKey(key)
    const v = toValue(value)
    this.#reserve(putBytes(k.length, v.length))
    this.#end = writePut(this.#bytes, this.#end, k, v)
    this.#count++
    return this
  }

  /** Delete `key`, whether or not it exists. Errors as for put. */
  delete(key: string | Uint8Array): this {
    const k = toKey(key)
    this.#reserve(deleteBytes(k.length))
    this.#end = writeDelete(this.#bytes, this.#end, k)
    this.#count++
    return this
  }

  /**
   * Delete every key from `start`, inclusive, to `end`, exclusive; nothing is added if the two are equal. `write` refuses a batch
   * in which `start` sorts after `end` in the order of the database. Errors as for put.
   */
  deleteRange(start: string | Uint8Array, end: string | Uint8Array): this {
    const s = toKey(start)
    const e = toKey(end)
    if (equalBytes(s, 0, s.length, e, 0, e.length)) return this
    this.#reserve(deleteRangeBytes(s.length, e.length))
    this.#end = writeDeleteRange(this.#bytes, this.#end, s, e)
    this.#count++
    this.#rangeCount++
    return this
  }

  /** Forget all ops; the memory is kept for reuse. */
  clear(): this {
    this.#end = HEADER_BYTES
    this.#count = 0
    this.#rangeCount = 0
    return this
  }

  /** Number of ops. */
  get count(): number {
    return this.#count
  }

  /** Range deletes among the ops. */
  get rangeCount(): number {
    return this.#rangeCount
  }

  /** Bytes of the encoded batch. */
  get byteLength(): number {
    return this.#end
  }

  /** The encoded batch, with sequence 0: a view, valid until the next change. */
  encoded(): Bytes {
    writeHeader(this.#bytes, 0, 0, this.#count)
    return this.#bytes.subarray(0, this.#end)
  }

  #reserve(bytes: number): void {
    const needed = this.#end + bytes
    if (needed > MAX_BATCH_BYTES) throw new InvalidArgumentError(`batch would exceed ${MAX_BATCH_BYTES} bytes`)
    if (needed > this.#bytes.length) this.#bytes = grown(this.#bytes, this.#end, needed)
  }
}

/**
 * The batch itself; or an own one with the ops of a batch that another copy of this module made. Programs have several where a bundler
 * gives each of their entries one, and yet one database.
 * @throws InvalidArgumentError unless it is a batch
 */
export function toBatch(batch: unknown): WriteBatch {
  if (batch instanceof WriteBatch) return batch
  const bytes = encodedBy(batch)
  const own = new WriteBatch()
  const fault =
    bytes &&
    forEachOp(bytes, 0, bytes.length, {
      add(_sequence, type, key, keyOff, keyLen, value, valOff, valLen) {
        const k = key.subarray(keyOff, keyOff + keyLen)
        const v = value.subarray(valOff, valOff + valLen)
        if (type === ValueType.VALUE) own.put(k, v)
        else if (type === ValueType.RANGE_DELETION) own.deleteRange(k, v)
        else own.delete(k)
      },
    })
  if (bytes === undefined || fault !== undefined) throw new InvalidArgumentError('write takes a WriteBatch')
  return own
}

function encodedBy(batch: unknown): Bytes | undefined {
  const other = batch as Partial<WriteBatch> | null | undefined
  const bytes: unknown = typeof other?.encoded === 'function' ? other.encoded() : undefined
  return isUint8Array(bytes) ? bytes : undefined
}

/** Nothing to write. That there is always one batch keeps their code compiled (db/read/idle-scan.ts). */
export const NO_OPS: WriteBatch = new WriteBatch()

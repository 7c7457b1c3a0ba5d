/**
 * How large keys, values and batches may be, and the one place that turns a caller's argument into checked bytes.
 * The limits hold for what callers write; a foreign database with longer keys still opens.
 */
import { ownedCopy } from './bytes.ts'
import { InvalidArgumentError } from './errors.ts'
import { toBytes } from './text.ts'
import type { Bytes } from './types.ts'

/** Length of the longest key, in bytes: 64 KiB. */
export const MAX_KEY_BYTES: number = 64 * 1024
/** Length of the longest value, in bytes: 512 MiB. */
export const MAX_VALUE_BYTES: number = 512 * 1024 * 1024
/** Length of the largest encoded WriteBatch, in bytes: 1 GiB. `write` may also refuse more than two million operations. */
export const MAX_BATCH_BYTES: number = 1024 * 1024 * 1024

/**
 * A key as bytes: a view of the caller's, or the UTF-8 form of a string.
 * @throws InvalidArgumentError if it is neither, is detached, has lone surrogates, or is longer than MAX_KEY_BYTES
 */
export function toKey(input: unknown): Bytes {
  const key = toBytes(input, 'key')
  if (key.length > MAX_KEY_BYTES) {
    throw new InvalidArgumentError(`key of ${key.length} bytes exceeds the limit of ${MAX_KEY_BYTES}`)
  }
  return key
}

/** A key that is kept, in memory of its own: the caller may go on with a buffer, whose `slice` would be the same memory. */
export function copyOfKey(input: unknown): Uint8Array<ArrayBuffer> {
  const key = toKey(input)
  return ownedCopy(key, 0, key.length)
}

/** A value as bytes; as toKey, up to MAX_VALUE_BYTES. */
export function toValue(input: unknown): Bytes {
  const value = toBytes(input, 'value')
  if (value.length > MAX_VALUE_BYTES) {
    throw new InvalidArgumentError(`value of ${value.length} bytes exceeds the limit of ${MAX_VALUE_BYTES}`)
  }
  return value
}

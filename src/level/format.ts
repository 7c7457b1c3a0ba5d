/**
 * Format: the three forms in which abstract-level hands keys and values to a database and takes them back: strings ('utf8'),
 * Buffers and Uint8Arrays ('view'). Every form is native here, so that nothing is transcoded twice: text is decoded straight
 * from the engine's memory.
 *
 * As in classic-level, a lone surrogate becomes U+FFFD, and bytes that are no UTF-8 decode to it.
 */
import type { Cursor } from '../public/index.ts'

export type Data = string | Uint8Array
export type Format = 'utf8' | 'buffer' | 'view'

type Slice = (this: Uint8Array, start: number, end: number) => string

/** Node's own decoder of a part of a view: twice as fast as TextDecoder for short texts, which would also need a subarray. */
const { utf8Slice } = Buffer.prototype as unknown as { readonly utf8Slice: Slice }

/** Up to here a loop over ASCII is faster than a call of the encoder (measured for base/text.ts). */
const ASCII_LOOP_LENGTH = 64

/** What abstract-level encoded, as bytes. */
export function toBytes(data: Data): Uint8Array {
  if (typeof data !== 'string') return data
  if (data.length > ASCII_LOOP_LENGTH) return Buffer.from(data)
  const bytes = new Uint8Array(data.length)
  for (let i = 0; i < data.length; i++) {
    const unit = data.charCodeAt(i)
    if (unit > 0x7f) return Buffer.from(data)
    bytes[i] = unit
  }
  return bytes
}

/** Bytes that the engine gave away, in the form asked for. */
export function fromBytes(bytes: Uint8Array, format: Format): Data {
  if (format === 'utf8') return utf8Slice.call(bytes, 0, bytes.length)
  return format === 'buffer' ? asBuffer(bytes) : bytes
}

/** The key that a cursor is at. */
export function keyAt(cursor: Cursor, format: Format): Data {
  if (format === 'utf8') return utf8Slice.call(cursor.keyBuf, cursor.keyOff, cursor.keyOff + cursor.keyLen)
  return format === 'buffer' ? asBuffer(cursor.key) : cursor.key
}

/** The value that a cursor is at. */
export function valueAt(cursor: Cursor, format: Format): Data {
  if (format === 'utf8') return utf8Slice.call(cursor.valBuf, cursor.valOff, cursor.valOff + cursor.valLen)
  return format === 'buffer' ? asBuffer(cursor.value) : cursor.value
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

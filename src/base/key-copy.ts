/**
 * KeyCopy: a key that outlives the memory that it came in: mostly the last one, for the next one to be compared with.
 */
import { copyBytes } from './bytes.ts'
import type { Bytes } from './types.ts'

const FIRST_BYTES = 64

export class KeyCopy {
  /** The key is bytes[0, length); empty before the first `take`. */
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST_BYTES)
  length = 0

  /** Be from[offset, offset + length) from now on. */
  take(from: Bytes, offset: number, length: number): void {
    if (length > this.bytes.length) this.bytes = new Uint8Array(length * 2)
    copyBytes(from, offset, this.bytes, 0, length)
    this.length = length
  }
}

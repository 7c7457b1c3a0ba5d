/**
 * InternalIterator: the cursor that every layer offers over its entries, in internal-key order. A move writes its
 * result to fields and allocates nothing.
 *
 * Rules
 *  (1) a new iterator is not valid; seek, seekToFirst and seekToLast position it, from any state
 *  (2) while `valid`, the key and value fields point at the entry; they are borrowed, until the next move
 *  (3) next and prev need `valid`; moving off either end makes the iterator not valid
 *  (4) entries come in strictly ascending internal-key order; no internal key comes twice
 *  (5) a move that meets damage throws CorruptionError and leaves the iterator not valid
 * Threads  one iterator belongs to one thread
 */
import type { Bytes } from './types.ts'

export interface InternalIterator {
  valid: boolean
  /** The user key is keyBuf[keyOff, keyOff + keyLen). */
  keyBuf: Bytes
  keyOff: number
  keyLen: number
  /** The tag, as unsigned 32-bit halves (internal-key.ts). */
  tagLow: number
  tagHigh: number
  /** The value is valBuf[valOff, valOff + valLen); empty for a tombstone. */
  valBuf: Bytes
  valOff: number
  valLen: number

  seekToFirst(): void
  seekToLast(): void
  /** Position at the first entry ≥ the internal key (key[keyOff, +keyLen), tag) in internal order. */
  seek(key: Bytes, keyOff: number, keyLen: number, tagLow: number, tagHigh: number): void
  next(): void
  prev(): void
}

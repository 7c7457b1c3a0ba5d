/**
 * What the MemTable's library face hands out: the newest version of a key, as copies that the caller owns.
 */
import type { SequenceNumber } from '../base/types.ts'

/** What a MemTable knows of a key: a value, or that it was deleted. An empty value is a value. */
export type MemTableVersion =
  | { readonly type: 'value'; readonly value: Uint8Array<ArrayBuffer>; readonly sequence: SequenceNumber }
  | { readonly type: 'tombstone'; readonly sequence: SequenceNumber }

/** The same with its key. */
export type MemTableEntry = MemTableVersion & { readonly key: Uint8Array<ArrayBuffer> }

/** A stretch of keys and the range tombstone that is the newest one over it. */
export interface MemTableRange {
  /** Its first key. */
  readonly start: Uint8Array<ArrayBuffer>
  /** The first key after it. */
  readonly end: Uint8Array<ArrayBuffer>
  readonly sequence: SequenceNumber
}

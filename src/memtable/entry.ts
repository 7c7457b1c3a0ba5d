/**
 * What the MemTable's library face hands out: the newest version of a key, as copies that the caller owns.
 */
import { ownedCopy } from '../base/bytes.ts'
import type { Comparator } from '../base/comparator.ts'
import type { Bytes, SequenceNumber } from '../base/types.ts'
import type { NewestEntries } from './newest-entries.ts'

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

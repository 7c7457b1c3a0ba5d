/**
 * What the MemTable's library face hands out: the newest version of a key, as copies that the caller owns.
 */
import { ownedCopy } from '../base/bytes.ts'
import type { Comparator } from '../base/comparator.ts'
import { MAX_TAG_HIGH, MAX_TAG_LOW, tagSequence } from '../base/internal-key.ts'
import type { InternalIterator } from '../base/iterator.ts'
import type { Bytes, SequenceNumber } from '../base/types.ts'
import * as ValueType from '../base/value-type.ts'
import type { MemTableIterator } from './memtable-rep.ts'

/** What a MemTable knows of a key: a value, or that it was deleted. An empty value is a value. */
export type MemTableVersion =
  | { readonly type: 'value'; readonly value: Uint8Array<ArrayBuffer>; readonly sequence: SequenceNumber }
  | { readonly type: 'tombstone'; readonly sequence: SequenceNumber }

/** The same with its key. */
export type MemTableEntry = MemTableVersion & { readonly key: Uint8Array<ArrayBuffer> }

/** A copy of the entry at which a valid iterator stands. */
export function entryAt(at: InternalIterator): MemTableEntry {
  const key = ownedCopy(at.keyBuf, at.keyOff, at.keyLen)
  const sequence = tagSequence(at.tagLow, at.tagHigh)
  if ((at.tagLow & 0xff) === ValueType.DELETION) return { key, type: 'tombstone', sequence }
  return { key, type: 'value', value: ownedCopy(at.valBuf, at.valOff, at.valLen), sequence }
}

/** The newest version of every key from `start` to `end`, both inclusive, or from either end of the table. */
export function* entriesBetween(
  at: MemTableIterator,
  comparator: Comparator,
  start: Bytes | undefined,
  end: Bytes | undefined,
): Generator<MemTableEntry, undefined, undefined> {
  if (start === undefined) at.seekToFirst()
  else at.seek(start, 0, start.length, MAX_TAG_LOW, MAX_TAG_HIGH)
  while (at.valid) {
    if (end !== undefined && comparator.compare(at.keyBuf, at.keyOff, at.keyLen, end, 0, end.length) > 0) return
    yield entryAt(at)
    at.nextKey()
  }
}

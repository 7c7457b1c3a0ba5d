/**
 * What the MemTable's library face hands out: the newest version of a key, as copies that the caller owns.
 */
import { ownedCopy } from '../base/bytes.ts'
import { tagSequence } from '../base/internal-key.ts'
import type { InternalIterator } from '../base/iterator.ts'
import type { SequenceNumber } from '../base/types.ts'
import * as ValueType from '../base/value-type.ts'

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

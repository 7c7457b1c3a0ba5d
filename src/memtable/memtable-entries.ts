/**
 * MemTableEntries: what a MemTable holds, in order: the newest version of every key, one after another, by a cursor, or as a dump.
 */
import { toOwnBytes } from '../base/text.ts'
import { MAX_SEQUENCE } from '../base/types.ts'
import { encode, encodeChunks } from './dump.ts'
import type { MemTableEntry } from './entry.ts'
import { checkedSequence } from './memtable-arguments.ts'
import { MemTableCursor } from './memtable-cursor.ts'
import { MemTableSamples } from './memtable-samples.ts'
import { entriesBetween } from './newest-entries.ts'

export abstract class MemTableEntries extends MemTableSamples {
  get capacityBytes(): number {
    return this.index().arena.capacityBytes
  }

  get isFrozen(): boolean {
    return this.index().arena.isFrozen
  }

  /**
   * The newest version of every key from startKey to endKey, both inclusive, in order, tombstones included, those by ranges
   * too; read as the caller asks for it. Writes meanwhile are seen as by `iterator`.
   */
  rangeScan(startKey: string | Uint8Array, endKey: string | Uint8Array): IterableIterator<MemTableEntry> {
    const start = toOwnBytes(startKey, 'startKey')
    return entriesBetween(this.newest(), this.comparator, start, toOwnBytes(endKey, 'endKey'))
  }

  /** The newest version of every key, as `rangeScan`. */
  entries(): IterableIterator<MemTableEntry> {
    return entriesBetween(this.newest(), this.comparator, undefined, undefined)
  }

  /** A cursor over the newest version of every key. It stands nowhere until it is moved. */
  cursor(): MemTableCursor {
    return new MemTableCursor(this.newest(), this.comparator)
  }

  /** The newest version of every key, as of `sequence`, as a dump. @throws NotSupportedError if it has range tombstones, or not bytewise order */
  encode(sequence: number = MAX_SEQUENCE): Uint8Array<ArrayBuffer> {
    return encode(this, this.index(), this.limit(), checkedSequence(sequence, 0))
  }

  /** The same, of the table as it is now, in pieces of whole entries: about `chunkBytes` (64 KiB) each. @throws as encode; InvalidArgumentError */
  encodeChunks(sequence: number = MAX_SEQUENCE, chunkBytes?: number): IterableIterator<Uint8Array<ArrayBuffer>> {
    return encodeChunks(this, this.index(), this.limit(), checkedSequence(sequence, 0), chunkBytes)
  }
}

/**
 * LsmMemtable: a MemTable with the interface of goLSM's: keys are strings, reads answer with whole entries, and tombstones are
 * the caller's to interpret. Of each key it shows the newest entry; how it keeps the others is the MemTable's business.
 * The timestamp of an entry is the sequence number of its write: it orders the writes, which is all that it is for, and
 * needs no clock.
 * Source   J. Singh, Building a Write-Optimized Database Engine: The Memtable (2024); github.com/JyotinderSingh/goLSM
 */
import { InvalidArgumentError } from '../base/errors.ts'
import type { MemTableEntry, MemTableVersion } from './entry.ts'
import { checkedValue, type LsmEntry } from './lsm-entry.ts'
import { MemTable } from './memtable.ts'
import type { MemTableOptions } from './memtable-options.ts'

/** A key may begin with what others take for a byte order mark. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** A MemTable with goLSM's interface: keys are strings, and results whole entries. */
export class LsmMemtable {
  readonly #table: MemTable

  /** @throws InvalidArgumentError as MemTable.create */
  constructor(options: Omit<MemTableOptions, 'comparator'> = {}) {
    if ((options as MemTableOptions | null)?.comparator !== undefined) {
      throw new InvalidArgumentError('keys are in the order of their UTF-8: there is no option comparator')
    }
    this.#table = MemTable.create(options)
  }

  /**
   * Insert a key or replace its value.
   * @throws InvalidArgumentError if the key is no well-formed string, or the value not bytes; MemTableFullError without room
   */
  put(key: string, value: Uint8Array): void {
    this.#table.put(checkedKey(key, 'key'), checkedValue(value))
  }

  /** Set a tombstone, whether or not the key is there: it may be in older tables. Else as `put`. */
  delete(key: string): void {
    this.#table.delete(checkedKey(key, 'key'))
  }

  /** The newest entry of a key, which may be a tombstone; undefined if there is none. */
  get(key: string): LsmEntry | undefined {
    const found = this.#table.get(checkedKey(key, 'key'))
    return found && lsmEntry(key, found)
  }

  /** The newest entries of the keys from startKey to endKey, both inclusive, in the order of their UTF-8, tombstones too. */
  rangeScan(startKey: string, endKey: string): LsmEntry[] {
    const found = this.#table.rangeScan(checkedKey(startKey, 'startKey'), checkedKey(endKey, 'endKey'))
    return Array.from(found, withKey)
  }

  /** Bytes of the keys and of their newest values: a value that replaces another counts in its place, a tombstone's is 0. */
  sizeInBytes(): number {
    return this.#table.sizeInBytes
  }

  /** The newest entry of every key, in order: what a table on disk is made from. */
  getEntries(): LsmEntry[] {
    return Array.from(this.#table.entries(), withKey)
  }

  /** Keys, deleted ones included. */
  len(): number {
    return this.#table.length
  }

  /** Remove everything. */
  clear(): void {
    this.#table.clear()
  }
}

function checkedKey(key: string, what: string): string {
  if (typeof key === 'string') return key
  throw new InvalidArgumentError(`${what} must be a string`)
}

function withKey(entry: MemTableEntry): LsmEntry {
  return lsmEntry(decoder.decode(entry.key), entry)
}

function lsmEntry(key: string, version: MemTableVersion): LsmEntry {
  const timestamp = BigInt(version.sequence)
  if (version.type === 'tombstone') return { key, command: 'delete', timestamp }
  return { key, command: 'put', value: version.value, timestamp }
}

/**
 * FileMetadata: what the MANIFEST says about one table. Plain data that crosses threads.
 */

import type { Comparator } from '../base/comparator.ts'
import { compareInternalKeys, TAG_BYTES, userKey } from '../base/internal-key.ts'
import type { Bytes, FileNumber, SequenceNumber } from '../base/types.ts'

/** What the writer of a table knows of it. It is not in the MANIFEST: for tables of an earlier opening, samples have to tell. */
export interface TableStatistics {
  readonly entries: number
  /** Tombstones among the entries. */
  readonly tombstones: number
  /** Entries behind a newer one of the same key: a snapshot needed them when the table was written. */
  readonly superseded: number
  /** The largest sequence among the tombstones: once no snapshot is older, all of them may go. 0 if there are none. */
  readonly newestTombstone: SequenceNumber
  /** Estimated from a few blocks: none found does not mean that there are none, and the newest tombstone is at most that new. */
  readonly isSampled?: boolean
}

export interface FileMetadata {
  readonly number: FileNumber
  /** Size of the file; readers find the footer by it. */
  readonly bytes: number
  /** First and last entry, as encoded internal keys. */
  readonly smallest: Bytes
  readonly largest: Bytes
  /** Put in once it is known (db/background/table-samples.ts). */
  statistics?: TableStatistics | undefined
}

/** What the MANIFEST is to say of a table, by its builder, which is done with it. */
export function metadataOf(
  number: FileNumber,
  { fileBytes: bytes, smallest, largest, statistics }: BuiltTable,
): FileMetadata {
  return { number, bytes, smallest, largest, statistics }
}

/** See table/table-builder.ts. */
interface BuiltTable extends Pick<FileMetadata, 'smallest' | 'largest'> {
  readonly fileBytes: number
  readonly statistics: TableStatistics
}

/** Order of tables within a level: by smallest internal key, then by number. */
export function compareFiles(comparator: Comparator, a: FileMetadata, b: FileMetadata): number {
  const order = compareInternalKeys(comparator, a.smallest, b.smallest)
  return order === 0 ? a.number - b.number : order
}

/** Whether the table's range of user keys holds `key`. */
export function coversKey(
  comparator: Comparator,
  file: FileMetadata,
  key: Bytes,
  keyOff: number,
  keyLen: number,
): boolean {
  const { smallest, largest } = file
  return (
    comparator.compare(key, keyOff, keyLen, smallest, 0, smallest.length - TAG_BYTES) >= 0 &&
    comparator.compare(key, keyOff, keyLen, largest, 0, largest.length - TAG_BYTES) <= 0
  )
}

/** The table's range of user keys, as views. */
export function userRange(file: FileMetadata): { readonly smallest: Bytes; readonly largest: Bytes } {
  return { smallest: userKey(file.smallest), largest: userKey(file.largest) }
}

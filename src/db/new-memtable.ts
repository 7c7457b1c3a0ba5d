/**
 * How a database makes its MemTables: an arena that holds a full write buffer and the group that fills it.
 */
import { MemTable } from '../memtable/memtable.ts'
import type { ResolvedOptions } from './options.ts'
import { GROUP_BYTES_MAX } from './write-group.ts'

/** A group of tiny entries takes many times its own bytes; what does not fit moves on to the next MemTable. */
const SLACK_BYTES = 4 * GROUP_BYTES_MAX

/** @param needed arena bytes that it must have room for at once: a batch may be larger than the write buffer */
export function newMemTable(options: ResolvedOptions, needed: number): MemTable {
  const capacityBytes = Math.max(options.writeBufferBytes + SLACK_BYTES, needed + SLACK_BYTES)
  const { memtable: representation, memtableChecksums: checksums, comparator } = options
  return MemTable.create({ capacityBytes, representation, comparator, checksums })
}

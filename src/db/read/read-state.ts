/**
 * ReadState: the layers that a read goes through, newest first, as one immutable object. A rotation or an installed flush
 * replaces the database's ReadState; a reader that keeps one goes on seeing the layers that it began with.
 *
 * A reader takes it and the sequence to read at in one synchronous step (read-host.ts).
 */
import type { SequenceNumber } from '../../base/types.ts'
import type { MemTable } from '../../memtable/memtable.ts'
import type { Version } from '../../version/version.ts'
import type { LogName } from '../write/write-ahead-log.ts'

/** A MemTable and the log that holds its writes. */
export interface MemTableSlot {
  readonly table: MemTable
  readonly log: LogName
  /** Every sequence in the table is at least this; every sequence in older layers is less. */
  readonly firstSequence: SequenceNumber
}

export interface ReadState {
  readonly active: MemTableSlot
  /** Frozen, waiting for their flush; newest first. */
  readonly immutables: readonly MemTableSlot[]
  readonly version: Version
}

/** Whether the MemTable holds nothing, neither entries nor range tombstones. */
export function isEmpty({ table }: MemTableSlot): boolean {
  return table.largestSequence === 0
}

/** The same MemTables, above another version. Written out, as below: a copy by `...` would have a shape of its own. */
export function onVersion({ active, immutables }: ReadState, version: Version): ReadState {
  return { active, immutables, version }
}

/** Another MemTable in the same place. */
export function withTable({ log, firstSequence }: MemTableSlot, table: MemTable): MemTableSlot {
  return { table, log, firstSequence }
}

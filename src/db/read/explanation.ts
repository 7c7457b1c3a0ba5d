/**
 * Explanation: what explain.ts has found out, as plain data.
 */
import type { FileNumber, Level, SequenceNumber } from '../../base/types.ts'
import type { TablePlace } from '../../table/table-place.ts'

/** How a lookup of a key goes: what it finds, and the layers that it finds it in. */
export interface Explanation {
  /** The version that a lookup finds; a tombstone is one, too. Undefined if no layer knows the key. */
  readonly found: ExplainedVersion | undefined
  /** The sequence that is read at: versions with a larger one are not visible. */
  readonly sequence: SequenceNumber
  /** The MemTables that hold something, and the tables whose first and last key have this one between them; newest first, as a lookup asks them. */
  readonly layers: readonly ExplainedLayer[]
  /** Tables that are not among the layers, since all their keys are before this one, or all after it. */
  readonly otherTables: number
}

/** A MemTable or a table, and what it knows of the key. */
export interface ExplainedLayer {
  /** Of a table; undefined for a MemTable. */
  readonly level: Level | undefined
  /** Of the table's file; of a MemTable, that of its log, or undefined if that was opened read-only. */
  readonly number: FileNumber | undefined
  /** Whether a lookup asks it; false: a newer layer knows the key, or, below level 0, it asks another table of the level. */
  readonly isAsked: boolean
  /** Where in the table the key would be; undefined for a MemTable, and if it would be behind the last block. */
  readonly block: TablePlace | undefined
  /** Newest first, whether or not they are visible; of more than 100, the newest. Of range tombstones over the key, the newest visible one. */
  readonly versions: readonly ExplainedVersion[]
  /** How many there are. */
  readonly versionCount: number
}

/** One version of the key. */
export interface ExplainedVersion {
  readonly sequence: SequenceNumber
  readonly type: 'value' | 'tombstone' | 'range-tombstone'
  /** Length of the value. */
  readonly valueBytes: number
}

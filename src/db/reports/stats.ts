/**
 * Stats: what an open database consists of, and what it has done so far. Plain data, taken at one moment by gather-stats.ts. In a file
 * of its own because the package's type declarations refer to it, and should not pull in the engine.
 */
import type { Bytes } from '../../base/types.ts'
import type { StallReason } from './events.ts'

/** A MemTable, active or frozen. */
export interface MemTableFigures {
  readonly entries: number
  readonly tombstones: number
  /** Range deletes; not among the entries. */
  readonly rangeTombstones: number
  /** Bytes of keys and newest values. */
  readonly liveBytes: number
  /** Arena bytes in use. */
  readonly memoryBytes: number
  readonly capacityBytes: number
  readonly logNumber: number
  readonly firstSequence: number
}

/** A log that is still needed. */
export interface LogFigures {
  readonly number: number
  readonly bytes: number
  /** Bytes known to survive power loss. */
  readonly syncedBytes: number
}

/** A live table. */
export interface TableFigures {
  readonly number: number
  readonly level: number
  readonly bytes: number
  /** First and last user key. */
  readonly smallest: Bytes
  readonly largest: Bytes
  /** Entries, and the tombstones among them; undefined of a table of an earlier opening that has not been sampled yet. */
  readonly entries: number | undefined
  readonly tombstones: number | undefined
  /** Whether the two are estimates, from a sample. */
  readonly isEstimate: boolean
}

/** One level, and the compactions into it since the opening. */
export interface LevelFigures {
  readonly level: number
  readonly tables: number
  readonly bytes: number
  /** How full it is: from 1 on a compaction is due. 0 for the last level. */
  readonly score: number
  readonly compactions: number
  /** Tables that were moved there as they are. */
  readonly moves: number
  readonly bytesRead: number
  readonly bytesWritten: number
  readonly durationMs: number
}

/** Writes since the opening. */
export interface WriteFigures {
  /** Commit groups: at most one write(2) and one sync each. */
  readonly groups: number
  readonly entries: number
  /** As encoded batches. */
  readonly bytes: number
  readonly logBytes: number
}

/** What `stats()` answers. */
export interface Stats {
  readonly directory: string
  readonly lastSequence: number
  /** MemTable bytes at which it freezes. */
  readonly writeBufferBytes: number
  readonly active: MemTableFigures
  /** Newest first. */
  readonly immutables: readonly MemTableFigures[]
  /** Oldest first. */
  readonly logs: readonly LogFigures[]
  /** Level by level; level 0 oldest first. */
  readonly tables: readonly TableFigures[]
  readonly manifestNumber: number
  readonly manifestBytes: number
  /** Snapshots that are open, on all threads; those of other threads at one state count once. */
  readonly openSnapshots: number
  readonly openScans: number
  /** Handles for other threads that are in use, or may be. */
  readonly readers: number
  readonly flushes: number
  readonly flushedBytes: number
  /** Levels 0 to 6. */
  readonly levels: readonly LevelFigures[]
  /** Since the opening, without moves. */
  readonly compactions: number
  /** Written by compactions. */
  readonly compactedBytes: number
  readonly isCompacting: boolean
  /** What compactions have left to write until every level has its size; an estimate. */
  readonly pendingCompactionBytes: number
  readonly writes: WriteFigures
  /** Bytes written to logs and tables for each byte of batches, since the opening; 0 if nothing was written. */
  readonly writeAmplification: number
  /** Bytes of all tables for each byte of the deepest level that has any: a bound for what old versions take. */
  readonly spaceAmplification: number
  /** Why writes are slowed down or stopped now; undefined if they are not. */
  readonly stallReason: StallReason | undefined
  readonly stalls: number
  readonly stalledMs: number
  /** Milliseconds of pauses of writes that were slowed down. */
  readonly delayedMs: number
  /** Data blocks kept in memory. */
  readonly blockCache: { readonly bytes: number; readonly hits: number; readonly misses: number }
  /**
   * Open tables, and the bytes of indexes and filters, also of tables that were just written, which tableCacheBytes bounds; and how often a
   * read had to open a table. That this goes on growing with reads means that the tables in use do not fit.
   */
  readonly tableCache: { readonly open: number; readonly bytes: number; readonly misses: number }
  /** Paths of live tables that were found to have a filter that cannot be used. */
  readonly damagedFilters: readonly string[]
  /** Why writes are refused, if they are. */
  readonly poisonedBy: string | undefined
}

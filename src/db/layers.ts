/**
 * Layers: what the database consists of, for people and programs to look at: active MemTable, frozen ones, logs, tables.
 * Plain data, taken at one moment.
 */
import type { Bytes } from '../base/types.ts'

export interface MemTableFigures {
  readonly entries: number
  readonly tombstones: number
  /** Bytes of keys and newest values. */
  readonly liveBytes: number
  /** Arena bytes in use. */
  readonly memoryBytes: number
  readonly capacityBytes: number
  readonly logNumber: number
  readonly firstSequence: number
}

export interface LogFigures {
  readonly number: number
  readonly bytes: number
  /** Bytes known to survive power loss. */
  readonly syncedBytes: number
}

export interface TableFigures {
  readonly number: number
  readonly level: number
  readonly bytes: number
  /** First and last user key. */
  readonly smallest: Bytes
  readonly largest: Bytes
}

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
  readonly openSnapshots: number
  readonly openScans: number
  readonly flushes: number
  readonly flushedBytes: number
  readonly stalls: number
  readonly stalledMs: number
  /** Data blocks kept in memory. */
  readonly blockCache: { readonly bytes: number; readonly hits: number; readonly misses: number }
  /** Open tables, and the bytes of their indexes and filters, which count against blockCacheBytes as blocks do. */
  readonly tableCache: { readonly open: number; readonly bytes: number }
  /** Paths of live tables that were found to have a filter that cannot be used. */
  readonly damagedFilters: readonly string[]
  /** Why writes are refused, if they are. */
  readonly poisonedBy: string | undefined
}

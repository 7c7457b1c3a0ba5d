/**
 * Compaction: a decision to merge tables of one level into the next: which tables, where to, and why. Plain data, made by
 * the picker (compaction-picker.ts), a pure function of a version.
 *
 * Invariants  (1) `upper` is not empty; at level 0 it holds every table that overlaps one of its tables, so that no older
 *                 version of a key is left above a newer one
 *             (2) below level 0, if the versions of a user key continue from a table of `upper` into the next one, that one
 *                 is in `upper` too; the same holds for `lower` (LevelDB's boundary rule; LevelDB had it for `lower` only later)
 *             (3) `lower` holds every table of the output level that overlaps `upper`
 *             (4) no table of it is part of another compaction, or is being dropped
 * Source      google/leveldb db/version_set.cc
 */
import type { Bytes, FileNumber, Level } from '../base/types.ts'
import type { CompactionReason } from './compaction-reason.ts'
import type { FileMetadata } from './file-metadata.ts'
import type { LevelKey } from './version-edit.ts'

/** What readers noticed: a table that lookups pass through in vain, or a range of user keys that is full of tombstones. */
export type CompactionHint =
  | { readonly kind: 'seeks'; readonly level: Level; readonly number: FileNumber }
  | { readonly kind: 'tombstones'; readonly smallest: Bytes; readonly largest: Bytes }

export interface Compaction {
  readonly reason: CompactionReason
  readonly level: Level
  /** level + 1; or `level` itself, when a table is rewritten in place to be rid of its tombstones. */
  readonly outputLevel: Level
  /** Tables of `level`: level 0 in ascending number, else in ascending key. */
  readonly upper: readonly FileMetadata[]
  /** Tables of `outputLevel`, ascending; empty when a table is rewritten in place. */
  readonly lower: readonly FileMetadata[]
  /** Tables of the level below the output level that overlap all of the inputs: an output must not overlap too many. */
  readonly grandparents: readonly FileMetadata[]
  /** The one table can be moved down as it is, by the MANIFEST alone. */
  readonly isTrivialMove: boolean
  /** The level's next pick begins after this key. */
  readonly pointer: LevelKey | undefined
  /** The hint that is followed, and thereby spent. */
  readonly hint: CompactionHint | undefined
}

/** The tables that a compaction reads: upper ones, then lower ones. */
export function inputsOf({ upper, lower }: Pick<Compaction, 'upper' | 'lower'>): FileMetadata[] {
  return [...upper, ...lower]
}

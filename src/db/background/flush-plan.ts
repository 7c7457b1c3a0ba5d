/**
 * FlushPlan: what the range tombstones of a MemTable mean for the tables below it, all of whose entries are older. Tables in
 * which they cover some keys are read by the flush job; tables that they cover wholly are dropped by the edit that installs
 * the flush, without being read, so that deleting everything costs as much as there are tables.
 *
 * A table is dropped only if every reader to come is to see nothing of it: no open snapshot may be older than a range
 * tombstone that covers it. (Scans that have begun hold their version.) Nor may another job be using it up: the job's output
 * would bring its entries back. What a dropped table hid in deeper ones is hidden anew, since the job reads those.
 */
import type { Comparator } from '../../base/comparator.ts'
import { coversAll, coversSome } from '../../base/range-cover.ts'
import { type FileNumber, MAX_SEQUENCE, type SequenceNumber } from '../../base/types.ts'
import type { MemTable } from '../../memtable/memtable.ts'
import { type FileMetadata, userRange } from '../../version/file-metadata.ts'
import type { LevelNumber } from '../../version/version-edit.ts'

export interface FlushPlan {
  /** Tables for the job to read, by level. */
  readonly below: readonly (readonly FileMetadata[])[]
  /** Tables that go when the flush is installed. */
  readonly dropped: readonly LevelNumber[]
}

/** What the database's other parts mean for a plan. */
export interface FlushSurroundings {
  /** Tables that other jobs are using up. */
  readonly busy: ReadonlySet<FileNumber>
  /** Sequence of the oldest open snapshot, if there is one. */
  readonly oldestSnapshot: SequenceNumber | undefined
}

/** @param levels the tables below the MemTable, level 0 first */
export function planFlush(
  memtable: MemTable,
  levels: readonly (readonly FileMetadata[])[],
  comparator: Comparator,
  { busy, oldestSnapshot }: FlushSurroundings,
): FlushPlan {
  const newest = memtable.rangeCover(MAX_SEQUENCE)
  if (newest === undefined) return { below: [], dropped: [] }
  // What a reader at the oldest snapshot sees as deleted, every later one does.
  const forAll = memtable.rangeCover(oldestSnapshot ?? MAX_SEQUENCE)
  const dropped: LevelNumber[] = []
  const below = levels.map((files, level) =>
    files.filter((file) => {
      const { smallest, largest } = userRange(file)
      const isGone = forAll !== undefined && !busy.has(file.number) && coversAll(forAll, comparator, smallest, largest)
      if (isGone) dropped.push({ level, number: file.number })
      return !isGone && coversSome(newest, comparator, smallest, largest)
    }),
  )
  return { below, dropped }
}

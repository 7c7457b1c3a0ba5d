/**
 * How large levels are and should be: targets, scores, and the figures made of them. Pure functions of a version.
 *
 * Targets    level 0 is counted in tables, since each of them may be asked by every read, and in bytes, since the next
 *            compaction reads all of them. Level n ≥ 1 should hold at most levelBytes × multiplier^(n − 1); the last level
 *            holds what there is.
 * levelBytes LevelDB's 10 MiB goes with its 4 MiB MemTables. A compaction of level 0 rewrites about as many bytes of
 *            level 1 as level 1 holds; so with level 1 as large as a full level 0, that writes a byte twice, and every
 *            level below costs its multiplier. A far smaller level 1 would be over its target after each compaction of
 *            level 0, and pass everything on at once: two rewrites where one would do. A far larger one is rewritten as a
 *            whole for little. Hence the larger of 10 MiB and level0Tables × the MemTable's size.
 * Source     google/leveldb db/version_set.cc (Finalize); RocksDB's tuning guide (level 1 about as large as level 0)
 */
import type { Level } from '../base/types.ts'
import type { FileMetadata } from './file-metadata.ts'
import type { Version } from './version.ts'

export interface LevelSizes {
  /** As many tables in level 0 are due for compaction; LevelDB has 4. */
  readonly level0Tables: number
  /** Target of level 1; also what level 0 may hold before it is due by its bytes. */
  readonly levelBytes: number
  /** How many times larger the target of each next level is; LevelDB has 10. */
  readonly multiplier: number
}

const LEAST_LEVEL_BYTES = 10 * 1024 * 1024

/** The target of level 1 that goes with MemTables of this size; see above. */
export function levelBytesFor(writeBufferBytes: number, level0Tables: number): number {
  return Math.max(LEAST_LEVEL_BYTES, level0Tables * writeBufferBytes)
}

/** Bytes that a level should hold at most; the last one any number. */
function targetBytes(level: Level, lastLevel: Level, sizes: LevelSizes): number {
  return level >= lastLevel ? Number.POSITIVE_INFINITY : sizes.levelBytes * sizes.multiplier ** Math.max(0, level - 1)
}

/** Sum of the tables' sizes. */
export function totalBytes(files: readonly FileMetadata[]): number {
  let bytes = 0
  for (const file of files) bytes += file.bytes
  return bytes
}

/** For each level, how full it is: from 1 on a compaction is due. The last level has 0. */
export function levelScores({ levels }: Version, sizes: LevelSizes): number[] {
  return levels.map((files, level) => {
    const byBytes = totalBytes(files) / targetBytes(level, levels.length - 1, sizes)
    return level === 0 ? Math.max(files.length / sizes.level0Tables, byBytes) : byBytes
  })
}

/**
 * Bytes that compactions must move before every level is within its target: all of level 0 once it is due, and of the
 * levels below what is over. What moves down may push others over; that is not counted.
 */
export function pendingCompactionBytes(version: Version, sizes: LevelSizes): number {
  const { levels } = version
  let pending = levelScores(version, sizes)[0] >= 1 ? totalBytes(levels[0]) : 0
  for (let level = 1; level < levels.length; level++) {
    pending += Math.max(0, totalBytes(levels[level]) - targetBytes(level, levels.length - 1, sizes))
  }
  return pending
}

/**
 * Bytes of all tables for each byte of the deepest level that has any; 1 if there are none. The deepest level holds each
 * key once, so this bounds what old versions and tombstones above it take. In a tree of one level it says nothing.
 */
export function spaceAmplification({ levels }: Version): number {
  const sizes = levels.map(totalBytes)
  const deepest = sizes.findLast((bytes) => bytes > 0) ?? 0
  return deepest === 0 ? 1 : sizes.reduce((sum, bytes) => sum + bytes, 0) / deepest
}

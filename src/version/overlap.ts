/**
 * Which tables of a level overlap a range of user keys, and which must go together.
 *
 * Level 0    ranges overlap one another: taking one table means taking all that overlap it, and those that overlap them,
 *            lest an older version of a key stay above a newer one.
 * Boundary   LevelDB before 1.23 could end a table between two versions of one user key. Taking the table with the newer
 *            ones and leaving the next would turn the order of the levels around.
 * Source     google/leveldb db/version_set.cc (GetOverlappingInputs, AddBoundaryInputs)
 */
import { type Comparator, compareKeys } from '../base/comparator.ts'
import type { Bytes, Level } from '../base/types.ts'
import { type Compaction, inputsOf } from './compaction.ts'
import { type FileMetadata, userRange } from './file-metadata.ts'
import { firstFileEndingAtOrAfter, type Version } from './version.ts'

/** User keys from smallest to largest, both included; without one of them, all on that side. */
export interface KeyRange {
  readonly smallest: Bytes | undefined
  readonly largest: Bytes | undefined
}

/** The range of user keys of some tables, at least one. */
export function rangeOf(comparator: Comparator, files: readonly FileMetadata[]): { smallest: Bytes; largest: Bytes } {
  let { smallest, largest } = userRange(files[0])
  for (const file of files) {
    const range = userRange(file)
    if (compareKeys(comparator, range.smallest, smallest) < 0) smallest = range.smallest
    if (compareKeys(comparator, range.largest, largest) > 0) largest = range.largest
  }
  return { smallest, largest }
}

function rangesOverlap(comparator: Comparator, a: KeyRange, b: KeyRange): boolean {
  return !endsBefore(comparator, a, b) && !endsBefore(comparator, b, a)
}

/** Tables of a level that overlap the range, in the level's order. In level 0, with all that overlap them in turn. */
export function overlappingFiles(
  comparator: Comparator,
  version: Version,
  level: Level,
  range: KeyRange,
): FileMetadata[] {
  const files = version.levels[level]
  if (level === 0) return overlappingLevel0(comparator, files, range)
  const { smallest } = range
  const first = smallest === undefined ? 0 : firstFileEndingAtOrAfter(comparator, files, smallest, 0, smallest.length)
  let limit = first
  while (limit < files.length && !endsBefore(comparator, range, userRange(files[limit]))) limit++
  return files.slice(first, limit)
}

/**
 * `chosen`, which are neighbours in the level's order, with every table behind them that continues the versions of their last user key.
 * In level 0, where such a table overlaps them, it is among them.
 */
export function withBoundaryFiles(
  comparator: Comparator,
  version: Version,
  level: Level,
  chosen: readonly FileMetadata[],
): readonly FileMetadata[] {
  if (level === 0 || chosen.length === 0) return chosen
  const files = version.levels[level]
  const together = [...chosen]
  const last = chosen[chosen.length - 1]
  const { largest } = userRange(last)
  const first = firstFileEndingAtOrAfter(comparator, files, largest, 0, largest.length)
  for (let i = files.indexOf(last, first) + 1; i < files.length; i++) {
    const before = userRange(files[i - 1])
    if (compareKeys(comparator, before.largest, userRange(files[i]).smallest) !== 0) break
    together.push(files[i])
  }
  return together
}

/** Tables below a compaction's output level that overlap its inputs, level by level: what its tombstones may still hide. */
export function deeperFiles(comparator: Comparator, version: Version, compaction: Compaction): FileMetadata[][] {
  const range = rangeOf(comparator, inputsOf(compaction))
  const levels = [...version.levels.keys()].slice(compaction.outputLevel + 1)
  return levels.map((level) => overlappingFiles(comparator, version, level, range))
}

function overlappingLevel0(comparator: Comparator, files: readonly FileMetadata[], range: KeyRange): FileMetadata[] {
  let wanted = range
  let found: FileMetadata[] = []
  for (let isWider = true; isWider; ) {
    const within = wanted
    found = files.filter((file) => rangesOverlap(comparator, within, userRange(file)))
    if (found.length === 0) break
    wanted = union(comparator, within, rangeOf(comparator, found))
    isWider = wanted !== within
  }
  return found
}

/** The smallest range that holds both; `a` itself if it holds `b`. */
function union(comparator: Comparator, a: KeyRange, b: KeyRange & { smallest: Bytes; largest: Bytes }): KeyRange {
  const isSmaller = a.smallest !== undefined && compareKeys(comparator, b.smallest, a.smallest) < 0
  const isLarger = a.largest !== undefined && compareKeys(comparator, b.largest, a.largest) > 0
  if (!isSmaller && !isLarger) return a
  return { smallest: isSmaller ? b.smallest : a.smallest, largest: isLarger ? b.largest : a.largest }
}

function endsBefore(comparator: Comparator, a: KeyRange, b: KeyRange): boolean {
  return a.largest !== undefined && b.smallest !== undefined && compareKeys(comparator, a.largest, b.smallest) < 0
}

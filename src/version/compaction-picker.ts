/**
 * CompactionPicker: decides which compaction is the most pressing one. Pure: a version, the tables that are busy and what readers
 * noticed go in, a decision comes out.
 *
 * Order      (1) levels over their target, the fullest first; within a level round robin, beginning after its pointer
 *            (2) hints: a table that lookups pass through in vain, a range that is full of tombstones
 *            (3) a table of which at least half are tombstones
 *            (4) only at rest: tables that reads ask one after another, from the top, where that costs little
 * Tombstones a table goes down one level, where its tombstones meet what they hide, or go if nothing does; in the last
 *            level it is rewritten in place. Only a table whose tombstones no snapshot needs is taken, so each such
 *            compaction comes nearer to an end: the table sinks, or loses all its tombstones.
 * Source     google/leveldb db/version_set.cc (PickCompaction, CompactRange); tombstone density as Pebble has it
 */

import { compareInternalKeys } from '../base/internal-key.ts'
import type { Level } from '../base/types.ts'
import type { Compaction, CompactionHint } from './compaction.ts'
import { type PickContext, planCompaction, type Seed } from './compaction-plan.ts'
import { compareFiles, type FileMetadata } from './file-metadata.ts'
import { levelScores, totalBytes } from './level-sizes.ts'
import { type KeyRange, overlappingFiles, rangeOf } from './overlap.ts'

/** Fewer tombstones than this cost a scan less than a compaction costs the disk. */
const TOMBSTONES_MIN = 1024
/** A table is due when as large a part of its entries are tombstones. */
const TOMBSTONES_SHARE = 0.5
/** So many bytes of the next level may be rewritten for each that goes down at rest: fewer than where levels are full. */
const REST_REWRITES = 8

/** The most pressing compaction that could begin now. If there is none, no hint led to one: the hints may be forgotten. */
export function pickCompaction(context: PickContext): Compaction | undefined {
  return pickBySize(context) ?? pickByHint(context) ?? pickByTombstones(context)
}

/**
 * What is worth doing while nobody writes: tables of level 0 that overlap, and what they meet below, become tables of which a lookup
 * asks one, if they are no smaller than what is rewritten below. Then tables of further levels, each with what it hides below it, if
 * that is at most REST_REWRITES times as large: the old versions there take up space until then.
 */
export function pickAtRest(context: PickContext): Compaction | undefined {
  // What lies deepest hides nothing.
  const deepest = context.version.levels.findLastIndex((files) => files.length > 0)
  for (let level = 0; level < Math.max(1, deepest); level++) {
    for (const file of inTurn(context, level)) {
      const compaction = planDown(context, { reason: 'rest', level, file })
      if (compaction !== undefined && isWorthRest(compaction)) return compaction
    }
  }
  return undefined
}

function isWorthRest({ level, upper, lower, grandparents }: Compaction): boolean {
  const isAskedTwice = lower.length > 0 || (level === 0 && upper.length > 1)
  if (isAskedTwice) return totalBytes(upper) * (level === 0 ? 1 : REST_REWRITES) >= totalBytes(lower)
  // With nothing in between, it goes down to lie above what it hides.
  return grandparents.length > 0 && totalBytes(upper) * REST_REWRITES >= totalBytes(grandparents)
}

/**
 * The next part of a compaction of all tables of a level that overlap a range: the upper inputs are the first of them that
 * together make up a table of full size; of level 0, all. Whoever wants the whole range goes on behind the largest key of
 * `upper`, or asks again until there are none.
 * @param level not the last
 * @returns undefined if no table overlaps; 'busy' if a busy table is in the way
 */
export function planManual(context: PickContext, level: Level, range: KeyRange): Compaction | 'busy' | undefined {
  const { comparator, version, options } = context
  const overlapping = overlappingFiles(comparator, version, level, range)
  if (overlapping.length === 0) return undefined
  const files = level === 0 ? overlapping : firstOf(overlapping, options.maxFileBytes)
  return planCompaction(context, { reason: 'manual', level, outputLevel: level + 1, files }) ?? 'busy'
}

/** The shortest beginning that has as many bytes; all if none has. */
function firstOf(files: readonly FileMetadata[], bytes: number): readonly FileMetadata[] {
  let sum = 0
  const index = files.findIndex((file) => {
    sum += file.bytes
    return sum >= bytes
  })
  return index < 0 ? files : files.slice(0, index + 1)
}

function pickBySize(context: PickContext): Compaction | undefined {
  const scores = levelScores(context.version, context.options)
  const due = scores.flatMap((score, level) => (score >= 1 ? [level] : []))
  due.sort((a, b) => scores[b] - scores[a])
  for (const level of due) {
    const reason = level === 0 && isDueByTables(context) ? 'level0-tables' : 'level-bytes'
    for (const file of inTurn(context, level)) {
      const compaction = planDown(context, { reason, level, file })
      if (compaction !== undefined) return compaction
    }
  }
  return undefined
}

function isDueByTables({ version, options }: PickContext): boolean {
  return version.levels[0].length >= options.level0Tables
}

/** Tables of a level by key, beginning with the first that ends after the level's pointer. */
function inTurn({ comparator, version, pointers }: PickContext, level: Level): readonly FileMetadata[] {
  const files = [...version.levels[level]].sort((a, b) => compareFiles(comparator, a, b))
  const pointer = pointers.find((one) => one.level === level)?.key
  if (pointer === undefined) return files
  const first = files.findIndex(({ largest }) => compareInternalKeys(comparator, largest, pointer) > 0)
  return first < 0 ? files : [...files.slice(first), ...files.slice(0, first)]
}

function pickByHint(context: PickContext): Compaction | undefined {
  for (const hint of context.hints) {
    const compaction = hint.kind === 'seeks' ? planSeeks(context, hint) : planRange(context, hint)
    if (compaction !== undefined) return compaction
  }
  return undefined
}

function planSeeks(context: PickContext, hint: CompactionHint & { readonly kind: 'seeks' }): Compaction | undefined {
  const { levels } = context.version
  const { level, number } = hint
  const file = levels[level]?.find((one) => one.number === number)
  if (file === undefined || level + 1 >= levels.length) return undefined
  return planDown(context, { reason: 'seeks', level, file, hint })
}

/** Of the tables in the range, the one known to have the most tombstones; if none is known to have any, an unknown one. */
function planRange(
  context: PickContext,
  hint: CompactionHint & { readonly kind: 'tombstones' },
): Compaction | undefined {
  return planTombstones(context, hint, hint, ({ statistics }) => {
    if (statistics === undefined) return 0
    return statistics.tombstones > 0 || statistics.isSampled === true ? statistics.tombstones : undefined
  })
}

function pickByTombstones(context: PickContext): Compaction | undefined {
  const everywhere = { smallest: undefined, largest: undefined }
  return planTombstones(context, everywhere, undefined, (file) => {
    return isFullOfTombstones(file) ? file.statistics?.tombstones : undefined
  })
}

/** Whether a table is due for its tombstones alone. */
export function isFullOfTombstones({ statistics }: FileMetadata): boolean {
  if (statistics === undefined || statistics.tombstones < TOMBSTONES_MIN) return false
  return statistics.tombstones >= statistics.entries * TOMBSTONES_SHARE
}

/**
 * Compact the table in the range whose worth is the greatest, or the next best that can begin now; on ties the one nearest
 * to the top.
 * @param worth undefined if the table is not to be taken
 */
function planTombstones(
  context: PickContext,
  range: KeyRange,
  hint: CompactionHint | undefined,
  worth: (file: FileMetadata) => number | undefined,
): Compaction | undefined {
  const candidates: { readonly file: FileMetadata; readonly level: Level; readonly value: number }[] = []
  for (const level of context.version.levels.keys()) {
    for (const file of overlappingFiles(context.comparator, context.version, level, range)) {
      const value = canDropTombstones(context, file) ? worth(file) : undefined
      if (value !== undefined) candidates.push({ file, level, value })
    }
  }
  candidates.sort((a, b) => b.value - a.value)
  for (const { file, level } of candidates) {
    const compaction = planDown(context, { reason: 'tombstones', level, file, hint })
    if (compaction !== undefined) return compaction
  }
  return undefined
}

function canDropTombstones({ oldestSnapshot }: PickContext, { statistics }: FileMetadata): boolean {
  return oldestSnapshot === undefined || statistics === undefined || statistics.newestTombstone <= oldestSnapshot
}

/** A compaction that begins with one table, to the next level; from the last level to itself. undefined if a busy table is in the way. */
function planDown(
  context: PickContext,
  { file, level, reason, hint }: Omit<Seed, 'files' | 'outputLevel'> & { readonly file: FileMetadata },
): Compaction | undefined {
  const { comparator, version } = context
  const files = level === 0 ? overlappingFiles(comparator, version, 0, rangeOf(comparator, [file])) : [file]
  const outputLevel = Math.min(level + 1, version.levels.length - 1)
  return planCompaction(context, { reason, level, outputLevel, files, hint })
}

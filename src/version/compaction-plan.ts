/**
 * From the tables that a compaction is to begin with to all that belong to it; see compaction.ts for what must hold.
 *
 *   begin with tables of one level → what must go with them → the tables below that overlap → more of the upper level, if
 *   that takes none more below and stays within bounds → grandparents → can it be a mere move?
 *
 * Source     google/leveldb db/version_set.cc (SetupOtherInputs)
 */
import { assert } from '../base/assert.ts'
import type { Comparator } from '../base/comparator.ts'
import { compareInternalKeys } from '../base/internal-key.ts'
import type { FileNumber, Level, SequenceNumber } from '../base/types.ts'
import { type Compaction, type CompactionHint, inputsOf } from './compaction.ts'
import type { CompactionReason } from './compaction-reason.ts'
import type { FileMetadata } from './file-metadata.ts'
import { type LevelSizes, totalBytes } from './level-sizes.ts'
import { overlappingFiles, rangeOf, withBoundaryFiles } from './overlap.ts'
import type { Version } from './version.ts'
import type { LevelKey } from './version-edit.ts'

/** Upper inputs are added only while all inputs have fewer bytes than this many tables of full size. */
const EXPANSION_FILES_MAX = 25
/** A table is moved, and an output goes on, only up to an overlap with grandparents of this many tables of full size. */
export const GRANDPARENT_FILES_MAX = 10

export interface PickerOptions extends LevelSizes {
  /** A table that a compaction writes ends when it is as large. */
  readonly maxFileBytes: number
}

/** What a decision is made of. */
export interface PickContext {
  readonly version: Version
  readonly comparator: Comparator
  readonly options: PickerOptions
  readonly pointers: readonly LevelKey[]
  /** Tables to leave alone, such as those that a flush under way will drop. */
  readonly busy: ReadonlySet<FileNumber>
  /** What readers noticed, the most pressing first. */
  readonly hints: readonly CompactionHint[]
  /** The lowest sequence that a snapshot reads at, if there is one: it keeps tombstones that are newer. */
  readonly oldestSnapshot: SequenceNumber | undefined
}

/** What a compaction begins with. */
export interface Seed {
  readonly reason: CompactionReason
  readonly level: Level
  /** level + 1, or `level` to rewrite in place; level 0 never in place. */
  readonly outputLevel: Level
  /** At least one; of level 0, all that overlap one another; of the others neighbours, ascending. */
  readonly files: readonly FileMetadata[]
  readonly hint?: CompactionHint | undefined
}

type Inputs = Pick<Compaction, 'upper' | 'lower'>

/** @returns undefined if a busy table is in the way */
export function planCompaction(context: PickContext, seed: Seed): Compaction | undefined {
  const { comparator, version } = context
  const { level, outputLevel, reason } = seed
  assert(
    outputLevel === level + 1 || (outputLevel === level && level > 0),
    'a compaction goes one level down, or stays',
  )
  const isInPlace = outputLevel === level
  const files = withBoundaryFiles(comparator, version, level, seed.files)
  const plain = { upper: files, lower: isInPlace ? [] : lowerInputs(context, outputLevel, files) }
  const grown = isInPlace ? undefined : expand(context, seed, plain)
  const inputs = [grown, plain].find((some) => some !== undefined && isFree(context, some))
  if (inputs === undefined) return undefined
  const { upper, lower } = inputs
  const grandparents = grandparentsOf(context, outputLevel, inputs)
  const key = upper.map(({ largest }) => largest).reduce((a, b) => (compareInternalKeys(comparator, a, b) < 0 ? b : a))
  return {
    reason,
    level,
    outputLevel,
    upper,
    lower,
    grandparents,
    isTrivialMove: !isInPlace && isTrivialMove(context.options, reason, inputs, grandparents),
    pointer: isInPlace ? undefined : { level, key },
    hint: seed.hint,
  }
}

function lowerInputs(
  { comparator, version }: PickContext,
  level: Level,
  upper: readonly FileMetadata[],
): readonly FileMetadata[] {
  const overlapping = overlappingFiles(comparator, version, level, rangeOf(comparator, upper))
  return withBoundaryFiles(comparator, version, level, overlapping)
}

/** More upper inputs, if they bring no more lower ones. */
function expand(context: PickContext, { level, outputLevel }: Seed, plain: Inputs): Inputs | undefined {
  const { comparator, version, options } = context
  const { upper, lower } = plain
  if (lower.length === 0) return undefined
  const range = rangeOf(comparator, inputsOf(plain))
  const more = withBoundaryFiles(comparator, version, level, overlappingFiles(comparator, version, level, range))
  if (more.length <= upper.length) return undefined
  if (totalBytes(lower) + totalBytes(more) >= EXPANSION_FILES_MAX * options.maxFileBytes) return undefined
  const below = lowerInputs(context, outputLevel, more)
  return below.length === lower.length ? { upper: more, lower: below } : undefined
}

function grandparentsOf({ comparator, version }: PickContext, outputLevel: Level, inputs: Inputs): FileMetadata[] {
  if (outputLevel + 1 >= version.levels.length) return []
  const range = rangeOf(comparator, inputsOf(inputs))
  return overlappingFiles(comparator, version, outputLevel + 1, range)
}

/** A move drops no tombstone, so it would not be what was wanted where they are the reason, or somebody asked. */
function isTrivialMove(
  { maxFileBytes }: PickerOptions,
  reason: CompactionReason,
  { upper, lower }: Inputs,
  grandparents: readonly FileMetadata[],
): boolean {
  if (reason === 'tombstones' || reason === 'manual' || upper.length > 1 || lower.length > 0) return false
  return totalBytes(grandparents) <= GRANDPARENT_FILES_MAX * maxFileBytes
}

function isFree({ busy }: PickContext, inputs: Inputs): boolean {
  return !inputsOf(inputs).some(({ number }) => busy.has(number))
}

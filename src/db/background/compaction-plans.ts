/**
 * What the engine adds to a decision to compact (version/compaction-picker.ts): the figures that it is made of, the job that
 * carries it out, and the edit that makes its outcome part of the database.
 */
import { assert } from '../../base/assert.ts'
import type { CompactionJob } from '../../jobs/compaction-job.ts'
import { type Compaction, inputsOf } from '../../version/compaction.ts'
import { pickCompaction } from '../../version/compaction-picker.ts'
import type { PickContext, PickerOptions } from '../../version/compaction-plan.ts'
import type { FileMetadata } from '../../version/file-metadata.ts'
import { deeperFiles } from '../../version/overlap.ts'
import type { Version } from '../../version/version.ts'
import type { VersionEdit } from '../../version/version-edit.ts'
import type { Engine } from '../engine.ts'
import { type ResolvedOptions, tableFormat } from '../options.ts'

/** How many times larger each next level may be; LevelDB's. */
const LEVEL_MULTIPLIER = 10
/** Until a compaction is installed, what is known of its outputs may take so large a part of tableCacheBytes beside what its inputs take. */
const OUTLINES_SHARE = 1 / 8

export function pickerOptions(options: ResolvedOptions): PickerOptions {
  const { level0CompactionTrigger: level0Tables, levelBytes, maxFileBytes } = options
  return { level0Tables, levelBytes, multiplier: LEVEL_MULTIPLIER, maxFileBytes }
}

/** All that a decision is made of. */
export function pickContext(engine: Engine): PickContext {
  const { readState, options, versions, busy, hints, snapshots } = engine
  return {
    version: readState.version,
    comparator: options.comparator,
    options: engine.pickerOptions,
    pointers: versions.compactPointers,
    busy,
    hints: hints.all,
    oldestSnapshot: snapshots.oldest,
  }
}

/** The most pressing compaction; if none is due, and the database is at rest, one that is worth it only then. */
export function nextCompaction(engine: Engine): Compaction | undefined {
  const { hints, rest } = engine
  const context = pickContext(engine)
  const picked = pickCompaction(context)
  // If nothing is due, hints that were not followed lead nowhere.
  if (picked === undefined) hints.clear()
  else hints.spend(picked.hint)
  return picked ?? rest.pick(context)
}

/** The job that a compaction is, at this moment's snapshots: later ones see the newest version of every key anyway. */
export function compactionJob(engine: Engine, compaction: Compaction): CompactionJob {
  const { level, outputLevel, upper, lower, grandparents } = compaction
  const { comparator, maxFileBytes } = engine.options
  const { tables } = engine
  // The inputs leave what they take; but not before, and they may be all that there is.
  const inputBytes = inputsOf(compaction).reduce((sum, { number }) => sum + tables.bytesOf(number), 0)
  const besideInputs = Math.min(inputBytes, tables.bytesMax * OUTLINES_SHARE)
  return {
    kind: 'compact',
    directory: engine.directory,
    level,
    upper,
    lower,
    grandparents,
    deeper: deeperFiles(comparator, engine.readState.version, compaction),
    snapshots: engine.snapshots.sequences,
    numbers: engine.versions.numbers.share(),
    format: tableFormat(engine.options, outputLevel),
    maxFileBytes,
    outlineBytesMax: tables.bytesMax - tables.bytes + besideInputs,
  }
}

/** Outputs in place of inputs, in one edit. */
export function compactionEdit(
  version: Version,
  { level, outputLevel, upper, lower, pointer }: Compaction,
  outputs: readonly FileMetadata[],
): VersionEdit {
  const deletedFiles = [
    ...upper.map(({ number }) => ({ level, number })),
    ...lower.map(({ number }) => ({ level: outputLevel, number })),
  ]
  for (const input of deletedFiles) {
    const isThere = version.levels[input.level].some(({ number }) => number === input.number)
    assert(isThere, 'the inputs of a compaction stay where they are until it is installed')
  }
  const newFiles = outputs.map((file) => ({ level: outputLevel, file }))
  return { compactPointers: pointer === undefined ? [] : [pointer], deletedFiles, newFiles }
}

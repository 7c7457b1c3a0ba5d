/**
 * Subjects: the files whose branches and mutants are counted: all that reads bytes that were written before, all that
 * decides what a database is after it was opened or repaired, and what decides which tables are merged, what of them is left out, and
 * which files go. And the tests for them: quick ones, without other processes.
 * Others may be chosen, in the environment; what their tests miss is a question, not a promise that was broken.
 */
import { readdirSync } from 'node:fs'
import { sep } from 'node:path'
import { repository } from '../places.ts'

/** Below src/, without extension. */
const SUBJECTS: readonly string[] = [
  'base/coding',
  'base/crc32c',
  'base/filename',
  'base/internal-key',
  'base/key-copy',
  'base/range-cover',
  'log/log-format',
  'log/log-reader',
  'log/log-room',
  'log/log-salvage',
  'log/log-writer',
  'batch/batch-format',
  'batch/range-ops',
  'memtable/dump-decoder',
  'table/block',
  'table/block-cursor',
  'table/block-iterator',
  'table/block-reader',
  'table/block-search',
  'table/bloom-filter',
  'table/compression',
  'table/filter-block',
  'table/index-entries',
  'table/metaindex',
  'table/ordered-cursor',
  'table/sequential-blocks',
  'table/snappy-decoder',
  'table/table',
  'table/table-file',
  'table/table-format',
  'table/table-index',
  'table/table-outline',
  'table/table-tail',
  'table/zstd-frame',
  'version/compaction-picker',
  'version/compaction-plan',
  'version/level-iterator',
  'version/level-sizes',
  'version/manifest',
  'version/overlap',
  'version/version-builder',
  'version/version-edit',
  'version/version-set',
  'jobs/drop-rule',
  'db/copies/backup-format',
  'db/background/flush-plan',
  'db/opening/log-replay',
  'db/opening/manifest-mark',
  'db/background/obsolete-files',
  'db/opening/prepare-directory',
  'db/opening/recovery',
  'db/opening/replay-sink',
  'db/background/retired-memtables',
  'db/write/write-ahead-log',
  'admin/lost-and-found',
  'admin/missing-tables',
  'admin/repair',
  'admin/repair-logs',
  'admin/repair-plan',
  'admin/restore',
  'admin/table-check',
  'admin/table-merge',
  'admin/table-survey',
]

/** Below test/, without extension. */
const TESTS: readonly string[] = [
  'base/coding.test',
  'base/crc32c.test',
  'base/filename.test',
  'base/internal-key.test',
  'base/key-copy.test',
  'log/log.test',
  'log/log-room.test',
  'log/log-search.test',
  'log/log-salvage.test',
  'batch/write-batch.test',
  'memtable/dump.test',
  'table/block.test',
  'table/block-cursor.test',
  'table/block-search.test',
  'table/bloom-filter.test',
  'table/compression.test',
  'table/damage.test',
  'table/filter-block.test',
  'table/filter-use.test',
  'table/golden.test',
  'table/index-entries.test',
  'table/ordered-cursor.test',
  'table/parts-of-tables.test',
  'table/readahead.test',
  'table/snappy.test',
  'table/table.test',
  'table/table-outline.test',
  'table/table-file.test',
  'version/compaction-picker.test',
  'version/level-iterator.test',
  'version/manifest.test',
  'version/version-builder.test',
  'version/version-edit.test',
  'version/version-set.test',
  'jobs/drop-rule.test',
  'db/compaction-edit.test',
  'db/backup-records.test',
  'db/beside-a-writer.test',
  'db/damaged-files.test',
  'db/damaged-log.test',
  'db/log-replay.test',
  'db/markers.test',
  'db/obsolete-files.test',
  'db/range-deletes.test',
  'db/recovery.test',
  'db/refusals.test',
  'db/retired-memtables.test',
  'db/transcripts.test',
  'db/write-ahead-log.test',
  'admin/copies.test',
  'admin/handmade-databases.test',
  'admin/handmade-tables.test',
  'admin/restore.test',
  'admin/repair.test',
  'admin/running.test',
  'admin/transcripts.test',
  'admin/verify.test',
  'inspect/dump-log.test',
  'inspect/dump-manifest.test',
  'inspect/dump-table.test',
  'model/empty-batch.test',
]

/** Of processor time: a test that takes longer is only run for mutants that live through all others. */
export const QUICK_MS = 800

/** What the environment chooses: `VARVE_SUBJECTS` from the list, or from all files if tests are chosen, too. Parts of names. */
export interface Choice {
  readonly VARVE_SUBJECTS?: string
  readonly VARVE_TESTS?: string
}

/** @returns the files, and how many they are chosen from */
export function chosenSubjects({ VARVE_SUBJECTS, VARVE_TESTS }: Choice): [files: readonly string[], all: number] {
  const all = VARVE_TESTS === undefined ? SUBJECTS : compiledIn('src')
  return [chosen(all, VARVE_SUBJECTS), all.length]
}

export function chosenTests({ VARVE_TESTS }: Choice): readonly string[] {
  return VARVE_TESTS === undefined
    ? TESTS
    : chosen(compiledIn('test'), VARVE_TESTS).filter((file) => file.endsWith('.test'))
}

/** Those that have one of the parts in their names, without those that have one with a `-` before it. */
function chosen(files: readonly string[], list: string | undefined): readonly string[] {
  if (list === undefined) return files
  const parts = list.split(',')
  const has = (file: string): boolean => parts.some((part) => file.includes(part))
  const hasNot = (file: string): boolean => !parts.some((part) => part.startsWith('-') && file.includes(part.slice(1)))
  return files.filter((file) => has(file) && hasNot(file))
}

/** Files below a folder of the compiled program, without extension. */
function compiledIn(folder: string): string[] {
  return readdirSync(repository('.build', folder), { recursive: true })
    .map((name) => String(name).split(sep).join('/'))
    .filter((name) => name.endsWith('.js'))
    .map((name) => name.slice(0, -'.js'.length))
    .sort()
}

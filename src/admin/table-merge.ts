/**
 * Merging tables whose order of age is not known: by internal key, so that their sequence numbers decide, whatever their numbers
 * and levels were. Nothing is dropped but entries that come twice.
 *
 * Runs     tables that do not overlap form a run, of which one table is open at a time: so as many files are open as tables lie
 *          over one key, not as there are tables
 * Groups   tables that overlap, directly or through others; a table alone in its group need not be merged
 */

import { type Comparator, compareKeys } from '../base/comparator.ts'
import type { Steps } from '../db/copies/long-runs.ts'
import { CompactionInputs } from '../jobs/compaction-inputs.ts'
import { compareFiles, type FileMetadata, userRange } from '../version/file-metadata.ts'
import type { AdminContext } from './admin-context.ts'
import type { TableOutput } from './table-output.ts'

/** Entries between two places where the event loop may turn. */
const STEP_ENTRIES = 256

/** Groups of tables that share user keys, each in ascending key, as are the groups. */
export function overlapGroups(comparator: Comparator, tables: readonly FileMetadata[]): FileMetadata[][] {
  const groups: FileMetadata[][] = []
  let end: FileMetadata | undefined
  for (const file of [...tables].sort((a, b) => compareFiles(comparator, a, b))) {
    const isApart = end === undefined || isBefore(comparator, end, file)
    if (isApart) groups.push([file])
    else groups[groups.length - 1].push(file)
    if (end === undefined || compareEnds(comparator, end, file) < 0) end = file
  }
  return groups
}

/** @throws CorruptionError, NotSupportedError, IOError */
export function* mergeTables(context: AdminContext, tables: readonly FileMetadata[], output: TableOutput): Steps<void> {
  const { directory, environment, options } = context
  const { comparator } = options
  const merged = new CompactionInputs(directory, environment, comparator, runsOf(comparator, tables))
  try {
    merged.begin()
    for (let count = 1; merged.valid; merged.next(), count++) {
      const { keyBuf, keyLen, tagLow, tagHigh, valBuf, valOff, valLen } = merged.entry
      output.add(keyBuf, 0, keyLen, tagLow, tagHigh, valBuf, valOff, valLen)
      if (count % STEP_ENTRIES === 0) yield
    }
  } finally {
    merged.close()
  }
}

/** As few runs as there are tables over one key at most. */
function runsOf(comparator: Comparator, tables: readonly FileMetadata[]): FileMetadata[][] {
  const runs: FileMetadata[][] = []
  for (const file of [...tables].sort((a, b) => compareFiles(comparator, a, b))) {
    const run = runs.find((files) => isBefore(comparator, files[files.length - 1], file))
    if (run === undefined) runs.push([file])
    else run.push(file)
  }
  return runs
}

/** Whether all user keys of one table come before all of the other's. */
function isBefore(comparator: Comparator, before: FileMetadata, after: FileMetadata): boolean {
  return compareKeys(comparator, userRange(before).largest, userRange(after).smallest) < 0
}

function compareEnds(comparator: Comparator, a: FileMetadata, b: FileMetadata): number {
  return compareKeys(comparator, userRange(a).largest, userRange(b).largest)
}

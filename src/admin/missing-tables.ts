/**
 * Tables that a readable record of a MANIFEST names, and that are not there, where the MANIFEST's end is lost: most likely a
 * record of that end says that they were compacted into tables which no readable record names. Those then hold what the missing
 * ones held, as far as it was still to be had; nothing proves it, so it is a warning. A missing table that they do not span is lost.
 */

import { type Comparator, compareKeys } from '../base/comparator.ts'
import { tableName } from '../base/filename.ts'
import { userKey } from '../base/internal-key.ts'
import type { FileNumber } from '../base/types.ts'
import type { FileMetadata } from '../version/file-metadata.ts'
import { rangeOf } from '../version/overlap.ts'
import type { RepairNotes } from './repair-report.ts'
import type { SurveyedTable } from './table-survey.ts'

/** @param named tables that some readable record names, there or not */
export function noteMissing(
  missing: readonly FileMetadata[],
  named: ReadonlySet<FileNumber>,
  tables: readonly SurveyedTable[],
  comparator: Comparator,
  notes: RepairNotes,
): void {
  const later = tables.filter(({ number }) => !named.has(number))
  const laterFiles = later.map(({ file }) => file).filter((file) => file !== undefined)
  const isSound = later.every(({ state }) => state === 'sound')
  for (const file of missing) {
    const name = tableName(file.number)
    if (isSound && isSpanned(file, laterFiles, comparator)) {
      notes.giveUp(name, { reason: 'missing: compacted into later tables, as it seems' }, false)
      notes.warnings.push(
        `${name} is missing: no record that can be read says so, but tables that were written later span its keys, so that it was compacted into them or is lost`,
      )
    } else {
      const fault = { reason: 'missing, though a MANIFEST names it' }
      notes.giveUp(name, fault, true, userKey(file.smallest), userKey(file.largest))
    }
  }
}

function isSpanned(file: FileMetadata, others: readonly FileMetadata[], comparator: Comparator): boolean {
  if (others.length === 0) return false
  const [inner, outer] = [rangeOf(comparator, [file]), rangeOf(comparator, others)]
  const isBegun = compareKeys(comparator, outer.smallest, inner.smallest) <= 0
  return isBegun && compareKeys(comparator, inner.largest, outer.largest) <= 0
}

/**
 * Missing tables, where the end of the MANIFEST is lost: a readable record names them, and they are not there. Most likely a lost
 * record says that they were compacted. The outputs of that compaction are then there, named by no readable record, and span the
 * keys of the missing tables. If there are such tables, nothing seems to be lost; but nothing proves it, so it is a warning.
 */
import { type Comparator, compareKeys } from '../base/comparator.ts'
import { tableName } from '../base/filename.ts'
import { userKey } from '../base/internal-key.ts'
import type { Bytes, FileNumber } from '../base/types.ts'
import { type FileMetadata, userRange } from '../version/file-metadata.ts'
import { rangeOf } from '../version/overlap.ts'
import type { RepairNotes } from './repair-report.ts'
import type { SurveyedTable } from './table-survey.ts'

/**
 * @param named tables that some readable record names, there or not
 * @param tables those that are there
 */
export function noteMissing(
  named: ReadonlyMap<FileNumber, FileMetadata>,
  tables: readonly SurveyedTable[],
  comparator: Comparator,
  notes: RepairNotes,
): void {
  const later = tables.filter(({ number }) => !named.has(number))
  const laterFiles = later.map(({ file }) => file).filter((file) => file !== undefined)
  const isSound = laterFiles.length > 0 && later.every(({ state }) => state === 'sound')
  const outer = isSound ? rangeOf(comparator, laterFiles) : undefined
  const present = new Set(tables.map(({ number }) => number))
  for (const file of named.values()) {
    if (present.has(file.number)) continue
    const name = tableName(file.number)
    if (outer !== undefined && isSpanned(file, outer, comparator)) {
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

function isSpanned(file: FileMetadata, outer: { smallest: Bytes; largest: Bytes }, comparator: Comparator): boolean {
  const inner = userRange(file)
  const isBegun = compareKeys(comparator, outer.smallest, inner.smallest) <= 0
  return isBegun && compareKeys(comparator, inner.largest, outer.largest) <= 0
}

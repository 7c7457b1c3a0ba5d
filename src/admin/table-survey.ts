/**
 * The tables of a repair, each gone through whole: which are sound, which have lost something, and what is in them.
 */
import { IOError } from '../base/errors.ts'
import { userKey } from '../base/internal-key.ts'
import type { FileNumber } from '../base/types.ts'
import type { Steps } from '../db/copies/long-runs.ts'
import type { EntrySink } from '../table/entry-sink.ts'
import type { FileMetadata } from '../version/file-metadata.ts'
import type { AdminContext } from './admin-context.ts'
import type { PlannedTable } from './repair-plan.ts'
import type { RepairNotes } from './repair-report.ts'
import { TableCheck, type TableFacts, type TableFault } from './table-check.ts'

export interface SurveyedTable {
  readonly number: FileNumber
  readonly name: string
  /** Undefined if the levels are rebuilt. */
  readonly level: number | undefined
  /** `damaged`: something of it is not as it was written. `unreadable`: this varve cannot read it, whole or damaged. */
  readonly state: 'sound' | 'damaged' | 'unreadable'
  /** As the MANIFEST should name it; undefined if it has no entries, or they cannot be read. */
  readonly file: FileMetadata | undefined
  readonly entries: number
  readonly lastSequence: number
  /** Its entries are not what the MANIFEST says of them: the two do not belong together. */
  readonly isOutOfBounds: boolean
}

/** Go through all planned tables, and note what is wrong with them. */
export function* surveyTables(
  context: AdminContext,
  planned: readonly PlannedTable[],
  notes: RepairNotes,
): Steps<SurveyedTable[]> {
  const surveyed: SurveyedTable[] = []
  for (const table of planned) surveyed.push(yield* survey(context, table, notes))
  return surveyed
}

function* survey(
  context: AdminContext,
  { number, name, named }: PlannedTable,
  notes: RepairNotes,
): Steps<SurveyedTable> {
  const known = named?.file
  const facts = yield* checkTable(context, name, known)
  const { bytes, bounds, entries, lastSequence, isOutOfBounds } = facts
  const faults = [...facts.faults.filter(({ kind }) => kind !== 'stray'), ...sizeFaults(facts, known)]
  for (const fault of faults) {
    // What cannot be read is not given up: the table stays as it is, or the repair is refused.
    if (fault.kind === 'unreadable') continue
    const from = fault.from ?? (known && userKey(known.smallest))
    const to = fault.to ?? (known && userKey(known.largest))
    if (fault.losesEntries) notes.giveUp(name, fault, true, from, to)
    else notes.giveUp(name, fault, false)
  }
  const isDamaged = faults.length > 0
  const isUnreadable = faults.some(({ kind }) => kind === 'unreadable')
  const found = bounds && { number, bytes, ...bounds }
  return {
    number,
    name,
    level: named?.level,
    state: isUnreadable ? 'unreadable' : isDamaged ? 'damaged' : 'sound',
    file: known ?? found,
    entries,
    lastSequence,
    isOutOfBounds,
  }
}

/** Sound, but not the table that the MANIFEST names: what that one held, and this one does not, is not to be had. */
function sizeFaults({ bytes, faults }: TableFacts, known: FileMetadata | undefined): TableFault[] {
  const isOther = known !== undefined && known.bytes !== bytes && faults.length === 0
  const reason = `${bytes} bytes long, and the MANIFEST says ${known?.bytes}`
  return isOther ? [{ offset: 0, bytes, reason, kind: 'damage', losesEntries: true }] : []
}

/** Go through one table; its sound entries go to `visitor`. */
export function* checkTable(
  context: AdminContext,
  name: string,
  bounds?: FileMetadata,
  visitor?: EntrySink,
): Steps<TableFacts> {
  const file = context.files.openRandomAccess(context.files.join(context.directory, name))
  try {
    return yield* new TableCheck(context, name, file, visitor).run(bounds)
  } catch (error) {
    if (error instanceof IOError) throw new IOError(`${name} cannot be salvaged: ${error.message}`, { cause: error })
    throw error
  } finally {
    file.close()
  }
}

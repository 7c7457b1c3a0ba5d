/**
 * RepairPlan: what of a directory is to be believed, before any table is read.
 *
 * Which MANIFEST   the one that CURRENT names, if it can be read; else the newest, if it can. No other: an old one speaks of a
 *                  database that is no more.
 * Levels           are kept if there is such a MANIFEST, and nothing suggests that its end is missing. A record of it that is lost
 *                  together with its place (a file cut at a record's end) shows in this: a table or log that it names is gone, and
 *                  there is a table that it does not know. Then levels are rebuilt.
 * Obsolete files   a table that any readable record of any MANIFEST gives up, and that no later one takes back, is obsolete: were
 *                  it used, what had been deleted would come back. With the levels kept, so is every table not named.
 */
import { CorruptionError, InvalidArgumentError } from '../base/errors.ts'
import { CURRENT, logName, logNumbers, manifestName, oldTableName, parseFileName, tableName } from '../base/filename.ts'
import { userKey } from '../base/internal-key.ts'
import { type Bytes, type FileNumber, fileNumber, MAX_NAMED_FILE_NUMBER } from '../base/types.ts'
import { LogSalvage } from '../log/log-salvage.ts'
import type { FileMetadata } from '../version/file-metadata.ts'
import { readCurrent } from '../version/manifest.ts'
import { type DecodedEdit, decodeEdit, type LevelKey } from '../version/version-edit.ts'
import { needsLog, type RecoveredVersion, recoverVersion } from '../version/version-set.ts'
import { type AdminContext, bytesOf } from './admin-context.ts'
import type { RepairNotes } from './repair-report.ts'
import { plainMessage } from './table-check.ts'

/** A table that is to be used. */
export interface PlannedTable {
  readonly number: FileNumber
  readonly name: string
  /** What the MANIFEST says of it; undefined if the levels are rebuilt. */
  readonly named: { readonly level: number; readonly file: FileMetadata } | undefined
}

export interface RepairPlan {
  readonly levels: 'kept' | 'rebuilt'
  readonly manifest: string | undefined
  readonly tables: readonly PlannedTable[]
  /** With the levels rebuilt: tables that a readable record names, there or not. */
  readonly named: ReadonlyMap<FileNumber, FileMetadata>
  /** Logs to be replayed, oldest first. */
  readonly logs: readonly FileNumber[]
  readonly lastSequence: number
  readonly nextFile: number
  readonly compactPointers: readonly LevelKey[]
  /** Whether CURRENT or the MANIFEST, or one of the files that they name, is not as it should be. */
  readonly isDamaged: boolean
}

const NOT_A_FILE = 'not a file'

/** What all readable records of all manifests tell together. */
interface Knowledge {
  /** Tables that the last readable record about them adds. */
  readonly named: ReadonlyMap<FileNumber, FileMetadata>
  readonly obsoleteTables: ReadonlySet<FileNumber>
  /** Logs below hold nothing that is not in tables. */
  readonly logNumber: number
  readonly lastSequence: number
  readonly nextFile: number
}

/**
 * @param names of the database's files that are in the directory, sorted
 * @param odd names that are not those of files
 * @param isContradicted the tables have been found to be others than the MANIFEST says: the levels are rebuilt
 */
export function planRepair(
  context: AdminContext,
  names: readonly string[],
  odd: readonly string[],
  notes: RepairNotes,
  isContradicted: boolean = false,
): RepairPlan {
  const chosen = isContradicted ? undefined : chooseManifest(context, names, notes)
  const knowledge = readKnowledge(context, names)
  const numbers = [...names, ...odd].map(numberOf).filter((number) => number <= MAX_NAMED_FILE_NUMBER)
  const nextFile = numbers.reduce((next, number) => Math.max(next, number + 1), knowledge.nextFile)
  if (chosen?.found === undefined || endIsMissing(context, names, chosen.found, knowledge)) {
    return { ...rebuiltPlan(context, names, odd, knowledge, notes), nextFile }
  }
  return { ...keptPlan(context, names, odd, chosen.found, chosen.isDamaged, notes), nextFile }
}

type Plan = Omit<RepairPlan, 'nextFile'>

function keptPlan(
  context: AdminContext,
  names: readonly string[],
  odd: readonly string[],
  found: RecoveredVersion,
  isDamaged: boolean,
  notes: RepairNotes,
): Plan {
  const tables: PlannedTable[] = []
  const there = new Set(names)
  let hasLost = false
  for (const named of found.version.files()) {
    const { number, smallest, largest } = named.file
    const name = tableIn(context, there, number)
    if (name !== undefined) tables.push({ number, name, named })
    else {
      hasLost = true
      noteLost(notes, odd, tableName(number), userKey(smallest), userKey(largest))
    }
  }
  const logs = logNumbers(names).filter((number) => needsLog(found, number))
  const lostLogs = new Set(logNumbers(odd).filter((number) => needsLog(found, number)))
  if (found.logNumber !== 0 && !logs.includes(found.logNumber)) lostLogs.add(found.logNumber)
  for (const number of lostLogs) {
    hasLost = true
    noteLost(notes, odd, logName(number))
  }
  return {
    levels: 'kept',
    manifest: manifestName(found.manifestNumber),
    tables,
    named: new Map(),
    logs,
    lastSequence: found.lastSequence,
    compactPointers: found.compactPointers,
    isDamaged: isDamaged || hasLost || found.tornAt !== undefined,
  }
}

/** The name of a table's file, if it is still there; in the order of an opening: `.ldb` before `.sst`. */
function tableIn(
  { files, directory }: AdminContext,
  names: ReadonlySet<string>,
  number: FileNumber,
): string | undefined {
  const isThere = (name: string): boolean => names.has(name) && files.status(files.join(directory, name)) !== undefined
  return [tableName(number), oldTableName(number)].find(isThere)
}

function noteLost(notes: RepairNotes, odd: readonly string[], name: string, from?: Bytes, to?: Bytes): void {
  notes.file(name, 'missing', 0)
  const reason = odd.includes(name) ? NOT_A_FILE : 'missing, though the MANIFEST names it'
  notes.giveUp(name, { reason }, true, from, to)
}

function rebuiltPlan(
  context: AdminContext,
  names: readonly string[],
  odd: readonly string[],
  { named, obsoleteTables, logNumber, lastSequence }: Knowledge,
  notes: RepairNotes,
): Plan {
  notes.warnings.push(
    'the levels were lost: a table or log that is missing may not be missed here, and one that had been given up, and was still there, may bring back old or deleted entries',
  )
  const present = tablesIn(context, names, obsoleteTables, notes)
  const tables = [...present].sort(([a], [b]) => a - b).map(([number, name]) => ({ number, name, named: undefined }))
  const logs = logNumbers(names).filter((number) => number >= logNumber)
  const lostLogs = logNumbers(odd).filter((number) => number >= logNumber)
  // A log goes once the next one has begun; there is always one.
  if (logNumber > 0 && logs.length === 0 && lostLogs.length === 0) lostLogs.push(fileNumber(logNumber))
  for (const number of lostLogs) {
    const name = logName(number)
    const reason = odd.includes(name) ? NOT_A_FILE : 'missing, though a MANIFEST names it'
    notes.giveUp(name, { reason }, true)
  }
  return {
    levels: 'rebuilt',
    manifest: undefined,
    tables,
    named,
    logs,
    lastSequence,
    compactPointers: [],
    isDamaged: true,
  }
}

/** Tables that are there and not obsolete, with their names. */
function tablesIn(
  context: AdminContext,
  names: readonly string[],
  obsolete: ReadonlySet<FileNumber>,
  notes: RepairNotes,
): Map<FileNumber, string> {
  const tables = new Map<FileNumber, string>()
  for (const name of names) {
    const { type, number } = parseFileName(name)!
    if (type !== 'table' || obsolete.has(number)) continue
    // In the order of an opening: `.ldb` before `.sst`.
    const first = tables.get(number)
    if (first === undefined) tables.set(number, name)
    else notes.giveUp(name, { bytes: bytesOf(context, name), reason: `${first} has its number` }, true)
  }
  return tables
}

interface Chosen {
  readonly found: RecoveredVersion | undefined
  readonly isDamaged: boolean
}

function chooseManifest(context: AdminContext, names: readonly string[], notes: RepairNotes): Chosen {
  const { files, directory } = context
  let number: FileNumber | undefined
  let isDamaged = false
  try {
    number = names.includes(CURRENT) ? readCurrent(files, directory) : undefined
    if (number === undefined) throw new CorruptionError('missing')
    if (!names.includes(manifestName(number))) throw new CorruptionError('names a manifest that is not a file')
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error
    isDamaged = true
    notes.giveUp(CURRENT, { reason: plainMessage(error) }, false)
    const manifests = names.filter((name) => parseFileName(name)?.type === 'manifest').map(numberOf)
    number = manifests.length === 0 ? undefined : fileNumber(Math.max(...manifests))
  }
  return { found: number && recovered(context, number, notes), isDamaged }
}

function recovered(
  { files, directory, options }: AdminContext,
  number: FileNumber,
  notes: RepairNotes,
): RecoveredVersion | undefined {
  try {
    const found = recoverVersion(files, directory, number, options.comparator)
    if (found.tornAt !== undefined) {
      const bytes = found.manifestBytes - found.tornAt
      notes.giveUp(manifestName(number), { offset: found.tornAt, bytes, reason: 'its last record was cut off' }, false)
    }
    return found
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error
    notes.giveUp(manifestName(number), { offset: error.offset ?? 0, reason: plainMessage(error) }, false)
    return undefined
  }
}

/** Whether records at the manifest's end seem to be lost. */
function endIsMissing(
  context: AdminContext,
  names: readonly string[],
  found: RecoveredVersion,
  knowledge: Knowledge,
): boolean {
  const named = new Set<FileNumber>()
  const there = new Set(names)
  let isLost = found.logNumber !== 0 && !names.includes(logName(found.logNumber))
  for (const { file } of found.version.files()) {
    named.add(file.number)
    if (tableIn(context, there, file.number) === undefined) isLost = true
  }
  if (!isLost) return false
  return names.some((name) => {
    const parsed = parseFileName(name)
    return parsed?.type === 'table' && !named.has(parsed.number) && !knowledge.obsoleteTables.has(parsed.number)
  })
}

function readKnowledge(context: AdminContext, names: readonly string[]): Knowledge {
  const named = new Map<FileNumber, FileMetadata>()
  const obsoleteTables = new Set<FileNumber>()
  let logNumber = 0
  let lastSequence = 0
  let nextFile = 1
  const manifests = names.filter((name) => parseFileName(name)?.type === 'manifest')
  for (const name of manifests.sort((a, b) => numberOf(a) - numberOf(b))) {
    for (const edit of readableEdits(context, name)) {
      const order = edit.comparator ?? context.options.comparator.name
      if (order !== context.options.comparator.name) {
        throw new InvalidArgumentError(`the database's keys are ordered by ${order}: give its comparator`)
      }
      for (const { number } of edit.deletedFiles) {
        obsoleteTables.add(number)
        named.delete(number)
      }
      for (const { file } of edit.newFiles) {
        obsoleteTables.delete(file.number)
        named.set(file.number, file)
      }
      logNumber = Math.max(logNumber, edit.logNumber ?? logNumber)
      lastSequence = Math.max(lastSequence, edit.lastSequence ?? lastSequence)
      nextFile = Math.max(nextFile, Math.min(edit.nextFile ?? nextFile, MAX_NAMED_FILE_NUMBER))
    }
  }
  return { named, obsoleteTables, logNumber, lastSequence, nextFile }
}

/** All records of a manifest that can be read, damaged or not. */
function* readableEdits({ files, directory }: AdminContext, name: string): Generator<DecodedEdit, void, void> {
  const path = files.join(directory, name)
  if (files.status(path)?.kind !== 'file') return
  const file = files.openRandomAccess(path)
  try {
    const salvage = new LogSalvage(file)
    while (salvage.next()) {
      const edit = decodeEdit(salvage.record, 0, salvage.record.length)
      if (typeof edit !== 'string') yield edit
    }
  } finally {
    file.close()
  }
}

function numberOf(name: string): number {
  return parseFileName(name)!.number
}

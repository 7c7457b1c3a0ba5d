/**
 * repair: a database that opens again, of what is left of one: checked data only, and a report of everything that was given up.
 *
 *   plan (repair-plan.ts) → survey every table (table-survey.ts) → salvage damaged ones, merge what must be, replay the logs
 *   (repair-logs.ts) → names in lost/ for all that is replaced → new log, new MANIFEST → CURRENT → the old names go
 *
 * Levels kept   A sound table stays where it is. Of a damaged one in level 1 or below, the sound blocks make a new table in the
 *               same level: its range is a part of the old one's. In level 0 the number tells the age, and a lookup stops at
 *               the newest table that knows the key; a new table would seem the newest. So level-0 tables that overlap a
 *               salvaged one are merged with it, and what does not overlap has no age. The logs' tables come last, and are
 *               the newest: an opening's own order.
 * Rebuilt       Nothing tells the age of a table: numbers do not, once tables have been compacted. LevelDB's repair puts all in
 *               level 0 and lets the number decide, so a lookup may stop at an old value. Here all tables that overlap, those
 *               of the logs among them, are merged by internal key into one sorted run in the lowest level, where the
 *               sequence numbers alone decide; it takes room for a second copy of what is merged.
 * Invariants    (1) nothing that was found is changed or removed before CURRENT names the new MANIFEST; a crash before leaves
 *                   what there was, and new tables that the next repair may use or not: they hold nothing else. (What is no file, and
 *                   so holds nothing, is moved to lost/ before)
 *               (2) what is replaced is in lost/ before
 */
import { closeQuietly } from '../base/close-all.ts'
import type { DirectoryLock } from '../base/environment.ts'
import { NotSupportedError } from '../base/errors.ts'
import { CURRENT, isUsualName, oldTableName, parseFileName, tableName } from '../base/filename.ts'
import { checkFlag } from '../base/known-options.ts'
import { type FileNumber, fileNumber, sequenceNumber } from '../base/types.ts'
import type { FlushSurroundings } from '../db/background/flush-plan.ts'
import { promised } from '../db/call-options.ts'
import type { Steps } from '../db/copies/long-runs.ts'
import { DatabaseDirectory } from '../db/opening/database-directory.ts'
import { checkRoom } from '../db/opening/recovery.ts'
import { ReplaySink } from '../db/opening/replay-sink.ts'
import type { Options } from '../db/options.ts'
import { WriteAheadLog } from '../db/write/write-ahead-log.ts'
import type { FileMetadata } from '../version/file-metadata.ts'
import { ManifestWriter } from '../version/manifest.ts'
import { LEVELS, type LevelFile } from '../version/version-edit.ts'
import { type AdminContext, adminContext, bytesOf, databaseNames } from './admin-context.ts'
import type { AdminOptions } from './admin-options.ts'
import { keepInLost, moveToLost, removeFiles } from './lost-and-found.ts'
import { noteMissing } from './missing-tables.ts'
import { isOddFile } from './odd-files.ts'
import { checkedOnly, logsAreSound, rescueLogs } from './repair-logs.ts'
import { planRepair, type RepairPlan } from './repair-plan.ts'
import { RepairNotes, type RepairReport } from './repair-report.ts'
import { mergeTables, overlapGroups } from './table-merge.ts'
import { TableOutput } from './table-output.ts'
import { checkTable, type SurveyedTable, surveyTables } from './table-survey.ts'
import { isOurs, runLocked, warningsOf } from './under-lock.ts'

const FORMAT_OPTIONS = ['writeBufferBytes', 'blockBytes', 'restartInterval', 'bloomBitsPerKey', 'compression'] as const

/** Options of `repair`: the common ones, and those of `open` that say how tables are written. */
export interface RepairOptions extends AdminOptions, Pick<Options, (typeof FORMAT_OPTIONS)[number]> {
  /** Say what would be done, and do nothing. Default false. */
  readonly dryRun?: boolean | undefined
}

/**
 * Make a database that nobody has open usable again. What is replaced goes to the subdirectory `lost`. A sound database is left
 * as it is.
 * @throws (rejects with) NotFoundError, LockedError, InvalidArgumentError (also for another comparator), AbortedError, IOError,
 *   NotSupportedError (fsync is denied, or a table must be rewritten that this varve cannot read); nothing that was there has changed then
 */
export function repair(directory: string, options: RepairOptions = {}): Promise<RepairReport> {
  return promised(() => {
    const engine = Object.fromEntries(FORMAT_OPTIONS.map((name) => [name, options?.[name]]))
    const context = adminContext('repair', directory, options, [...FORMAT_OPTIONS, 'dryRun'], engine)
    databaseNames(context)
    const { dryRun = false } = options
    checkFlag('repair', 'dryRun', dryRun)
    return runLocked(context, (lock) => new Repair(context, dryRun, lock).run(), { onlyLooks: dryRun })
  })
}

/** As if a snapshot saw everything: without levels, what is newer than a range delete in a log is not known from its place. */
const NO_TABLE_DROPPED: FlushSurroundings = { busy: new Set(), oldestSnapshot: sequenceNumber(0) }

class Repair {
  readonly #context: AdminContext
  /** What the directory holds of a database. */
  readonly #names: readonly string[]
  readonly #odd: readonly string[]
  readonly #isDryRun: boolean
  readonly #lock: DirectoryLock
  readonly #startMs: number
  #notes: RepairNotes = new RepairNotes()
  #nextFile = 1
  /** Tables that the logs' entries come on top of. */
  #below: readonly FileMetadata[] = []
  /** Tables that have been written, with their entries; to be removed if the repair fails. */
  readonly #written = new Map<FileNumber, number>()
  #isNamed = false
  #entriesKept = 0

  constructor(context: AdminContext, isDryRun: boolean, lock: DirectoryLock) {
    this.#context = context
    // Under the lock: who had the database open until then has changed it. Other spellings are not seen by an opening.
    const names = context.files.list(context.directory).filter(isUsualName)
    this.#odd = names.filter((name) => isOddFile(context, name))
    this.#names = names.filter((name) => !this.#odd.includes(name))
    this.#isDryRun = isDryRun
    this.#lock = lock
    this.#startMs = context.environment.clock.monotonicMs()
  }

  *run(): Steps<RepairReport> {
    const isReplayed = (name: string): boolean => parseFileName(name)?.type === 'log'
    this.#expect(this.#names.filter(isReplayed))
    let plan = planRepair(this.#context, this.#names, this.#odd, this.#notes)
    let tables = yield* this.#survey(plan)
    if (plan.levels === 'kept' && tables.some(({ isOutOfBounds }) => isOutOfBounds)) {
      this.#notes = new RepairNotes()
      this.#notes.warnings.push('tables hold other keys than the MANIFEST says: it is not followed')
      plan = planRepair(this.#context, this.#names, this.#odd, this.#notes, true)
      tables = yield* this.#survey(plan)
    }
    for (const { state, name } of tables) {
      if (state === 'unreadable') this.#notes.warnings.push(`${name} could not be checked, and is kept as it is`)
    }
    noteMissing(plan.named, tables, this.#context.options.comparator, this.#notes)
    const isNeeded =
      plan.isDamaged ||
      tables.some(({ state }) => state === 'damaged') ||
      !(yield* logsAreSound(this.#context, plan.logs, plan.lastSequence))
    this.#nextFile = plan.nextFile
    const lastSequence = tables.reduce((last, table) => Math.max(last, table.lastSequence), plan.lastSequence)
    if (!isNeeded) {
      for (const { name, entries } of tables) this.#keep(name, entries)
      return this.#report(plan, false, lastSequence)
    }
    return yield* this.#repair(plan, tables, lastSequence)
  }

  #survey(plan: RepairPlan): Steps<SurveyedTable[]> {
    this.#expect(plan.tables.map(({ name }) => name))
    return surveyTables(this.#context, plan.tables, this.#notes)
  }

  /** These files will be read, once. */
  #expect(names: readonly string[]): void {
    for (const name of names) this.#context.progress.expect(bytesOf(this.#context, name))
  }

  *#repair(plan: RepairPlan, tables: readonly SurveyedTable[], lastSequence: number): Steps<RepairReport> {
    const unreadable = tables.find(({ state, level }) => state === 'unreadable' && level === undefined)
    if (unreadable !== undefined) {
      const message = `${unreadable.name} would have to be rewritten, and is of a kind that varve cannot read`
      throw new NotSupportedError(message, { file: unreadable.name })
    }
    if (this.#isDryRun) return yield* this.#dryRun(plan, tables, lastSequence)
    const sink = new ReplaySink(this.#context.directory, this.#context.options, {
      levels: () => [this.#below],
      newFileNumber: () => this.#newNumber(),
      surroundings: NO_TABLE_DROPPED,
    })
    try {
      return yield* this.#rewrite(plan, tables, lastSequence, sink)
    } finally {
      // Once a MANIFEST may name them, what was written stays.
      if (!this.#isNamed && isOurs(this.#lock)) {
        sink.removeTables()
        removeFiles(this.#context, [...this.#written.keys()].map(tableName))
      }
    }
  }

  *#rewrite(
    plan: RepairPlan,
    tables: readonly SurveyedTable[],
    tableSequence: number,
    sink: ReplaySink,
  ): Steps<RepairReport> {
    const isKept = plan.levels === 'kept'
    const placed: LevelFile[] = []
    /** Tables whose age is to be found out, and, with the levels kept, which of them must be merged with what they overlap. */
    const loose: FileMetadata[] = []
    const ageless = new Set<FileNumber>()
    for (const table of tables) {
      const { level } = table
      for (const file of yield* this.#salvaged(table)) {
        if (level === undefined || level === 0) loose.push(file)
        else placed.push({ level, file })
        if (file.number !== table.number) ageless.add(file.number)
      }
    }
    if (isKept) yield* this.#place(loose, ageless, 0, placed)
    this.#below = isKept ? placed.map(({ file }) => file) : loose
    const logSequence = yield* rescueLogs(this.#context, plan.logs, sink, this.#notes)
    sink.finish()
    const replayed = sink.change.newFiles.map(({ file }) => file)
    for (const file of replayed) {
      this.#noteWritten(file)
      if (isKept) placed.push({ level: 0, file })
    }
    if (!isKept) yield* this.#place([...loose, ...replayed], undefined, LEVELS - 1, placed)
    const lastSequence = Math.max(tableSequence, logSequence)
    checkRoom(lastSequence, this.#context.directory)
    yield* this.#switch(plan, placed, lastSequence)
    return this.#report(plan, true, lastSequence)
  }

  /** The table, or what is left of it: one table, or none. */
  *#salvaged(table: SurveyedTable): Steps<readonly FileMetadata[]> {
    const { name, state, file, level } = table
    this.#noteUse(table)
    if (state !== 'damaged') return file === undefined ? [] : [file]
    this.#expect([name])
    return yield* this.#write(level ?? LEVELS - 1, (output) => checkTable(this.#context, name, undefined, output))
  }

  /** Put tables in a level: as they are, or merged with those that they overlap if one of these is ageless; undefined: all are. */
  *#place(
    tables: readonly FileMetadata[],
    ageless: ReadonlySet<FileNumber> | undefined,
    level: number,
    placed: LevelFile[],
  ): Steps<void> {
    for (const group of overlapGroups(this.#context.options.comparator, tables)) {
      const isMerged = group.length > 1 && group.some(({ number }) => ageless === undefined || ageless.has(number))
      const files = isMerged ? yield* this.#merged(group, level) : group
      for (const file of files) placed.push({ level, file })
    }
  }

  *#merged(group: readonly FileMetadata[], level: number): Steps<readonly FileMetadata[]> {
    const merged = yield* this.#write(level, (output) => mergeTables(this.#context, group, output))
    for (const { number } of group) {
      const { files } = this.#notes
      const noted = files.get(tableName(number)) ?? files.get(oldTableName(number))
      if (noted !== undefined) {
        noted.action = 'merged'
        this.#entriesKept -= noted.entries
      }
    }
    return merged
  }

  /** New tables of what `fill` gives. */
  *#write(level: number, fill: (output: TableOutput) => Steps<unknown>): Steps<readonly FileMetadata[]> {
    const output = new TableOutput(this.#context, level, () => {
      const number = this.#newNumber()
      this.#written.set(number, 0)
      return number
    })
    try {
      yield* fill(output)
      const files = output.finish()
      for (const file of files) this.#noteWritten(file)
      return files
    } finally {
      output.abandon()
    }
  }

  #noteWritten({ number, statistics }: FileMetadata): void {
    this.#written.set(number, statistics?.entries ?? 0)
  }

  /** From the old files to the new ones. */
  *#switch(plan: RepairPlan, placed: readonly LevelFile[], lastSequence: number): Steps<void> {
    const { files, directory, options } = this.#context
    const kept = new Set(placed.map(({ file }) => file.number))
    const replaced = this.#names.filter((name) => {
      const { type, number } = parseFileName(name)!
      if (files.status(files.join(directory, name))?.kind !== 'file') return false
      return type === 'table' ? !kept.has(number) : type === 'log' || type === 'manifest'
    })
    // One may have the name of CURRENT.
    const odd = moveToLost(this.#context, this.#odd)
    const isCurrentLost = plan.manifest === undefined && this.#names.includes(CURRENT)
    const moved = yield* keepInLost(this.#context, isCurrentLost ? [...replaced, CURRENT] : replaced)
    const logNumber = this.#newNumber()
    const log = new WriteAheadLog(new DatabaseDirectory(files, directory), options.walMarkers, () => this.#newNumber())
    try {
      log.rotate(logNumber, sequenceNumber(lastSequence + 1))
      log.sync()
    } finally {
      closeQuietly(() => log.close())
    }
    const number = this.#newNumber()
    this.#isNamed = true
    const manifest = ManifestWriter.create(files, directory, number, [
      { comparator: options.comparator.name, compactPointers: plan.compactPointers, newFiles: placed },
      {
        logNumber,
        previousLog: fileNumber(0),
        nextFile: fileNumber(this.#nextFile),
        lastSequence: sequenceNumber(lastSequence),
      },
    ])
    closeQuietly(() => manifest.close())
    // Intermediate tables go without trace: they hold nothing of their own.
    const idle = [...this.#written.keys()].filter((written) => !kept.has(written))
    for (const written of idle) this.#written.delete(written)
    removeFiles(this.#context, [...replaced, ...idle.map(tableName)])
    for (const [name, movedTo] of [...odd, ...moved]) {
      if (!this.#notes.files.has(name)) this.#notes.file(name, 'unused', 0)
      this.#notes.files.get(name)!.movedTo = movedTo
    }
  }

  *#dryRun(plan: RepairPlan, tables: readonly SurveyedTable[], tableSequence: number): Steps<RepairReport> {
    for (const table of tables) this.#noteUse(table)
    const logSequence = yield* rescueLogs(this.#context, plan.logs, checkedOnly(this.#context), this.#notes)
    const lastSequence = Math.max(tableSequence, logSequence)
    checkRoom(lastSequence, this.#context.directory)
    return this.#report(plan, true, lastSequence)
  }

  /** What becomes of a table. */
  #noteUse({ name, state, file, entries }: SurveyedTable): void {
    if (state === 'damaged') this.#notes.file(name, 'salvaged', entries)
    else if (file === undefined) this.#notes.file(name, 'unused', 0)
    else this.#keep(name, entries)
  }

  #keep(name: string, entries: number): void {
    this.#notes.file(name, 'kept', entries)
    this.#entriesKept += entries
  }

  #newNumber(): FileNumber {
    return fileNumber(this.#nextFile++)
  }

  #report(plan: RepairPlan, isNeeded: boolean, lastSequence: number): RepairReport {
    const { files, givenUp, warnings } = this.#notes
    return {
      directory: this.#context.givenDirectory,
      isDryRun: this.#isDryRun,
      isNeeded,
      levels: plan.levels,
      manifest: plan.manifest,
      files: [...files].map(([name, file]) => ({ name, ...file })),
      givenUp,
      warnings: [
        ...warningsOf(this.#lock),
        ...this.#odd.map((name) => `${name} is not a file, and there is nothing to be read of it`),
        ...warnings,
      ],
      entriesKept: this.#entriesKept,
      entriesWritten: [...this.#written.values()].reduce((sum, entries) => sum + entries, 0),
      tablesWritten: this.#written.size,
      lastSequence,
      durationMs: this.#context.environment.clock.monotonicMs() - this.#startMs,
    }
  }
}

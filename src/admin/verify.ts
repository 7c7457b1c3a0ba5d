/**
 * verify: reads everything that a database consists of, and says what is not as it should be. Changes nothing.
 *
 *   CURRENT → MANIFEST, every record → every table that it names, every block and entry (table-check.ts) → every log that it
 *   needs, every record → files that nothing needs, files that are not a database's
 *
 * Memory   one block of a table, its index and filter; a window of a log
 * Damage   of one file does not keep the others from being read. Without a MANIFEST all tables and logs are read, though
 *          nothing tells which of them are needed.
 */
import type { DirectoryLock } from '../base/environment.ts'
import { CorruptionError, IOError, isOutOfDescriptors, StaleError, VarveError } from '../base/errors.ts'
import { CURRENT, isUsualName, LOCK, logName, manifestName, parseFileName, tableName } from '../base/filename.ts'
import { checkFlag } from '../base/known-options.ts'
import { type FileNumber, sequenceNumber } from '../base/types.ts'
import * as Batch from '../batch/batch-format.ts'
import { promised } from '../db/call-options.ts'
import type { Steps } from '../db/copies/long-runs.ts'
import { LogReplay } from '../db/opening/log-replay.ts'
import { manifestMark } from '../db/opening/manifest-mark.ts'
import { LogReader } from '../log/log-reader.ts'
import { findTable } from '../table/table-file.ts'
import { readCurrent } from '../version/manifest.ts'
import { needsLog, type RecoveredVersion, recoverVersion } from '../version/version-set.ts'
import { type AdminContext, adminContext, databaseNames } from './admin-context.ts'
import type { AdminOptions } from './admin-options.ts'
import type { TableBounds } from './entry-walk.ts'
import { checkedOnly } from './repair-logs.ts'
import { plainMessage, TableCheck, type TableFault } from './table-check.ts'
import { runLocked, runUnlocked, warningsOf } from './under-lock.ts'
import { FileNotes, type Severity, type VerifyReport } from './verify-report.ts'

/** Options of `verify`. */
export interface VerifyOptions extends AdminOptions {
  /**
   * Take no lock: for a directory that this user cannot write to, and nobody else writes to. What seems to be damaged of a database
   * that was written meanwhile is StaleError. Default false.
   */
  readonly readOnly?: boolean | undefined
}

/**
 * Read and check every byte of a database that nobody has open.
 * @returns what was found; damage is no error of the call
 * @throws (rejects with) NotFoundError, LockedError, InvalidArgumentError, AbortedError, IOError; StaleError with `readOnly`
 */
export function verify(directory: string, options: VerifyOptions = {}): Promise<VerifyReport> {
  return promised(() => {
    const context = adminContext('verify', directory, options, ['readOnly'])
    databaseNames(context)
    const { readOnly = false } = options
    checkFlag('verify', 'readOnly', readOnly)
    const run = readOnly ? runUnlocked : runLocked
    return run(context, (lock?: DirectoryLock) => new Verification(context).run(lock), { onlyLooks: true })
  })
}

const SEVERITIES: Readonly<Record<TableFault['kind'], Severity>> = {
  damage: 'damage',
  filter: 'damage',
  unreadable: 'warning',
  stray: 'warning',
}

class Verification {
  readonly #context: AdminContext
  readonly #notes = new Map<string, FileNotes>()
  readonly #startMs: number
  readonly #mark: string | undefined

  constructor(context: AdminContext) {
    this.#context = context
    this.#mark = manifestMark(context.files, context.directory)
    this.#startMs = context.environment.clock.monotonicMs()
  }

  *run(lock: DirectoryLock | undefined): Steps<VerifyReport> {
    const { givenDirectory, environment } = this.#context
    this.#list()
    for (const warning of warningsOf(lock)) this.#notes.get(LOCK)?.add('warning', warning)
    const found = this.#manifest()
    yield* this.#tables(found)
    yield* this.#logs(found)
    for (const notes of this.#notes.values()) noteIdle(notes, found)
    const files = [...this.#notes.values()].map((notes) => notes.finish())
    const findings = files.flatMap((file) => file.findings)
    const isDamaged = findings.some(({ severity }) => severity === 'damage')
    if (isDamaged) this.#checkStill()
    const live = files.filter(({ isLive, kind }) => isLive && (kind === 'table' || kind === 'log'))
    return {
      directory: givenDirectory,
      files,
      findings,
      isDamaged,
      entries: live.reduce((sum, { entries }) => sum + entries, 0),
      bytes: live.reduce((sum, { bytes }) => sum + bytes, 0),
      durationMs: environment.clock.monotonicMs() - this.#startMs,
    }
  }

  /** Files that were going are not damage. @throws StaleError */
  #checkStill(): void {
    const { files, directory, givenDirectory } = this.#context
    if (this.#mark === undefined || manifestMark(files, directory) === this.#mark) return
    throw new StaleError(
      `${givenDirectory} was written while it was verified: verify a checkpoint of it, or close it first`,
    )
  }

  #list(): void {
    const { files, directory } = this.#context
    for (const name of files.list(directory)) {
      const status = files.status(files.join(directory, name))
      const kind = isUsualName(name) ? (parseFileName(name)?.type ?? 'foreign') : 'foreign'
      const notes = new FileNotes(name, kind, status?.bytes ?? 0)
      this.#notes.set(name, notes)
      if (kind !== 'foreign' && status?.kind !== 'file') notes.add('damage', 'not a regular file')
    }
  }

  /** The notes of a file; of one that is missing too. */
  #of(name: string): FileNotes {
    let notes = this.#notes.get(name)
    if (notes === undefined) {
      notes = new FileNotes(name, parseFileName(name)?.type ?? 'foreign', 0)
      this.#notes.set(name, notes)
    }
    notes.isLive = true
    return notes
  }

  #manifest(): RecoveredVersion | undefined {
    const { files, directory, options } = this.#context
    const current = this.#of(CURRENT)
    const number = attempt(current, () => {
      const named = readCurrent(files, directory)
      if (named === undefined) current.add('damage', 'missing')
      return named
    })
    if (number === undefined) return undefined
    const manifest = this.#of(manifestName(number))
    const found = attempt(manifest, () => {
      const file = files.openRandomAccess(files.join(directory, manifest.name))
      try {
        const records = new LogReader(file)
        while (records.next()) manifest.entries++
      } finally {
        file.close()
      }
      return recoverVersion(files, directory, number, options.comparator)
    })
    if (found?.tornAt !== undefined) manifest.add('warning', 'its last record was cut off', found.tornAt)
    return found
  }

  *#tables(found: RecoveredVersion | undefined): Steps<void> {
    const { files, directory, progress } = this.#context
    const live = [...(found?.version.files() ?? [])]
    progress.expect(live.reduce((sum, { file }) => sum + file.bytes, 0))
    for (const { level, file } of live) {
      const name = findTable(files, directory, file.number)?.name
      const notes = this.#of(name ?? tableName(file.number))
      notes.level = level
      if (name === undefined) notes.add('damage', 'missing, though the MANIFEST names it')
      else yield* this.#table(notes, file)
    }
    if (found !== undefined) return
    const tables = [...this.#notes.values()].filter(({ kind }) => kind === 'table')
    progress.expect(tables.reduce((sum, { bytes }) => sum + bytes, 0))
    for (const notes of tables) yield* this.#table(notes, undefined)
  }

  *#table(notes: FileNotes, bounds: (TableBounds & { readonly bytes: number }) | undefined): Steps<void> {
    if (bounds !== undefined && bounds.bytes !== notes.bytes) {
      notes.add('damage', `${notes.bytes} bytes long, and the MANIFEST says ${bounds.bytes}`)
    }
    const { files, directory } = this.#context
    const file = attempt(notes, () => files.openRandomAccess(files.join(directory, notes.name)))
    if (file === undefined) return
    try {
      const facts = yield* new TableCheck(this.#context, notes.name, file).run(bounds)
      notes.entries = facts.entries
      if (facts.isOutOfBounds) notes.add('damage', 'keys outside the bounds that the MANIFEST gives')
      for (const { kind, reason, offset } of facts.faults) notes.add(SEVERITIES[kind], reason, offset)
    } catch (error) {
      if (!(error instanceof IOError)) throw error
      notes.add('damage', error.message)
    } finally {
      file.close()
    }
  }

  /** Read as by an opening, which judges whether a log that ends before its time was torn or is damaged. */
  *#logs(found: RecoveredVersion | undefined): Steps<void> {
    const { files, directory, progress } = this.#context
    const logs = [...this.#notes.values()].filter(
      (notes) => notes.kind === 'log' && (found === undefined || needsLog(found, numberOf(notes))),
    )
    if (found !== undefined && found.logNumber !== 0 && !this.#notes.has(logName(found.logNumber))) {
      this.#of(logName(found.logNumber)).add('damage', 'missing, though the MANIFEST names it')
    }
    progress.expect(logs.reduce((sum, { bytes }) => sum + bytes, 0))
    const lastSequence = sequenceNumber(found?.lastSequence ?? 0)
    let replay = found && new LogReplay(files, directory, 'pointInTime', lastSequence, checkedOnly(this.#context))
    for (const notes of logs.sort((a, b) => numberOf(a) - numberOf(b))) {
      notes.isLive = found !== undefined
      const discarded = replay?.report().discarded.length ?? 0
      attempt(notes, () => this.#countOps(notes, replay !== undefined))
      if (replay !== undefined) {
        const chain = replay
        // Without what is damaged, nobody can tell what should follow it.
        replay = attempt(notes, () => {
          chain.add(numberOf(notes))
          return chain
        })
        for (const { offset, bytes, reason } of chain.report().discarded.slice(discarded)) {
          notes.add('warning', `${reason}; an opening discards the ${bytes} bytes from here on`, offset)
        }
      }
      progress.add(notes.name, notes.bytes)
      yield
    }
  }

  /** @param isJudged whether somebody else says what is wrong with the log */
  #countOps(notes: FileNotes, isJudged: boolean): void {
    const { files, directory } = this.#context
    const file = files.openRandomAccess(files.join(directory, notes.name))
    try {
      const reader = new LogReader(file)
      while (reader.next()) {
        const fault = Batch.batchFault(reader.recordBuf, reader.recordOff, reader.recordLen)
        if (fault !== undefined && !isJudged) notes.add('damage', fault, reader.recordStart)
        if (fault === undefined) notes.entries += Batch.batchCount(reader.recordBuf, reader.recordOff)
      }
      const { fault } = reader
      if (fault !== undefined && fault.kind !== 'room' && !isJudged) notes.add('warning', fault.reason, fault.offset)
    } finally {
      file.close()
    }
  }
}

/** What `look` returns; undefined if it finds something wrong, which becomes a finding. */
function attempt<T>(notes: FileNotes, look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    if (!(error instanceof VarveError) || error.code === 'INVALID_ARGUMENT') throw error
    // Says nothing of the file, which must not be repaired for that.
    if (isOutOfDescriptors(error)) throw error
    const message = error instanceof CorruptionError ? plainMessage(error) : error.message
    notes.add('damage', message, error.offset)
    return undefined
  }
}

function numberOf({ name }: FileNotes): FileNumber {
  return parseFileName(name)!.number
}

/** What can be said of a file that nothing led to. */
function noteIdle(notes: FileNotes, found: RecoveredVersion | undefined): void {
  if (notes.isLive) return
  const { kind } = notes
  if (kind === 'lock' || kind === 'info-log') return
  if (kind === 'foreign') notes.add('note', 'not a file of a database')
  else if (kind === 'temporary') notes.add('note', 'left by a change of CURRENT; the next opening removes it')
  else if (found !== undefined) notes.add('note', 'not needed any more; the next opening removes it')
  else notes.add('note', 'without the MANIFEST nothing tells whether it is needed')
}

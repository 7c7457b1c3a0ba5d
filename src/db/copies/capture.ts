/**
 * Capture: an open database as of one moment, for copying it while writes go on: the tables of a version, which is held; the
 * live logs, which are kept open, each up to the last acknowledged write in it; and what the MANIFEST would say.
 *
 * Range deletes  LevelDB ignores them in a log. So if there are any in memory, it is flushed first. Those that are written during
 *             that flush are left out, with the whole log that they are in: all of it is newer than the moment of the copy.
 *             If the flush fails, the copy has the logs as they are, which varve reads.
 * Invariants  (1) everything is taken in one synchronous step, so tables, logs and counters fit one another
 *             (2) tables stay while the version is held; a log that is removed meanwhile can still be read
 *             (3) it holds every write up to the moment's sequence, and a prefix of those after it
 * Threads     belongs to the database's thread
 */
import { closeQuietly } from '../../base/close-all.ts'
import type { RandomAccessFile } from '../../base/environment.ts'
import { ClosedError, CorruptionError } from '../../base/errors.ts'
import { logName, tableName } from '../../base/filename.ts'
import type { FileNumber, SequenceNumber } from '../../base/types.ts'
import { findTable } from '../../table/table-file.ts'
import type { FileMetadata } from '../../version/file-metadata.ts'
import type { Version } from '../../version/version.ts'
import type { VersionEdit } from '../../version/version-edit.ts'
import type { Engine } from '../engine.ts'
import type { MemTableSlot } from '../read/read-state.ts'

export interface CapturedFile {
  readonly name: string
  readonly file: RandomAccessFile
  /** So much of it belongs to the copy: of a log, what holds acknowledged writes. */
  readonly bytes: number
}

export interface CapturedTable {
  readonly name: string
  readonly path: string
  readonly bytes: number
}

/** When a copy was asked for. */
export class CopyMoment {
  readonly #engine: Engine
  #sequence: SequenceNumber

  constructor(engine: Engine) {
    this.#engine = engine
    this.#sequence = engine.lastSequence
  }

  /** The copy holds at least every write up to this one. */
  get sequence(): SequenceNumber {
    return this.#sequence
  }

  /**
   * It is now.
   * @param wantsFlush whether somebody asked for the flush, and is to know if it fails
   * @param flush writes what is in memory to tables
   * @returns what the copy has to wait for
   */
  begin(wantsFlush: boolean, flush: () => Promise<void>): Promise<void> | undefined {
    this.#sequence = this.#engine.lastSequence
    if (wantsFlush) return flush()
    const { active, immutables } = this.#engine.readState
    return [active, ...immutables].some(hasRangeDeletes) ? flush().catch(() => {}) : undefined
  }
}

function hasRangeDeletes({ table }: MemTableSlot): boolean {
  return table.rangeTombstoneCount > 0
}

export class Capture {
  readonly version: Version
  readonly logs: readonly CapturedFile[]
  /** A number for the copy's manifest, and its records. */
  readonly manifestNumber: FileNumber
  readonly edits: readonly VersionEdit[]
  /** The last sequence that the copy holds. */
  readonly lastSequence: number
  readonly #engine: Engine
  #isReleased = false

  /** @throws ClosedError; ReadOnlyError if an earlier failure stopped the database; IOError, which stops it if it is the log's */
  constructor(engine: Engine, moment: CopyMoment) {
    this.#engine = engine
    this.check()
    engine.health.check()
    flushLog(engine)
    const leftOut = firstLeftOut(engine, moment)
    this.logs = openLogs(engine, leftOut?.log.number)
    this.manifestNumber = engine.newFileNumber()
    this.edits = engine.versions.copyOfManifest()
    this.lastSequence = leftOut === undefined ? engine.lastSequence : leftOut.firstSequence - 1
    this.version = engine.readState.version
    engine.hold(this.version)
  }

  /** The tables, level by level. @throws CorruptionError if one is missing */
  *tables(): Generator<CapturedTable, void, void> {
    for (const { file } of this.version.files()) yield this.#table(file)
  }

  /** After a file was opened or linked. @throws ClosedError if it may be another opener's, since the database is closed; IOError if another directory's */
  check(): void {
    if (this.#engine.isReleased) throw closedBeforeCopied()
    this.#engine.place.check()
  }

  /** Let go of the version and the logs; once or several times. */
  release(): void {
    if (this.#isReleased) return
    this.#isReleased = true
    closeLogs(this.logs)
    if (!this.#engine.isReleased) this.#engine.unhold(this.version)
  }

  #table({ number, bytes }: FileMetadata): CapturedTable {
    const { place } = this.#engine
    const found = findTable(place.files, place.path, number)
    if (found === undefined) {
      place.check()
      throw new CorruptionError('table is missing', { file: place.join(tableName(number)) })
    }
    return { name: found.name, path: found.path, bytes }
  }
}

/** What a copy is told that had not come to its end. */
export function closedBeforeCopied(): ClosedError {
  return new ClosedError('the database was closed before it had been copied')
}

/** Acknowledged writes may still be in the log's buffer. */
function flushLog({ log, health }: Engine): void {
  try {
    log.flush()
  } catch (error) {
    health.poison(error as Error)
    throw error
  }
}

/** The oldest MemTable that holds range deletes and nothing but writes that came after the moment. */
function firstLeftOut({ readState }: Engine, { sequence }: CopyMoment): MemTableSlot | undefined {
  const { active, immutables } = readState
  return [active, ...immutables].findLast((slot) => hasRangeDeletes(slot) && slot.firstSequence > sequence)
}

/** @param leftOut the log that is captured as an empty one, since the MANIFEST may name it, and those after it not at all */
function openLogs(engine: Engine, leftOut: FileNumber | undefined): CapturedFile[] {
  const { files } = engine.environment
  const logs: CapturedFile[] = []
  try {
    for (const { number, bytes } of engine.log.acknowledged()) {
      if (leftOut !== undefined && number > leftOut) break
      const name = logName(number)
      const file = files.openRandomAccess(files.join(engine.directory, name))
      logs.push({ name, file, bytes: number === leftOut ? 0 : bytes })
    }
  } catch (error) {
    closeLogs(logs)
    throw error
  }
  return logs
}

function closeLogs(logs: readonly CapturedFile[]): void {
  closeQuietly(...logs.map((log) => () => log.file.close()))
}

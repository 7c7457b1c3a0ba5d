/**
 * Recovery: from the files of a directory to a database that can be read and written.
 *
 *   CURRENT → MANIFEST → tables are there, with the right size → every log not yet in tables, oldest first, through a
 *   MemTable, to new tables → new log → new MANIFEST, which names all of it → CURRENT → remove what is obsolete
 *
 * Invariants  (1) nothing is changed before CURRENT and MANIFEST have been found good
 *             (2) nothing is appended to a file that was found; replayed data is in new, synced tables before the database
 *                 opens, since a failed fsync may have left in the page cache what is not on the disk (rules D9, D15)
 *             (3) a crash at any point leaves the old MANIFEST and all that it needs, or the new one and all that it needs
 * A read-only opening stops after the replay, with the replayed data in MemTables, and changes nothing at all.
 */

import { closeQuietly } from '../../base/close-all.ts'
import type { FileSystem } from '../../base/environment.ts'
import { CorruptionError } from '../../base/errors.ts'
import { baseName, isUsualName, logName, logNumbers, parseFileName, tableName } from '../../base/filename.ts'
import {
  type FileNumber,
  fileNumber,
  MAX_NAMED_FILE_NUMBER,
  MAX_SEQUENCE,
  MIN_NUMBERS_LEFT,
  type SequenceNumber,
  sequenceNumber,
} from '../../base/types.ts'
import type { MemTable } from '../../memtable/memtable.ts'
import { findTable } from '../../table/table-file.ts'
import type { FileMetadata } from '../../version/file-metadata.ts'
import { readCurrent } from '../../version/manifest.ts'
import { needsLog, type RecoveredVersion, recoverVersion, VersionSet } from '../../version/version-set.ts'
import type { FlushSurroundings } from '../background/flush-plan.ts'
import { copyFileSteps } from '../copies/copy-file.ts'
import { runNow } from '../copies/long-runs.ts'
import type { ResolvedOptions } from '../options.ts'
import { newMemTable, recycleMemTable } from '../write/new-memtable.ts'
import type { WriteAheadLog } from '../write/write-ahead-log.ts'
import { LogReplay, type ReplayReport } from './log-replay.ts'
import type { Discarded, RecoveryInfo } from './recovery-info.ts'
import { ReplaySink } from './replay-sink.ts'

/** A MANIFEST is replaced once it is longer than a fourth of a full table, or than 4 MiB. */
const MANIFEST_PART = 4
const MANIFEST_BYTES_MAX = 4 * 1024 * 1024

/** What recovery hands to the engine. */
interface Recovered {
  readonly versions: VersionSet
  /** MemTables with replayed data, newest first; only for a read-only opening. */
  readonly memtables: readonly MemTable[]
  /** The new, empty log that the MANIFEST now names; 0 for a read-only opening. */
  readonly logNumber: FileNumber
  readonly lastSequence: SequenceNumber
  readonly info: RecoveryInfo
}

/** Recover a database, with a MemTable to go on with. If that fails, the log is closed. @throws as Recovery.run */
export function recoverInto(
  log: WriteAheadLog,
  directory: string,
  options: ResolvedOptions,
): Recovered & { readonly active: MemTable } {
  const active = newMemTable(options, 0)
  try {
    const recovered = new Recovery(directory, options).run((number, sequence) => log.rotate(number, sequence))
    // The log was there when the directory was synced for the sake of the new MANIFEST.
    log.namesAreDurable()
    return { ...recovered, active }
  } catch (error) {
    closeQuietly(() => log.close())
    recycleMemTable(active)
    throw error
  }
}

class Recovery {
  readonly #directory: string
  readonly #options: ResolvedOptions
  readonly #files: FileSystem
  readonly #startMs: number

  constructor(directory: string, options: ResolvedOptions) {
    this.#directory = directory
    this.#options = options
    this.#files = options.environment.files
    this.#startMs = options.environment.clock.monotonicMs()
  }

  /**
   * @param beginLog creates the new log, with the sequence its first batch will have
   * @throws CorruptionError, IOError, InvalidArgumentError (another comparator)
   */
  run(beginLog: (number: FileNumber, sequence: SequenceNumber) => void): Recovered {
    const { comparator, readOnly, maxFileBytes } = this.#options
    const found = this.#find()
    const manifestBytes = Math.min(maxFileBytes / MANIFEST_PART, MANIFEST_BYTES_MAX)
    const versions = new VersionSet(this.#files, this.#directory, comparator, found, manifestBytes)
    const names = this.#files.list(this.#directory)
    for (const name of names) {
      const number = parseFileName(name)?.number ?? fileNumber(0)
      if (number <= MAX_NAMED_FILE_NUMBER) versions.numbers.skipPast(number)
    }
    const sink = new ReplaySink(this.#directory, this.#options, {
      levels: () => versions.current.levels,
      newFileNumber: () => versions.newFileNumber(),
      surroundings: ALONE,
    })
    const report = this.#replay(names, found, sink)
    const logNumber = readOnly ? fileNumber(0) : versions.newFileNumber()
    if (!readOnly) {
      if (this.#options.recovery === 'salvage') this.#keepLost(report.discarded)
      beginLog(logNumber, sequenceNumber(report.lastSequence + 1))
      versions.startManifest({ logNumber, lastSequence: report.lastSequence, ...sink.change })
    }
    const info: RecoveryInfo = {
      created: found === undefined,
      logs: report.logs,
      entries: report.logs.reduce((sum, log) => sum + log.entries, 0),
      tablesWritten: sink.writtenCount,
      discarded: report.discarded,
      manifestTornAt: found?.tornAt,
      lastSequence: report.lastSequence,
      durationMs: this.#options.environment.clock.monotonicMs() - this.#startMs,
    }
    return { versions, memtables: sink.memtables, logNumber, lastSequence: report.lastSequence, info }
  }

  #find(): RecoveredVersion | undefined {
    const manifest = readCurrent(this.#files, this.#directory)
    if (manifest === undefined) return undefined
    const found = recoverVersion(this.#files, this.#directory, manifest, this.#options.comparator)
    for (const { file } of found.version.files()) this.#checkTable(file)
    return found
  }

  /** A table that the MANIFEST names is there, and as long as it says. */
  #checkTable(file: FileMetadata): void {
    const found = findTable(this.#files, this.#directory, file.number)
    if (found === undefined) {
      throw new CorruptionError(`table ${file.number} is missing`, {
        file: this.#files.join(this.#directory, tableName(file.number)),
      })
    }
    const { path, status } = found
    if (status.kind !== 'file') throw new CorruptionError('table is not a regular file', { file: path })
    if (status.bytes !== file.bytes) {
      throw new CorruptionError(`table has ${status.bytes} bytes, the MANIFEST says ${file.bytes}`, { file: path })
    }
  }

  #replay(names: readonly string[], found: RecoveredVersion | undefined, sink: ReplaySink): ReplayReport {
    const { recovery } = this.#options
    const lastSequence = found?.lastSequence ?? sequenceNumber(0)
    const replay = new LogReplay(this.#files, this.#directory, recovery, lastSequence, sink)
    if (found === undefined) return replay.report()
    const logs = logNumbers(names.filter(isUsualName)).filter((number) => needsLog(found, number))
    if (found.logNumber !== 0 && !logs.includes(found.logNumber) && recovery !== 'salvage') {
      const file = this.#files.join(this.#directory, logName(found.logNumber))
      throw new CorruptionError(`log ${found.logNumber} is missing, though the MANIFEST names it`, { file })
    }
    try {
      for (const number of logs) replay.add(number)
      sink.finish()
      if (!this.#options.readOnly) checkRoom(replay.report().lastSequence, this.#directory)
    } catch (error) {
      sink.removeTables()
      throw error
    }
    return replay.report()
  }

  /** Logs with discarded bytes are an operator's to look at: copies go to lost/, before the MANIFEST lets go of them. */
  #keepLost(discarded: readonly Discarded[]): void {
    if (discarded.length === 0) return
    const lost = this.#files.join(this.#directory, 'lost')
    this.#files.makeDirectory(lost)
    for (const { file } of discarded) {
      const copy = this.#files.join(lost, baseName(file))
      // What an earlier try left.
      if (this.#files.status(copy) !== undefined) this.#files.remove(copy)
      runNow(copyFileSteps(this.#files, file, copy))
    }
    this.#files.syncDirectory(lost)
  }
}

/** @throws CorruptionError unless a database can go on after this sequence number */
export function checkRoom(lastSequence: number, directory: string): void {
  if (lastSequence <= MAX_SEQUENCE - MIN_NUMBERS_LEFT) return
  const message = `no sequence numbers are left for writes: ${lastSequence} has been used`
  throw new CorruptionError(message, { file: directory })
}

/** Before the opening there are no snapshots, and no other jobs. */
const ALONE: FlushSurroundings = { busy: new Set(), oldestSnapshot: undefined }

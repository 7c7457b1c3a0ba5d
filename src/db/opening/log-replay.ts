/**
 * Replaying the write-ahead logs that a database was left with, and judging where they stop.
 *
 * What survives is a prefix of the commit order, in whole batches. The logs are read oldest first, up to the first place
 * that is not a well-formed continuation: the cut. Nothing after the cut is used, in this log or a newer one.
 *
 * Torn or damaged?  A marker (write-ahead-log.ts) after the cut proves that what lies before it had been durable: then the
 *                   cut is damage. Without such a proof the bytes after it may never have been acknowledged as durable,
 *                   and a crash may have torn them. A log that another program wrote has no markers; there a readable
 *                   record after the cut, in the same log, makes it damage.
 * What follows      damage is refused; what is torn is discarded and reported (`strict` refuses it too, `salvage` discards
 *                   both and keeps the logs in lost/)
 * Sequences         batches of a log that varve wrote follow one another without a gap, also across logs and after the
 *                   MANIFEST: so a log that is missing or cut short at a record's end is noticed
 * Source            reliability rules D13, D16, D18
 */

import type { FileSystem, RandomAccessFile } from '../../base/environment.ts'
import { CorruptionError } from '../../base/errors.ts'
import { logName } from '../../base/filename.ts'
import type { Bytes, FileNumber, SequenceNumber } from '../../base/types.ts'
import * as Batch from '../../batch/batch-format.ts'
import { LogReader } from '../../log/log-reader.ts'
import { runNow, type Steps } from '../copies/long-runs.ts'
import type { RecoveryMode } from '../options.ts'
import type { Discarded, ReplayedLog } from './recovery-info.ts'

/** The least that a disk writes or loses. */
const SECTOR_BYTES = 512

/** Of a log, in one step. */
const STEP_BYTES = 256 * 1024

/** Where batches go. */
export interface ReplayTarget {
  /** What about a well-formed batch makes no sense in this database, or undefined. */
  fault(bytes: Bytes, offset: number, length: number): string | undefined
  /** The well-formed batch of which `fault` has just found nothing wrong; the bytes are borrowed. */
  replay(bytes: Bytes, offset: number, length: number): void
}

export interface ReplayReport {
  readonly logs: readonly ReplayedLog[]
  readonly discarded: readonly Discarded[]
  /** The last sequence that was replayed, or the one given. */
  readonly lastSequence: SequenceNumber
}

export class LogReplay {
  readonly #files: FileSystem
  readonly #directory: string
  readonly #mode: RecoveryMode
  readonly #target: ReplayTarget
  readonly #logs: ReplayedLog[] = []
  readonly #discarded: Discarded[] = []
  /** The newest sequence that is in tables or was replayed. */
  #lastSequence: SequenceNumber
  /** The newest sequence that was replayed; 0 before the first. */
  #replayed = 0
  #logsSeen = 0
  #isCut = false

  /** @param lastSequence the last sequence that is in tables */
  constructor(
    files: FileSystem,
    directory: string,
    mode: RecoveryMode,
    lastSequence: SequenceNumber,
    target: ReplayTarget,
  ) {
    this.#files = files
    this.#directory = directory
    this.#mode = mode
    this.#lastSequence = lastSequence
    this.#target = target
  }

  /**
   * Replay one log; the caller gives them oldest first.
   * @throws CorruptionError for damage (unless `salvage`), or in `strict` mode for any cut; IOError if a log cannot be read
   */
  add(number: FileNumber): void {
    runNow(this.steps(number))
  }

  /** As add, in steps. */
  *steps(number: FileNumber): Steps<void> {
    const file = this.#files.openRandomAccess(this.#files.join(this.#directory, logName(number)))
    try {
      if (this.#isCut) this.#skip(file, 'an older log ends before its time')
      else yield* this.#read(number, file)
    } finally {
      file.close()
    }
    this.#logsSeen++
  }

  report(): ReplayReport {
    return { logs: this.#logs, discarded: this.#discarded, lastSequence: this.#lastSequence }
  }

  *#read(number: FileNumber, file: RandomAccessFile): Steps<void> {
    const reader = new LogReader(file)
    const log = { number, bytes: file.bytes, batches: 0, entries: 0 }
    let isOurs = false
    let fault: string | undefined
    let stepLimit = STEP_BYTES
    while (fault === undefined && reader.next()) {
      if (reader.recordStart === 0) {
        isOurs = isMarker(reader)
        if (isOurs && this.#startsTooLate(file, Batch.batchSequence(reader.recordBuf, reader.recordOff))) return
      }
      fault = this.#replay(reader, isOurs, log)
      if (reader.recordStart < stepLimit) continue
      stepLimit = reader.recordStart + STEP_BYTES
      yield
    }
    this.#logs.push(log)
    if (fault !== undefined) this.#cut(file, reader, { offset: reader.recordStart, reason: fault }, isOurs)
    else if (reader.fault !== undefined && reader.fault.kind !== 'room') this.#cut(file, reader, reader.fault, isOurs)
  }

  /** @returns why the record that the reader is at cannot come next, or undefined if it was replayed */
  #replay(reader: LogReader, isOurs: boolean, log: { batches: number; entries: number }): string | undefined {
    const { recordBuf, recordOff, recordLen } = reader
    const fault =
      Batch.batchFault(recordBuf, recordOff, recordLen) ?? this.#target.fault(recordBuf, recordOff, recordLen)
    if (fault !== undefined) return fault
    const count = Batch.batchCount(recordBuf, recordOff)
    const sequence = Batch.batchSequence(recordBuf, recordOff)
    if (isOurs && sequence !== this.#lastSequence + 1)
      return `batch ${sequence} comes after sequence ${this.#lastSequence}`
    if (count === 0) return undefined
    // LevelDB leaves gaps after failed writes, and its MANIFEST may be ahead of its logs; but it never goes back.
    if (sequence <= this.#replayed) return `batch ${sequence} comes after sequence ${this.#replayed}`
    this.#target.replay(recordBuf, recordOff, recordLen)
    this.#replayed = sequence + count - 1
    this.#lastSequence = Math.max(this.#lastSequence, this.#replayed) as SequenceNumber
    log.batches++
    log.entries += count
    return undefined
  }

  /** Whether the end of the log before this one is missing, or a whole log is; this one is then not used. */
  #startsTooLate(file: RandomAccessFile, sequence: SequenceNumber): boolean {
    if (sequence === this.#lastSequence + 1) return false
    const reason = `log starts at sequence ${sequence}, but what comes before it ends at ${this.#lastSequence}`
    const mayBeTorn = this.#logsSeen > 0 && sequence > this.#lastSequence
    if (this.#mode === 'strict' || (this.#mode === 'pointInTime' && !mayBeTorn)) {
      throw new CorruptionError(reason, { file: file.path, offset: 0 })
    }
    this.#isCut = true
    this.#skip(file, reason)
    return true
  }

  /** Everything from the fault on is not used; decide whether that may be. */
  #cut(file: RandomAccessFile, reader: LogReader, fault: { offset: number; reason: string }, isOurs: boolean): void {
    this.#isCut = true
    const { offset, reason } = fault
    const details = { file: file.path, offset }
    if (this.#mode === 'strict') throw new CorruptionError(`log cannot be read to its end: ${reason}`, details)
    const proof = this.#mode === 'salvage' ? -1 : this.#proofAfter(reader, offset, isOurs)
    if (proof >= 0) {
      throw new CorruptionError(
        `log is damaged: ${reason}, though byte ${proof} shows that it had been written`,
        details,
      )
    }
    this.#discarded.push({ file: file.path, offset, bytes: file.bytes - offset, reason })
  }

  /** Offset of what proves that the bytes at `offset` had been written, or −1. */
  #proofAfter(reader: LogReader, offset: number, isOurs: boolean): number {
    const marker = this.#markerAfter(reader, offset)
    if (marker >= 0 || isOurs) return marker
    const record = recordAfter(reader, offset)
    // Without a readable first record nothing tells whose log it is, and a crash may have torn one of ours there; but it
    // tears whole sectors, so a record that begins in the same one shows that the sector had been written.
    return offset > 0 || record < SECTOR_BYTES ? record : -1
  }

  /** A log newer than the cut: it must not prove that what is missing had been durable. */
  #skip(file: RandomAccessFile, reason: string): void {
    const proof = this.#mode === 'salvage' ? -1 : this.#markerAfter(new LogReader(file), 0)
    if (proof >= 0) {
      const message = `${reason}, though byte ${proof} shows that what is missing had been durable`
      throw new CorruptionError(message, { file: file.path, offset: proof })
    }
    this.#discarded.push({ file: file.path, offset: 0, bytes: file.bytes, reason })
  }

  /** Offset of a marker that proves durability (any but a file's first record), or −1. */
  #markerAfter(reader: LogReader, offset: number): number {
    // A sequence far off is no marker of this history, but a value that looks like one.
    const limit = this.#lastSequence + 2 ** 32
    return reader.findRecordAfter(offset + 1, (bytes, start, length) => {
      if (length !== Batch.HEADER_BYTES || Batch.batchCount(bytes, start) !== 0) return false
      const sequence = Batch.batchSequence(bytes, start)
      // What comes before its sequence had been durable: of that, something is missing only if it is more than was replayed.
      return sequence > this.#lastSequence + 1 && sequence < limit
    })
  }
}

/** A sound batch of no ops. */
function isMarker({ recordBuf, recordOff, recordLen }: LogReader): boolean {
  return Batch.batchFault(recordBuf, recordOff, recordLen) === undefined && Batch.batchCount(recordBuf, recordOff) === 0
}

/** Offset of a readable batch after `offset`, or −1. */
function recordAfter(reader: LogReader, offset: number): number {
  return reader.findRecordAfter(
    offset + 1,
    (bytes, start, length) => Batch.batchFault(bytes, start, length) === undefined,
  )
}

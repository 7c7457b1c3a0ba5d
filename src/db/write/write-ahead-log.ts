/**
 * WriteAheadLog: the log files that hold what is in MemTables and not yet in tables; one file a MemTable.
 *
 * Markers     An empty batch is skipped by every LevelDB. As the first record of a file it says "written by varve"; any
 *             later one says "everything before me, in this file and in all older ones, had been made durable". It is
 *             written in front of the first batch after a successful fdatasync, so it costs no write of its own, and lets
 *             recovery tell a torn tail from damage. Its sequence is that of the batch behind it.
 * Names       Creating a file does not sync its directory, which can take tens of milliseconds while tables are written: the
 *             first sync of the file does, and the flush of the MemTable before it. A crash that loses the name loses
 *             nothing that was durable, and recovery takes a missing log for the end of the history. One that a failed sync may have
 *             lost (database-directory.ts) is made anew: the file gets another number.
 * Room        What is synced for the second time is likely to be synced again: it gets room for that (log/log-room.ts).
 * Invariants  (1) a file's directory entry is durable before anything in it is acknowledged as durable, and before the
 *                 MANIFEST names the file (rule D1)
 *             (2) older files are durable before a newer one is made so: no hole survives a crash (rule D4)
 *             (3) records are handed to the operating system in commit order, across files
 *             (4) after any failure the log takes nothing more (rules D8, D10); but that a file could not be created is none
 * Threads     belongs to the database's thread
 */

import { closeAll } from '../../base/close-all.ts'
import type { WritableFile } from '../../base/environment.ts'
import { isOutOfDescriptors } from '../../base/errors.ts'
import { logName } from '../../base/filename.ts'
import type { Bytes, FileNumber, SequenceNumber } from '../../base/types.ts'
import * as Batch from '../../batch/batch-format.ts'
import { ROOM_FOR_BYTES } from '../../log/log-room.ts'
import { LogWriter } from '../../log/log-writer.ts'
import type { DatabaseDirectory } from '../opening/database-directory.ts'

/** What a file is called now. One whose name is durable keeps it. */
export interface LogName {
  readonly number: FileNumber
}

interface LogFile {
  number: FileNumber
  readonly writer: LogWriter
  /** Whether the directory entry is known to be durable. */
  isNamed: boolean
  /** How many syncs of the directory had failed before it got its name. */
  namedAfter: number
  /** Bytes whose writes have been acknowledged. */
  acknowledgedBytes: number
  /** Bytes known to be durable. */
  syncedBytes: number
}

/** A file that has been created, and is no part of the log yet. */
export interface NewLog {
  readonly number: FileNumber
  readonly namedAfter: number
  readonly file: WritableFile
}

export class WriteAheadLog {
  readonly #directory: DatabaseDirectory
  readonly #markers: boolean
  readonly #newNumber: () => FileNumber
  /** Oldest first; the last one is being written, the others are complete. */
  readonly #logs: LogFile[] = []
  readonly #marker: Uint8Array<ArrayBuffer> = new Uint8Array(Batch.HEADER_BYTES)
  #markerDue = false
  /** Bytes of the files that are gone. */
  #droppedBytes = 0

  /** @param newNumber gives one that no file has had */
  constructor(directory: DatabaseDirectory, markers: boolean, newNumber: () => FileNumber) {
    this.#directory = directory
    this.#markers = markers
    this.#newNumber = newNumber
  }

  /** The file being written. */
  get number(): FileNumber {
    return this.#active.number
  }

  /** Numbers and sizes of the live files, oldest first. */
  list(): { readonly number: FileNumber; readonly bytes: number; readonly syncedBytes: number }[] {
    return this.#logs.map(({ number, writer, syncedBytes }) => ({ number, bytes: writer.bytes, syncedBytes }))
  }

  /**
   * Numbers of the live files, oldest first, each with the bytes that hold acknowledged writes; all of it, for a complete one.
   * Once `flush` has returned, so much is in the files.
   */
  acknowledged(): { readonly number: FileNumber; readonly bytes: number }[] {
    return this.#logs.map(({ number, writer, acknowledgedBytes }, i) => {
      const isComplete = i < this.#logs.length - 1
      return { number, bytes: isComplete ? writer.bytes : acknowledgedBytes }
    })
  }

  /** Bytes accepted and not yet handed to the operating system. */
  get bufferedBytes(): number {
    return this.#logs.length === 0 ? 0 : this.#active.writer.bufferedBytes
  }

  /** Begin a new file, whose first batch will have `sequence`. The file before it is complete. */
  rotate(number: FileNumber, sequence: SequenceNumber): void {
    this.complete()
    this.begin(this.create(number), sequence)
  }

  /** Before a file is created: what was added is handed over, and the directory is the one that was opened. @throws IOError, finally */
  complete(): void {
    if (this.#logs.length > 0) this.#active.writer.flush()
    this.#directory.check()
  }

  /** The next file. @throws IOError; the log goes on as it was then, since an empty file says nothing to recovery */
  create(number: FileNumber): NewLog {
    const { files, failures: namedAfter } = this.#directory
    return { number, namedAfter, file: files.createWritable(this.#pathOf(number)) }
  }

  /** Go on in a file that was created, where the first batch will have `sequence`. */
  begin({ number, namedAfter, file }: NewLog, sequence: SequenceNumber): LogName {
    const writer = new LogWriter(file)
    const log: LogFile = { number, writer, isNamed: false, namedAfter, acknowledgedBytes: 0, syncedBytes: 0 }
    this.#logs.push(log)
    if (!this.#markers) return log
    // A file's first record proves nothing: what is due follows it.
    this.#addMarker(sequence)
    writer.flush()
    return log
  }

  /** Make the names of all files durable. @throws IOError; but where nothing came of it, the log takes nothing more then */
  syncNames(): void {
    if (this.#logs.every((log) => log.isNamed)) return
    this.#directory.makeDurable(() => {
      this.renewNames()
      try {
        this.#directory.sync()
      } catch (error) {
        if (!isOutOfDescriptors(error)) this.fail(error)
        throw error
      }
    })
    this.namesAreDurable()
  }

  /**
   * Files whose names a failed sync of the directory may have lost get others, which the next one makes durable. The newest first, and
   * each before the next is begun: whatever a crash leaves, their numbers are in order.
   * @throws IOError; nothing is lost then, and what is not done yet can be done later
   */
  renewNames(): void {
    const unnamed = this.#logs.filter((log) => !log.isNamed)
    for (;;) {
      const { failures } = this.#directory
      if (unnamed.every(({ namedAfter }) => namedAfter === failures)) return
      this.#directory.check()
      const numbers = unnamed.map(() => this.#newNumber())
      // A sync that fails on another thread meanwhile may have lost some of these again.
      for (let i = unnamed.length - 1; i >= 0 && failures === this.#directory.failures; i--) {
        const log = unnamed[i]
        this.#rename(this.#pathOf(log.number), this.#pathOf(numbers[i]))
        log.number = numbers[i]
        log.namedAfter = failures
        if (i === 0) continue
        this.#directory.sync()
        this.#directory.settle()
      }
    }
  }

  /** The directory has been synced since the file `newest`, or the last one, got its name; and no sync has failed in between. */
  namesAreDurable(newest: number = Number.POSITIVE_INFINITY): void {
    for (const log of this.#logs) log.isNamed ||= log.number <= newest
  }

  /** Add the batch bytes[offset, offset + length) to the buffer. */
  add(bytes: Bytes, offset: number, length: number, sequence: SequenceNumber): void {
    if (this.#markerDue) {
      this.#addMarker(sequence)
      this.#markerDue = false
    }
    this.#active.writer.add(bytes, offset, length)
  }

  /** Everything that was added until now is being acknowledged. */
  acknowledge(): void {
    const log = this.#active
    log.acknowledgedBytes = log.writer.bytes
  }

  /** Whether an acknowledged write may not survive power loss. */
  get hasUndurable(): boolean {
    return this.#logs.some((log) => log.acknowledgedBytes > log.syncedBytes)
  }

  /** Hand the buffer to the operating system. */
  flush(): void {
    this.#active.writer.flush()
  }

  /** Make everything durable, oldest first. */
  sync(): void {
    this.syncNames()
    for (const log of this.#logs) {
      log.writer.flush()
      if (log === this.#active) this.#makeRoom()
      if (log.syncedBytes === log.writer.bytes) continue
      const bytes = log.writer.bytes
      log.writer.sync()
      log.syncedBytes = bytes
    }
    this.#markerDue = this.#markers
  }

  /** Make durable what was added until now. Older files first, here; the one being written off this thread. */
  syncLater(): Promise<void> {
    const active = this.#active
    this.syncNames()
    for (const log of this.#logs) {
      if (log === active || log.syncedBytes === log.writer.bytes) continue
      log.writer.sync()
      log.syncedBytes = log.writer.bytes
    }
    this.flush()
    this.#makeRoom()
    return active.writer.syncLater()
  }

  /** A syncLater that covered the file `number` up to `bytes` has succeeded. */
  synced(number: FileNumber, bytes: number): void {
    const log = this.#logs.find((candidate) => candidate.number === number)
    if (log === undefined) return
    log.syncedBytes = Math.max(log.syncedBytes, bytes)
    // A synchronous writer may have added more meanwhile, which this sync says nothing about.
    if (log === this.#active && log.syncedBytes === log.writer.bytes) this.#markerDue = this.#markers
  }

  /** Bytes of the file being written. */
  get bytes(): number {
    return this.#active.writer.bytes
  }

  /** Bytes written since the opening. */
  get writtenBytes(): number {
    return this.#logs.reduce((sum, { writer }) => sum + writer.bytes, this.#droppedBytes)
  }

  /** Close the files below `number`: what they hold is in tables. */
  dropBelow(number: FileNumber): void {
    const kept = this.#logs.findIndex((log) => log.number >= number)
    const dropped = this.#logs.splice(0, kept)
    for (const { writer } of dropped) this.#droppedBytes += writer.bytes
    closeLogs(dropped)
  }

  /** The file being written could not be made durable: take no more. */
  fail(error: unknown): void {
    this.#active.writer.fail(error)
  }

  /** Close all files. @throws the first error, after all were tried */
  close(): void {
    closeLogs(this.#logs.splice(0))
  }

  /** Whether it takes nothing more. */
  get hasFailed(): boolean {
    return this.#active.writer.hasFailed
  }

  get #active(): LogFile {
    return this.#logs[this.#logs.length - 1]
  }

  #rename(from: string, to: string): void {
    const { files } = this.#directory
    try {
      files.rename(from, to)
    } catch (error) {
      // A network file system may have done what it could not answer for.
      if (files.status(from) !== undefined || files.status(to) === undefined) throw error
    }
  }

  #pathOf(number: FileNumber): string {
    return this.#directory.join(logName(number))
  }

  /** Before a sync, behind all that was added: one of a file that has been synced before is not the last one. */
  #makeRoom(): void {
    const { writer, syncedBytes } = this.#active
    const unsynced = writer.bytes - syncedBytes
    if (syncedBytes > 0 && unsynced > 0 && unsynced <= ROOM_FOR_BYTES) writer.makeRoom()
  }

  #addMarker(sequence: SequenceNumber): void {
    Batch.writeHeader(this.#marker, 0, sequence, 0)
    const { writer } = this.#active
    // Recovery looks for whole fragments, so one that a block's end splits is followed by another.
    const isSplit = writer.splits(this.#marker.length)
    writer.add(this.#marker, 0, this.#marker.length)
    if (isSplit) writer.add(this.#marker, 0, this.#marker.length)
  }
}

/** @throws the first error, after all were tried */
function closeLogs(logs: readonly LogFile[]): void {
  closeAll(
    logs.map(
      ({ writer }) =>
        () =>
          writer.close(),
    ),
  )
}

/**
 * LogWriter: frames records into a log file. `add` frames into a buffer, `flush` hands the buffer to the operating
 * system in one write, `sync` makes it durable; so one group of records costs one write(2).
 *
 * Invariants  (1) the file and the buffer together are a well-formed log (log-format.ts)
 *             (2) after a failed flush or sync an unknown part is in the file: the writer refuses everything from then on
 * Threads     belongs to the database's thread
 * Source      google/leveldb db/log_writer.cc
 */
import { copyBytes, EMPTY, grown, viewOf } from '../base/bytes.ts'
import { putFixed32 } from '../base/coding.ts'
import { copyWithCrc32c, crc32c, maskCrc } from '../base/crc32c.ts'
import type { WritableFile } from '../base/environment.ts'
import { IOError } from '../base/errors.ts'
import type { Bytes } from '../base/types.ts'
import { BLOCK_BYTES, FIRST, FULL, HEADER_BYTES, LAST, MIDDLE } from './log-format.ts'
import { roomLimit } from './log-room.ts'

/** A MANIFEST needs no more, and a log soon has what its groups take. */
const INITIAL_BUFFER_BYTES = 4 * 1024
/** A buffer grown for a large record is not kept beyond this. */
const KEPT_BUFFER_BYTES = 4 * 1024 * 1024
/** Up to here a fragment is copied and checksummed in one pass. */
const ONE_PASS_BYTES = 512

export class LogWriter {
  readonly #file: WritableFile
  #buffer: Uint8Array<ArrayBuffer> = new Uint8Array(INITIAL_BUFFER_BYTES)
  #view: DataView = viewOf(this.#buffer)
  /** Where the last short fragment came from, and a view of it: the next one comes from there as well, as a rule. */
  #source: Bytes = EMPTY
  #sourceView: DataView = viewOf(EMPTY)
  #buffered = 0
  #flushed = 0
  /** Offset in the current block, of the file and the buffer together. */
  #blockOffset = 0
  /** What failed; nothing is taken any more then. */
  #failure: Error | undefined = undefined
  /** Where the file ends that was made longer; 0 if it was not. */
  #roomLimit = 0

  /** @param file newly created and empty; the writer owns it from now on */
  constructor(file: WritableFile) {
    this.#file = file
  }

  /** Bytes of the log, buffered ones included. */
  get bytes(): number {
    return this.#flushed + this.#buffered
  }

  /** Bytes that `flush` would write. */
  get bufferedBytes(): number {
    return this.#buffered
  }

  /** Whether a record of `length` bytes, added now, would be split at the end of a block. */
  splits(length: number): boolean {
    const left = BLOCK_BYTES - this.#blockOffset
    return left >= HEADER_BYTES && left < HEADER_BYTES + length
  }

  /** Frame bytes[offset, offset + length) as one record, into the buffer. */
  add(bytes: Bytes, offset: number, length: number): void {
    this.#reserve(length)
    let at = offset
    let left = length
    let type = FULL
    do {
      this.#padBlock()
      const room = BLOCK_BYTES - this.#blockOffset - HEADER_BYTES
      const fragment = left < room ? left : room
      const isLast = fragment === left
      if (type === FULL) type = isLast ? FULL : FIRST
      else type = isLast ? LAST : MIDDLE
      this.#emit(type, bytes, at, fragment)
      at += fragment
      left -= fragment
    } while (left > 0)
  }

  /**
   * Hand what is buffered to the operating system.
   * @throws IOError; the log must not be used any more then
   */
  flush(): void {
    this.#check()
    if (this.#buffered === 0) return
    try {
      this.#file.append(this.#buffer, 0, this.#buffered)
    } catch (error) {
      this.fail(error)
      throw error
    }
    this.#flushed += this.#buffered
    this.#buffered = 0
    if (this.#buffer.length > KEPT_BUFFER_BYTES) this.#use(new Uint8Array(INITIAL_BUFFER_BYTES))
    if (this.#source.length > KEPT_BUFFER_BYTES) this.#comeFrom(EMPTY)
  }

  /** Flush, and make all of it durable. Errors as for flush. */
  sync(): void {
    this.flush()
    try {
      this.#file.sync()
    } catch (error) {
      this.fail(error)
      throw error
    }
  }

  /** Flush now, and make durable off this thread what was added until now; the caller reports a failure with `fail`. */
  syncLater(): Promise<void> {
    this.flush()
    return this.#file.syncLater()
  }

  /** Make the file longer than what is in it, if it is not yet: the next syncs are going to be faster (log-room.ts). */
  makeRoom(): void {
    if (this.bytes < this.#roomLimit || this.#failure !== undefined) return
    this.#roomLimit = roomLimit(this.bytes)
    this.#file.reserve?.(this.#roomLimit)
  }

  /** Whether everything is refused. */
  get hasFailed(): boolean {
    return this.#failure !== undefined
  }

  /** Refuse everything from now on, because of `error`. */
  fail(error: unknown): void {
    this.#failure ??= error as Error
  }

  /** Close the file, without the room that was made; what is buffered is lost unless flushed before. */
  close(): void {
    if (this.#roomLimit > 0) this.#file.reserve?.(0)
    this.#file.close()
  }

  #emit(type: number, bytes: Bytes, offset: number, length: number): void {
    const buffer = this.#buffer
    const start = this.#buffered
    buffer[start + 4] = length & 0xff
    buffer[start + 5] = length >>> 8
    buffer[start + 6] = type
    const end = start + HEADER_BYTES
    let crc: number
    if (length <= ONE_PASS_BYTES) {
      if (bytes !== this.#source) this.#comeFrom(bytes)
      crc = copyWithCrc32c(this.#sourceView, offset, this.#view, end, length, crc32c(buffer, end - 1, 1))
    } else {
      copyBytes(bytes, offset, buffer, end, length)
      crc = crc32c(buffer, end - 1, length + 1)
    }
    putFixed32(buffer, start, maskCrc(crc))
    this.#buffered = start + HEADER_BYTES + length
    this.#blockOffset += HEADER_BYTES + length
  }

  /** Fill the rest of the block with zeros where no header fits. */
  #padBlock(): void {
    const left = BLOCK_BYTES - this.#blockOffset
    if (left >= HEADER_BYTES) return
    this.#buffer.fill(0, this.#buffered, this.#buffered + left)
    this.#buffered += left
    this.#blockOffset = 0
  }

  /** Room for a record of `length` bytes with all its headers and padding. */
  #reserve(length: number): void {
    const fragments = 2 + Math.ceil(length / (BLOCK_BYTES - HEADER_BYTES))
    const needed = this.#buffered + length + fragments * 2 * HEADER_BYTES
    if (needed > this.#buffer.length) this.#use(grown(this.#buffer, this.#buffered, needed))
  }

  #use(buffer: Uint8Array<ArrayBuffer>): void {
    this.#buffer = buffer
    this.#view = viewOf(buffer)
  }

  #comeFrom(bytes: Bytes): void {
    this.#source = bytes
    this.#sourceView = viewOf(bytes)
  }

  #check(): void {
    if (this.#failure === undefined) return
    const { path } = this.#file
    // The system's own error, where there is one: it is what an IOError has as its cause.
    const { message, cause = this.#failure } = this.#failure
    throw new IOError(`${path} takes no more writes after an earlier failure (${message})`, { file: path, cause })
  }
}

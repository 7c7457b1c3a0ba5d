/**
 * LogReader: the records of a log file, in order, up to its end or to the first place that is not a well-formed log.
 * It judges nothing and changes nothing: whether a bad place is a torn tail or damage is recovery's decision
 * (db/opening/log-replay.ts), and dump tools want to see both.
 *
 * Room for more (log-room.ts) is no fault of a log, but where it ends; `fault` says so, since a MANIFEST has none.
 *
 * LevelDB skips the rest of a 32 KiB block at a bad record and goes on, which leaves holes in the history; this reader
 * stops, and `findRecordAfter` tells what lies beyond.
 *
 * Threads  one reader belongs to one thread
 * Source   google/leveldb db/log_reader.cc, doc/log_format.md
 */
import { copyBytes } from '../base/bytes.ts'
import type { RandomAccessFile } from '../base/environment.ts'
import type { Bytes } from '../base/types.ts'
import {
  BLOCK_BYTES,
  FIRST,
  FULL,
  fragmentLength,
  fragmentType,
  HEADER_BYTES,
  isIntact,
  LAST,
  MIDDLE,
  ZERO,
} from './log-format.ts'
import { isRoom } from './log-room.ts'

/** Blocks read at once. */
const WINDOW_BYTES = 16 * BLOCK_BYTES

/** The first place where a log stops being well-formed. */
export interface LogFault {
  /** File offset of the record that could not be read. */
  readonly offset: number
  readonly reason: string
  /**
   * `cut-off`: the file simply ends inside the record, as a write that was cut off leaves it. `room`: it is none, if this is a
   * write-ahead log: all records were read, and the rest is room for more. `bad`: anything else.
   */
  readonly kind: 'bad' | 'cut-off' | 'room'
}

export class LogReader {
  readonly #file: RandomAccessFile
  readonly #window: Uint8Array<ArrayBuffer>
  /** File offset of window[0], and how many bytes of it are read. */
  #windowStart = 0
  #windowBytes = 0
  /** File offset of the next fragment. */
  #position = 0
  #assembly: Uint8Array<ArrayBuffer> = new Uint8Array(0)

  /** The record that `next` found: recordBuf[recordOff, recordOff + recordLen), borrowed until the next call. */
  recordBuf: Bytes
  recordOff: number
  recordLen: number
  /** File offset of its first fragment. */
  recordStart: number
  /** Set once `next` has answered false; undefined then means a clean end. */
  fault: LogFault | undefined

  // The fragment that #fragment found.
  #type = 0
  #payload = 0
  #length = 0

  constructor(file: RandomAccessFile) {
    this.#file = file
    this.#window = new Uint8Array(Math.min(WINDOW_BYTES, file.bytes))
    this.recordBuf = this.#window
    this.recordOff = 0
    this.recordLen = 0
    this.recordStart = 0
    this.fault = undefined
  }

  /**
   * Read the next record.
   * @returns whether there is one; if not, `fault` says whether the log ends here or goes wrong
   * @throws IOError if the file cannot be read
   */
  next(): boolean {
    if (this.fault !== undefined) return false
    if (!this.#fragment()) return false
    this.recordStart = this.#position
    if (this.#type === FULL) {
      this.#position += HEADER_BYTES + this.#length
      return this.#deliver(this.#window, this.#payload, this.#length)
    }
    if (this.#type !== FIRST) return this.#fail(this.#position, 'record starts in its middle')
    return this.#assemble()
  }

  #assemble(): boolean {
    const start = this.#position
    let length = 0
    for (;;) {
      this.#append(length)
      length += this.#length
      const isLast = this.#type === LAST
      this.#position += HEADER_BYTES + this.#length
      if (isLast) break
      if (!this.#fragment()) {
        // A clean end of the file inside a record is a record cut off.
        const { reason, kind } = this.fault ?? { reason: 'file ends inside a record', kind: 'cut-off' }
        return this.#fail(start, reason, kind === 'room' ? 'bad' : kind)
      }
      if (this.#type !== MIDDLE && this.#type !== LAST) return this.#fail(start, 'record has no end')
    }
    return this.#deliver(this.#assembly, 0, length)
  }

  #append(length: number): void {
    const needed = length + this.#length
    if (needed > this.#assembly.length) {
      const grown = new Uint8Array(Math.min(Math.max(needed, this.#assembly.length * 2), this.#file.bytes))
      grown.set(this.#assembly.subarray(0, length))
      this.#assembly = grown
    }
    copyBytes(this.#window, this.#payload, this.#assembly, length, this.#length)
  }

  #deliver(bytes: Bytes, offset: number, length: number): true {
    this.recordBuf = bytes
    this.recordOff = offset
    this.recordLen = length
    return true
  }

  /** Find the fragment at #position, which moves past block trailers but not past the fragment. */
  #fragment(): boolean {
    const left = BLOCK_BYTES - (this.#position % BLOCK_BYTES)
    if (left < HEADER_BYTES) this.#position += left
    const start = this.#position
    if (start >= this.#file.bytes) return false
    if (start + HEADER_BYTES > this.#file.bytes) return this.#fail(start, 'file ends inside a header', 'cut-off')
    this.#load(start)
    return this.#parse(start)
  }

  #parse(start: number): boolean {
    const window = this.#window
    const at = start - this.#windowStart
    const length = fragmentLength(window, at)
    const type = fragmentType(window, at)
    if (type === ZERO && length === 0)
      return this.#fail(start, 'region was never written', isRoom(this.#file, start) ? 'room' : 'bad')
    if ((start % BLOCK_BYTES) + HEADER_BYTES + length > BLOCK_BYTES) {
      return this.#fail(start, 'record length passes the end of its block')
    }
    if (start + HEADER_BYTES + length > this.#file.bytes)
      return this.#fail(start, 'file ends inside a record', 'cut-off')
    if (!isIntact(window, at)) return this.#fail(start, 'checksum mismatch')
    if (type > LAST) return this.#fail(start, `record has the unknown type ${type}`)
    this.#type = type
    this.#payload = at + HEADER_BYTES
    this.#length = length
    return true
  }

  /** Have the whole block that holds `position` in the window. */
  #load(position: number): void {
    const block = position - (position % BLOCK_BYTES)
    if (block >= this.#windowStart && block < this.#windowStart + this.#windowBytes) return
    this.#windowStart = block
    this.#windowBytes = Math.min(this.#window.length, this.#file.bytes - block)
    this.#file.read(block, this.#window, 0, this.#windowBytes)
  }

  #fail(offset: number, reason: string, kind: LogFault['kind'] = 'bad'): false {
    this.fault = { offset, reason, kind }
    return false
  }

  /**
   * Offset of a whole, single-fragment record at or after `from` that `accept` takes, or −1. Goes from fragment to fragment;
   * where one is bad no length can be trusted, and the rest of its block, as the one that `from` is in, is searched at
   * every byte. (At every byte of all blocks, a value that holds a log would be taken for one.)
   * @param accept is given the record's bytes, borrowed
   * @throws IOError if the file cannot be read
   */
  findRecordAfter(from: number, accept: (bytes: Bytes, offset: number, length: number) => boolean): number {
    let isLost = true
    for (let start = from; start + HEADER_BYTES <= this.#file.bytes; ) {
      const left = BLOCK_BYTES - (start % BLOCK_BYTES)
      if (left === BLOCK_BYTES) isLost = false
      if (left < HEADER_BYTES) {
        start += left
        continue
      }
      this.#load(start)
      const window = this.#window
      const at = start - this.#windowStart
      const length = fragmentLength(window, at)
      const fits = HEADER_BYTES + length <= left && start + HEADER_BYTES + length <= this.#file.bytes
      // The cheap questions first: a checksum at every byte would be quadratic.
      const isWanted = fits && fragmentType(window, at) === FULL && accept(window, at + HEADER_BYTES, length)
      const isGood = (isWanted || (fits && !isLost)) && isIntact(window, at)
      if (isWanted && isGood) return start
      if (!isGood) isLost = true
      start += isLost ? 1 : HEADER_BYTES + length
    }
    return -1
  }
}

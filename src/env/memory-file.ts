/**
 * MemoryFile: the bytes of one file in memory, and which of them a power loss may take.
 *
 * Reserved    a file may be longer than what was appended; what is behind it reads as zeros, and takes no memory
 *
 * Invariants  (1) `unsynced` ranges are not empty, ascend, and do not overlap; all other bytes are durable
 *             (2) bytes that other files share are not written; whoever appends first copies them
 *             (3) a lost range is one whose sync has failed: the kernel takes its pages for clean, so no later sync makes
 *                 it durable; it is read back until a crash, and may even survive that
 */
import { copyBytes } from '../base/bytes.ts'
import type { Bytes } from '../base/types.ts'

/** Bytes [start, limit) that no sync has made durable. */
export interface UnsyncedRange {
  start: number
  limit: number
  lost: boolean
}

export class MemoryFile {
  /** Where what was appended ends. */
  length = 0
  /** Up to where it was made longer, if that is behind `length`; and what a sync has made durable of that. */
  reserved = 0
  durablyReserved = 0
  unsynced: UnsyncedRange[] = []
  #bytes: Uint8Array<ArrayBuffer>
  #isShared = false

  constructor(bytes: Uint8Array<ArrayBuffer> = new Uint8Array(256)) {
    this.#bytes = bytes
  }

  /** A file whose bytes are all durable; copies them. */
  static durable(bytes: Bytes): MemoryFile {
    const file = new MemoryFile()
    file.append(bytes, 0, bytes.length)
    file.markSynced(bytes.length)
    return file
  }

  append(bytes: Bytes, offset: number, length: number): void {
    if (length === 0) return
    this.#reserve(this.length + length)
    copyBytes(bytes, offset, this.#bytes, this.length, length)
    const last = this.unsynced.at(-1)
    if (last !== undefined && last.limit === this.length && !last.lost) last.limit += length
    else this.unsynced.push({ start: this.length, limit: this.length + length, lost: false })
    this.length += length
  }

  /** How long the file is. */
  get size(): number {
    return Math.max(this.length, this.reserved)
  }

  /** The file must have that many bytes there. */
  read(offset: number, into: Bytes, intoOffset: number, length: number): void {
    const kept = Math.min(length, Math.max(0, this.length - offset))
    copyBytes(this.#bytes, offset, into, intoOffset, kept)
    into.fill(0, intoOffset + kept, intoOffset + length)
  }

  /** What was appended, as a copy. */
  appended(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.length)
  }

  /** All bytes, as a copy. */
  content(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.size)
    bytes.set(this.#bytes.subarray(0, this.length))
    return bytes
  }

  /** A sync that covered the bytes before `limit` has succeeded. */
  markSynced(limit: number): void {
    this.durablyReserved = this.reserved
    for (const range of this.unsynced) {
      if (!range.lost) range.start = Math.min(range.limit, Math.max(range.start, limit))
    }
    this.unsynced = this.unsynced.filter((range) => range.start < range.limit)
  }

  /** A sync of the whole file has failed. */
  markLost(): void {
    for (const range of this.unsynced) range.lost = true
  }

  /** A file of its own in the same state, which costs nothing until one of the two is appended to. */
  clone(): MemoryFile {
    const copy = this.durableClone()
    copy.unsynced = this.unsynced.map((range) => ({ ...range }))
    return copy
  }

  /** As clone, with all bytes durable. */
  durableClone(): MemoryFile {
    const copy = new MemoryFile(this.#bytes)
    this.#isShared = true
    copy.#isShared = true
    copy.length = this.length
    copy.reserved = this.reserved
    copy.durablyReserved = this.durablyReserved
    return copy
  }

  #reserve(length: number): void {
    const { length: capacity } = this.#bytes
    if (length <= capacity && !this.#isShared) return
    const own = new Uint8Array(length <= capacity ? capacity : Math.max(length, capacity * 2))
    own.set(this.#bytes.subarray(0, this.length))
    this.#bytes = own
    this.#isShared = false
  }
}

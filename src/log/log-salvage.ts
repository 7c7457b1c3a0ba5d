/**
 * LogSalvage: the records of a damaged log, as far as their checksums are right: for repair, never for an opening, since what
 * lies behind a gap has lost what came before it.
 *
 * Going on   after a fragment that cannot be used, where its header says the next one begins, if there is a sound one; else at
 *            the next block, which begins with a fragment. Nowhere else: bytes within a value may look like a log.
 * Invariant  a record is made of fragments that follow one another, each with the right checksum
 * Threads    belongs to one thread
 */
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
  ZERO,
} from './log-format.ts'
import { isRoom } from './log-room.ts'

/** Bytes [offset, offset + bytes) of a log that were not used. */
export interface LogGap {
  readonly offset: number
  readonly bytes: number
  readonly reason: string
}

export class LogSalvage {
  readonly #file: RandomAccessFile
  readonly #block: Uint8Array<ArrayBuffer> = new Uint8Array(BLOCK_BYTES)
  #blockStart = -1
  #blockBytes = 0
  #position = 0
  /** Where the gap began that is being passed over, if any. */
  #gapStart = -1
  #gapReason = ''
  /** Fragments of the record that has begun and not ended; empty between records. */
  #parts: Uint8Array<ArrayBuffer>[] = []
  readonly gaps: LogGap[] = []
  /** The record that `next` found, in memory of its own, and where it begins. */
  record: Bytes = new Uint8Array(0)
  recordStart = 0

  constructor(file: RandomAccessFile) {
    this.#file = file
  }

  /** Find the next sound record. @throws IOError */
  next(): boolean {
    while (this.#loadAtPosition()) {
      const start = this.#position
      const at = start - this.#blockStart
      const length = fragmentLength(this.#block, at)
      const type = fragmentType(this.#block, at)
      const fault = this.#fault(at)
      if (type === ZERO && length === 0 && isRoom(this.#file, start)) break
      const next = start + HEADER_BYTES + length
      if (fault !== undefined) {
        this.#skip(fault, next)
        continue
      }
      this.#position = next
      const payload = this.#block.slice(at + HEADER_BYTES, at + HEADER_BYTES + length)
      if (this.#joins(type, start, payload)) return true
    }
    if (this.#parts.length > 0) this.#giveUp('record has no end')
    this.#endGap(this.#file.bytes)
    return false
  }

  /** Take a sound fragment. @returns whether it completes a record */
  #joins(type: number, start: number, payload: Uint8Array<ArrayBuffer>): boolean {
    const isBeginning = type === FULL || type === FIRST
    if (isBeginning) {
      if (this.#parts.length > 0) this.#giveUp('record has no end')
      this.#endGap(start)
      this.recordStart = start
    } else if (this.#parts.length === 0) {
      this.#beginGap(start, 'record has no beginning')
      return false
    }
    this.#parts.push(payload)
    if (type !== FULL && type !== LAST) return false
    this.record = joined(this.#parts)
    this.#parts = []
    return true
  }

  /** What is wrong with the fragment at an offset of the block. */
  #fault(at: number): string | undefined {
    const length = fragmentLength(this.#block, at)
    const type = fragmentType(this.#block, at)
    if (type === ZERO && length === 0) return 'region was never written'
    // A header that is not there whole is as long as this at least.
    if (at + HEADER_BYTES + length > this.#blockBytes) return 'record passes the end of its block'
    if (!isIntact(this.#block, at)) return 'checksum mismatch'
    return type > LAST || type === ZERO ? `record has the unknown type ${type}` : undefined
  }

  /** Pass over a fragment that cannot be used, to `next`, where its header says that the next one is, if there is one. */
  #skip(reason: string, next: number): void {
    if (this.#parts.length > 0) this.#giveUp(reason)
    this.#beginGap(this.#position, reason)
    const isSound = this.#fault(next - this.#blockStart) === undefined
    this.#position = isSound ? next : this.#blockStart + BLOCK_BYTES
  }

  /** The record that is being put together is none. */
  #giveUp(reason: string): void {
    this.#parts = []
    this.#beginGap(this.recordStart, reason)
  }

  #beginGap(offset: number, reason: string): void {
    if (this.#gapStart >= 0) return
    this.#gapStart = offset
    this.#gapReason = reason
  }

  #endGap(end: number): void {
    if (this.#gapStart < 0) return
    this.gaps.push({ offset: this.#gapStart, bytes: end - this.#gapStart, reason: this.#gapReason })
    this.#gapStart = -1
  }

  /** Have the block of the next fragment in memory. @returns whether there is a header's worth of file left */
  #loadAtPosition(): boolean {
    const left = BLOCK_BYTES - (this.#position % BLOCK_BYTES)
    if (left < HEADER_BYTES) this.#position += left
    if (this.#position + HEADER_BYTES > this.#file.bytes) {
      if (this.#position < this.#file.bytes) this.#beginGap(this.#position, 'file ends inside a header')
      return false
    }
    const start = this.#position - (this.#position % BLOCK_BYTES)
    if (start !== this.#blockStart) {
      this.#blockStart = start
      this.#blockBytes = Math.min(BLOCK_BYTES, this.#file.bytes - start)
      this.#file.read(start, this.#block, 0, this.#blockBytes)
    }
    return true
  }
}

function joined(parts: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  if (parts.length === 1) return parts[0]
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/**
 * BlockWriter: puts finished blocks and their trailers into the file of a table, gathered into few appends. What is appended goes
 * on to the disk while the table is built, so that the sync at its end does not wait for all of it.
 */
import { copyBytes } from '../base/bytes.ts'
import { putFixed32 } from '../base/coding.ts'
import { crc32c, maskCrc } from '../base/crc32c.ts'
import type { WritableFile } from '../base/environment.ts'
import type { Bytes } from '../base/types.ts'
import type { Compressor } from './compression.ts'
import * as Compression from './compression.ts'
import { BLOCK_TRAILER_BYTES, type BlockHandle } from './table-format.ts'

/** One append for about 60 blocks; a write of this size costs less than the checksum of what it writes. */
const GATHER_BYTES = 256 * 1024
/** Appended between two requests to go on to the disk: so much takes a disk longer than being asked. */
const SYNC_AHEAD_BYTES = 8 * 1024 * 1024
/** What is gathered in at first: a table of a short log is small, and 256 KiB of zeros take longer than the rest of it. */
const FIRST_BYTES = 16 * 1024

export class BlockWriter {
  /** Bytes written so far, gathered ones included: the offset of what comes next. */
  offset: number

  readonly #file: WritableFile
  readonly #compressor: Compressor | undefined
  /** Grows to GATHER_BYTES. */
  #gathered: Uint8Array
  #gatheredBytes: number
  /** Appended since the disk was asked for the last time. */
  #aheadBytes: number
  readonly #trailer: Uint8Array

  /** @param compressor for blocks that it makes enough smaller; undefined for none */
  constructor(file: WritableFile, compressor: Compressor | undefined = undefined) {
    this.offset = 0
    this.#file = file
    this.#compressor = compressor
    this.#gathered = new Uint8Array(FIRST_BYTES)
    this.#gatheredBytes = 0
    this.#aheadBytes = 0
    this.#trailer = new Uint8Array(BLOCK_TRAILER_BYTES)
  }

  /** Write a block, compressed if that saves enough. */
  writeBlock(contents: Bytes): BlockHandle {
    const compressor = this.#compressor
    if (compressor === undefined || !Compression.isCompressible(contents.length))
      return this.writeUncompressed(contents)
    const compressed = compressor.compress(contents)
    if (!Compression.savesEnough(compressed.length, contents.length)) return this.writeUncompressed(contents)
    return this.#writeStored(compressed, compressor.type)
  }

  writeUncompressed(contents: Bytes): BlockHandle {
    return this.#writeStored(contents, Compression.NONE)
  }

  #writeStored(stored: Bytes, type: number): BlockHandle {
    const handle = { offset: this.offset, bytes: stored.length }
    this.#trailer[0] = type
    const crc = crc32c(this.#trailer, 0, 1, crc32c(stored, 0, stored.length))
    putFixed32(this.#trailer, 1, maskCrc(crc))
    this.write(stored)
    this.write(this.#trailer)
    return handle
  }

  /** Write bytes that are no block. */
  write(bytes: Bytes): void {
    const { length } = bytes
    this.offset += length
    if (this.#gatheredBytes + length > GATHER_BYTES) this.flush()
    if (length > GATHER_BYTES) {
      this.#append(bytes, length)
      return
    }
    if (this.#gatheredBytes + length > this.#gathered.length) this.#grow(this.#gatheredBytes + length)
    copyBytes(bytes, 0, this.#gathered, this.#gatheredBytes, length)
    this.#gatheredBytes += length
  }

  /** Append what is gathered. */
  flush(): void {
    if (this.#gatheredBytes > 0) this.#append(this.#gathered, this.#gatheredBytes)
    this.#gatheredBytes = 0
  }

  #append(bytes: Bytes, length: number): void {
    this.#file.append(bytes, 0, length)
    this.#aheadBytes += length
    if (this.#aheadBytes < SYNC_AHEAD_BYTES) return
    this.#aheadBytes = 0
    this.#file.syncAhead?.()
  }

  #grow(needed: number): void {
    const grown = new Uint8Array(Math.min(GATHER_BYTES, Math.max(needed, this.#gathered.length * 4)))
    copyBytes(this.#gathered, 0, grown, 0, this.#gatheredBytes)
    this.#gathered = grown
  }
}

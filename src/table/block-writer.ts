/**
 * BlockWriter: puts finished blocks and their trailers into the file of a table, gathered into few appends.
 */
import { copyBytes } from '../base/bytes.ts'
import { putFixed32 } from '../base/coding.ts'
import { crc32c, maskCrc } from '../base/crc32c.ts'
import type { WritableFile } from '../base/environment.ts'
import type { Bytes } from '../base/types.ts'
import * as Compression from './compression.ts'
import { BLOCK_TRAILER_BYTES, type BlockHandle } from './table-format.ts'

/** One append for about 60 blocks; a write of this size costs less than the checksum of what it writes. */
const GATHER_BYTES = 256 * 1024

export class BlockWriter {
  /** Bytes written so far, gathered ones included: the offset of what comes next. */
  offset: number

  readonly #file: WritableFile
  readonly #gathered: Uint8Array
  #gatheredBytes: number
  readonly #trailer: Uint8Array

  constructor(file: WritableFile) {
    this.offset = 0
    this.#file = file
    this.#gathered = new Uint8Array(GATHER_BYTES)
    this.#gatheredBytes = 0
    this.#trailer = new Uint8Array(BLOCK_TRAILER_BYTES)
    this.#trailer[0] = Compression.NONE
  }

  writeBlock(contents: Bytes): BlockHandle {
    const handle = { offset: this.offset, bytes: contents.length }
    const crc = crc32c(this.#trailer, 0, 1, crc32c(contents, 0, contents.length))
    putFixed32(this.#trailer, 1, maskCrc(crc))
    this.write(contents)
    this.write(this.#trailer)
    return handle
  }

  /** Write bytes that are no block. */
  write(bytes: Bytes): void {
    const { length } = bytes
    this.offset += length
    if (this.#gatheredBytes + length > GATHER_BYTES) this.flush()
    if (length > GATHER_BYTES) {
      this.#file.append(bytes, 0, length)
      return
    }
    copyBytes(bytes, 0, this.#gathered, this.#gatheredBytes, length)
    this.#gatheredBytes += length
  }

  /** Append what is gathered. */
  flush(): void {
    if (this.#gatheredBytes > 0) this.#file.append(this.#gathered, 0, this.#gatheredBytes)
    this.#gatheredBytes = 0
  }
}

/**
 * ReadAheadFile: a file that is read from its beginning to its end, in few large reads. A read that goes on where the last
 * one ended, or begins the file, is answered from a buffer that is filled ahead; any other goes to the file as it is, so
 * that a look at a table's footer and index disturbs nothing.
 *
 * Threads  belongs to one thread; the buffer may serve one file after another, never two at once
 */
import { copyBytes } from '../base/bytes.ts'
import type { RandomAccessFile } from '../base/environment.ts'
import type { Bytes } from '../base/types.ts'

export class ReadAheadFile implements RandomAccessFile {
  readonly path: string
  readonly bytes: number
  readonly #file: RandomAccessFile
  readonly #buffer: Bytes
  /** buffer[0, filled) is the file from `start` on. */
  #start: number
  #filled: number
  /** Where the last sequential read ended. */
  #next: number

  /** @param file becomes this one's, which closes it */
  constructor(file: RandomAccessFile, buffer: Bytes) {
    this.path = file.path
    this.bytes = file.bytes
    this.#file = file
    this.#buffer = buffer
    this.#start = 0
    this.#filled = 0
    this.#next = 0
  }

  read(offset: number, into: Bytes, intoOffset: number, length: number): void {
    const isSequential = offset === this.#next && offset + length <= this.bytes
    if (isSequential && length <= this.#buffer.length) {
      if (offset + length > this.#start + this.#filled) this.#fill(offset)
      copyBytes(this.#buffer, offset - this.#start, into, intoOffset, length)
    } else {
      this.#file.read(offset, into, intoOffset, length)
    }
    if (isSequential) this.#next = offset + length
  }

  close(): void {
    this.#file.close()
  }

  #fill(offset: number): void {
    const length = Math.min(this.#buffer.length, this.bytes - offset)
    this.#filled = 0
    this.#file.read(offset, this.#buffer, 0, length)
    this.#start = offset
    this.#filled = length
  }
}

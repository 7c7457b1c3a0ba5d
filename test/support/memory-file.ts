/**
 * Files in memory, for tests of what reads and writes one file: no directory, no faults, no time.
 */
import type { RandomAccessFile, WritableFile } from '../../src/base/environment.ts'
import { IOError } from '../../src/base/errors.ts'
import type { Bytes } from '../../src/base/types.ts'

/** Collects what is appended. */
export class MemoryWritableFile implements WritableFile {
  readonly path: string
  appendCount: number
  syncCount: number
  isClosed: boolean
  isSyncBroken: boolean
  #bytes: Uint8Array<ArrayBuffer>
  #length: number

  constructor(path: string = 'memory') {
    this.path = path
    this.appendCount = 0
    this.syncCount = 0
    this.isClosed = false
    this.isSyncBroken = false
    this.#bytes = new Uint8Array(1024)
    this.#length = 0
  }

  /** A copy of what has been appended. */
  contents(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length)
  }

  append(bytes: Bytes, offset: number, length: number): void {
    if (this.isClosed) throw new IOError(`append to ${this.path}, which is closed`, { file: this.path })
    const end = this.#length + length
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(end * 2)
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    this.#bytes.set(bytes.subarray(offset, offset + length), this.#length)
    this.#length = end
    this.appendCount++
  }

  sync(): void {
    if (this.isSyncBroken) throw new IOError(`sync of ${this.path} failed`, { file: this.path })
    this.syncCount++
  }

  async syncLater(): Promise<void> {
    this.syncCount++
  }

  close(): void {
    this.isClosed = true
  }
}

/** Reads from a byte array; counts its reads. */
export class MemoryFile implements RandomAccessFile {
  readonly path: string
  readonly bytes: number
  readCount: number
  isClosed: boolean
  readonly #contents: Bytes

  constructor(contents: Bytes, path: string = 'memory') {
    this.path = path
    this.bytes = contents.length
    this.readCount = 0
    this.isClosed = false
    this.#contents = contents
  }

  read(offset: number, into: Bytes, intoOffset: number, length: number): void {
    if (this.isClosed) throw new IOError(`read of ${this.path}, which is closed`, { file: this.path })
    if (offset + length > this.bytes)
      throw new IOError(`${this.path} ends before ${offset + length}`, { file: this.path })
    into.set(this.#contents.subarray(offset, offset + length), intoOffset)
    this.readCount++
  }

  close(): void {
    this.isClosed = true
  }
}

/**
 * Tables, MANIFESTs and logs that no writer would make, part by part, each with the right checksum: what only a look at the
 * meaning can find. A key is one letter, written at the sequence number that is its place in the alphabet; its value is the
 * capital letter.
 */
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { manifestName } from '../../src/base/filename.ts'
import { encodeInternalKey, tagHigh, tagLow } from '../../src/base/internal-key.ts'
import { type Bytes, fileNumber, sequenceNumber } from '../../src/base/types.ts'
import * as ValueType from '../../src/base/value-type.ts'
import * as Batch from '../../src/batch/batch-format.ts'
import { LogWriter } from '../../src/log/log-writer.ts'
import { BlockBuilder } from '../../src/table/block-builder.ts'
import { BlockWriter } from '../../src/table/block-writer.ts'
import { BloomFilter } from '../../src/table/bloom-filter.ts'
import type { Compressor } from '../../src/table/compression.ts'
import { filterKey } from '../../src/table/metaindex.ts'
import { type BlockHandle, encodeFooter, MAX_HANDLE_BYTES, putHandle } from '../../src/table/table-format.ts'
import { encodeEdit, type VersionEdit } from '../../src/version/version-edit.ts'
import type { Directory } from '../db/directories.ts'
import { MemoryWritableFile } from '../support/memory-file.ts'
import { bytesOf } from '../table/entries.ts'

export type FileBytes = Uint8Array<ArrayBuffer>

export const FILTER_NAME: string = Buffer.from(filterKey(new BloomFilter(10))).toString()

/** The internal key of a letter. */
export function internalKey(letter: string): FileBytes {
  const sequence = sequenceOf(letter)
  return encodeInternalKey(bytesOf(letter), 0, letter.length, tagLow(sequence, ValueType.VALUE), tagHigh(sequence))
}

function sequenceOf(letter: string): number {
  return letter.charCodeAt(0) - 'a'.charCodeAt(0) + 1
}

function blockOf(entries: readonly (readonly [key: Bytes, value: Bytes])[]): Bytes {
  const block = new BlockBuilder(16, 4096)
  for (const [key, value] of entries) block.add(key, key.length, value, 0, value.length)
  return block.finish()
}

function handleBytes(handle: BlockHandle): Bytes {
  const bytes = new Uint8Array(MAX_HANDLE_BYTES)
  return bytes.slice(0, putHandle(bytes, 0, handle))
}

/** Stores a byte instead of the contents, under a type that nobody knows. */
const UNKNOWN: Compressor = { type: 77, compress: () => Uint8Array.of(0) }

/** A table, written part by part; without more than data blocks a sound one, without filter. */
export class HandmadeTable {
  readonly #file = new MemoryWritableFile()
  readonly #writer = new BlockWriter(this.#file)
  readonly #index: [Bytes, Bytes][] = []
  readonly #named: [Bytes, Bytes][] = []

  /**
   * A data block with these letters, in this order, and its entry in the index, under the last letter or another one.
   * @param times that each value repeats its letter
   */
  data(letters: string, separator: string = letters.slice(-1), times: number = 1): BlockHandle {
    const handle = this.#writer.writeUncompressed(lettersBlock(letters, times))
    this.#index.push([internalKey(separator), handleBytes(handle)])
    return handle
  }

  /** A data block as another engine may compress it. */
  unreadable(letters: string): BlockHandle {
    return this.compressed(letters, UNKNOWN)
  }

  compressed(letters: string, compressor: Compressor): BlockHandle {
    this.#writer.flush()
    const writer = new BlockWriter(this.#file, compressor)
    const { bytes } = writer.writeBlock(lettersBlock(letters))
    const handle = { offset: this.#writer.offset, bytes }
    writer.flush()
    this.#writer.offset += writer.offset
    this.#index.push([internalKey(letters.slice(-1)), handleBytes(handle)])
    return handle
  }

  /** Bytes that belong to no block. */
  stray(bytes: number): this {
    this.#writer.write(new Uint8Array(bytes).fill(0x5a))
    return this
  }

  /** A block that the metaindex names, with any contents. */
  named(name: string, contents: Bytes): BlockHandle {
    const handle = this.#writer.writeUncompressed(contents)
    this.name(name, handle)
    return handle
  }

  /** Have the metaindex name what lies elsewhere. */
  name(name: string, handle: BlockHandle): void {
    this.#named.push([bytesOf(name), handleBytes(handle)])
  }

  /** Have the index hold what is no handle. */
  indexed(letter: string, value: Bytes): void {
    this.#index.push([internalKey(letter), value])
  }

  /** @param damaged parts whose last byte before the checksum is changed */
  finish(damaged: readonly ('index' | 'footer')[] = []): FileBytes {
    const metaindex = this.#writer.writeUncompressed(blockOf(this.#named))
    const index = this.#writer.writeUncompressed(blockOf(this.#index))
    this.#writer.write(encodeFooter({ metaindex, index }))
    this.#writer.flush()
    const bytes = this.#file.contents()
    if (damaged.includes('index')) bytes[index.offset] ^= 0xff
    if (damaged.includes('footer')) bytes[bytes.length - 1] ^= 0xff
    return bytes
  }
}

function lettersBlock(letters: string, times: number = 1): Bytes {
  return blockOf([...letters].map((letter) => [internalKey(letter), bytesOf(letter.toUpperCase().repeat(times))]))
}

/** A sound table of these letters, in one block. */
export function tableOf(letters: string): FileBytes {
  const table = new HandmadeTable()
  table.data(letters)
  return table.finish()
}

/** A log, or a MANIFEST, with these records. */
export function logOf(records: readonly Bytes[]): FileBytes {
  const file = new MemoryWritableFile()
  const writer = new LogWriter(file)
  for (const record of records) writer.add(record, 0, record.length)
  writer.flush()
  return file.contents()
}

/** A batch that puts these letters, the first at its own sequence number, unless another is given. */
export function batchOf(letters: string, sequence: number = sequenceOf(letters)): FileBytes {
  const bytes = new Uint8Array(1000)
  Batch.writeHeader(bytes, 0, sequence, letters.length)
  let end = Batch.HEADER_BYTES
  for (const letter of letters) end = Batch.writePut(bytes, end, bytesOf(letter), bytesOf(letter.toUpperCase()))
  return bytes.slice(0, end)
}

/** A batch that deletes the keys from one letter up to another. */
export function rangeDeleteOf(from: string, to: string, sequence: number): FileBytes {
  const bytes = new Uint8Array(1000)
  Batch.writeHeader(bytes, 0, sequence, 1)
  return bytes.slice(0, Batch.writeDeleteRange(bytes, Batch.HEADER_BYTES, bytesOf(from), bytesOf(to)))
}

/** A table that an edit adds: the bounds are letters. */
export function added(level: number, number: number, bytes: number, smallest: string, largest: string): VersionEdit {
  const [from, to] = [internalKey(smallest), internalKey(largest)]
  return { newFiles: [{ level, file: { number: fileNumber(number), bytes, smallest: from, largest: to } }] }
}

/** What the first edit of a MANIFEST says, of a database without log. */
export const BEGINNING: VersionEdit = {
  comparator: bytewiseComparator.name,
  logNumber: fileNumber(0),
  nextFile: fileNumber(100),
  lastSequence: sequenceNumber(26),
}

/** A MANIFEST with these edits. */
export function manifestOf(...edits: readonly VersionEdit[]): FileBytes {
  return logOf(edits.map(encodeEdit))
}

/** The files of a database: CURRENT, which names this MANIFEST, and others. */
export function databaseOf(manifest: FileBytes, others: Readonly<Record<string, FileBytes>>): Directory {
  const name = manifestName(fileNumber(90))
  return new Map([['CURRENT', bytesOf(`${name}\n`)], [name, manifest], ...Object.entries(others)])
}

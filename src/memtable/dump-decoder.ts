/**
 * DumpDecoder: reads a dump (dump.ts) back into a MemTable, in one piece or piece by piece.
 *
 * Checked  every length against the bytes at hand, before it is used: nothing is allocated for what a dump only claims.
 *          The first fault in reading order is the one that is reported: fewer bytes than a header; magic; of each entry its
 *          type, a tombstone's value length, its end, its order; bytes after the last entry.
 */
import { compareBytes, copyBytes, EMPTY } from '../base/bytes.ts'
import { getFixed32 } from '../base/coding.ts'
import { CorruptionError, InvalidArgumentError } from '../base/errors.ts'
import { KeyCopy } from '../base/key-copy.ts'
import { toBytes } from '../base/text.ts'
import type { Bytes, SequenceNumber } from '../base/types.ts'
import * as ValueType from '../base/value-type.ts'
import { CAPACITY_BYTES_MAX } from './arena.ts'
import * as Dump from './dump.ts'
import type { MemTable } from './memtable.ts'
import type { MemTableOptions } from './memtable-options.ts'
import { OVERHEAD_BYTES_MAX } from './representation.ts'

/** Options of `MemTable.decode`. */
export interface DecodeOptions extends Omit<MemTableOptions, 'comparator'> {
  /** Path of the file that the dump comes from, for errors. */
  readonly file?: string | undefined
}

/** Room in a decoded table for what is written to it afterwards. */
const SPARE_BYTES = 64 * 1024 * 1024

/**
 * The table that a dump describes. Its entries have the sequences 1, 2, … in the order of their keys.
 * @param dump in one piece, or in pieces of any size, in order; each is borrowed until the next one is asked for
 * @param create makes the table
 * @throws CorruptionError, with the offset, if it is no dump (see the header); MemTableFullError if the table has no room;
 *   InvalidArgumentError if the dump is neither, an option is not of its form, or a key is longer than the table allows
 */
export function decode(
  dump: Uint8Array | Iterable<Uint8Array>,
  given: DecodeOptions,
  create: (options: MemTableOptions) => MemTable,
): MemTable {
  const { file, ...options } = checkedOptions(given)
  if (ArrayBuffer.isView(dump)) {
    const bytes = toBytes(dump, 'dump')
    const capacityBytes = options.capacityBytes ?? capacityFor(bytes)
    const decoder = new DumpDecoder(create({ ...options, capacityBytes }), file)
    decoder.write(bytes)
    return decoder.end()
  }
  if (typeof dump !== 'object' || typeof dump?.[Symbol.iterator] !== 'function') {
    throw new InvalidArgumentError('dump must be a Uint8Array or an iterable of them')
  }
  const decoder = new DumpDecoder(create(options), file)
  for (const chunk of dump) {
    if (typeof chunk === 'string') throw new InvalidArgumentError('a chunk of a dump must be a Uint8Array, not string')
    decoder.write(toBytes(chunk, 'a chunk of a dump'))
  }
  return decoder.end()
}

/** MemTable.create checks the others. */
function checkedOptions(options: DecodeOptions): DecodeOptions {
  if (typeof options !== 'object' || options === null) throw new InvalidArgumentError('options must be an object')
  const { comparator } = options as MemTableOptions
  if (comparator === undefined) return options
  throw new InvalidArgumentError('a dump is in bytewise order: decode takes no comparator')
}

/** Capacity for the entries of a dump in one piece, and for more. What a dump claims counts as far as its bytes reach. */
function capacityFor(dump: Bytes): number {
  const count = Math.min(getFixed32(dump, 4), Math.floor(dump.length / Dump.ENTRY_HEADER_BYTES))
  const needed = count * OVERHEAD_BYTES_MAX + dump.length
  return Math.min(needed + SPARE_BYTES, CAPACITY_BYTES_MAX)
}

/** Reads a dump piece by piece. It keeps the bytes of the entry that is not complete yet, and no others. */
class DumpDecoder {
  readonly #table: MemTable
  readonly #file: string | undefined
  /** −1 before the header. */
  #count: number
  #decoded: number
  readonly #lastKey: KeyCopy
  /** What has arrived and is not decoded: kept[0, keptBytes), at this offset of the dump. */
  #kept: Uint8Array<ArrayBuffer>
  #keptBytes: number
  #offset: number

  constructor(table: MemTable, file: string | undefined) {
    this.#table = table
    this.#file = file
    this.#count = -1
    this.#decoded = 0
    this.#lastKey = new KeyCopy()
    this.#kept = EMPTY
    this.#keptBytes = 0
    this.#offset = 0
  }

  /** The next piece. */
  write(chunk: Bytes): void {
    if (this.#keptBytes > 0) {
      this.#keep(chunk, 0)
      const used = this.#decode(this.#kept, this.#keptBytes)
      if (used === 0) return
      this.#kept.copyWithin(0, used, this.#keptBytes)
      this.#keptBytes -= used
    } else {
      this.#keep(chunk, this.#decode(chunk, chunk.length))
    }
  }

  /** That was the last piece. @returns the table */
  end(): MemTable {
    const end = this.#offset + this.#keptBytes
    if (this.#count < 0) throw this.#fault(`a dump of ${end} bytes is shorter than its header`, end)
    if (this.#decoded < this.#count) {
      throw this.#fault(`the dump ends before the end of entry ${this.#decoded + 1} of ${this.#count}`, end)
    }
    this.#table.publish()
    return this.#table
  }

  /** Remember chunk[from, …) behind what is kept. */
  #keep(chunk: Bytes, from: number): void {
    const bytes = chunk.length - from
    const needed = this.#keptBytes + bytes
    if (needed > this.#kept.length) {
      const grown = new Uint8Array(Math.max(needed, Math.min(this.#kept.length * 2, needed + SPARE_BYTES)))
      grown.set(this.#kept.subarray(0, this.#keptBytes))
      this.#kept = grown
    }
    copyBytes(chunk, from, this.#kept, this.#keptBytes, bytes)
    this.#keptBytes = needed
  }

  /**
   * Decode what is complete in bytes[0, limit), which stands at #offset.
   * @returns how many bytes that was; #offset has moved on by as many
   */
  #decode(bytes: Bytes, limit: number): number {
    let at = this.#count < 0 ? this.#decodeHeader(bytes, limit) : 0
    // Without a header there is no entry, nor a last one.
    while (this.#decoded < this.#count) {
      const next = this.#decodeEntry(bytes, at, limit)
      if (next === at) break
      at = next
    }
    if (at < limit && this.#decoded === this.#count) {
      throw this.#fault('there are bytes after the last entry', this.#offset + at)
    }
    this.#offset += at
    return at
  }

  /** @returns the offset after the header, or 0 if it is not complete */
  #decodeHeader(bytes: Bytes, limit: number): number {
    if (limit < Dump.HEADER_BYTES) return 0
    if (getFixed32(bytes, 0) !== Dump.MAGIC) throw this.#fault('a dump begins with MMT1, and this does not', 0)
    this.#count = getFixed32(bytes, 4)
    return Dump.HEADER_BYTES
  }

  /** @returns the offset after the entry, or `at` if it is not complete */
  #decodeEntry(bytes: Bytes, at: number, limit: number): number {
    if (limit - at < Dump.ENTRY_HEADER_BYTES) return at
    const keyLen = getFixed32(bytes, at)
    const valLen = getFixed32(bytes, at + 4)
    const type = bytes[at + 8]
    const which = this.#decoded + 1
    if (type > Dump.TOMBSTONE) throw this.#fault(`entry ${which} has the unknown type ${type}`, this.#offset + at + 8)
    if (type === Dump.TOMBSTONE && valLen !== 0) {
      throw this.#fault(`entry ${which} is a tombstone with a value of ${valLen} bytes`, this.#offset + at + 4)
    }
    const key = at + Dump.ENTRY_HEADER_BYTES
    if (limit - key < keyLen + valLen) return at
    if (which > 1 && compareBytes(bytes, key, keyLen, this.#lastKey.bytes, 0, this.#lastKey.length) <= 0) {
      throw this.#fault(`the key of entry ${which} does not sort after the one before it`, this.#offset + key)
    }
    const valueType = type === Dump.TOMBSTONE ? ValueType.DELETION : ValueType.VALUE
    this.#table.add(which as SequenceNumber, valueType, bytes, key, keyLen, bytes, key + keyLen, valLen)
    this.#lastKey.take(bytes, key, keyLen)
    this.#decoded = which
    return key + keyLen + valLen
  }

  #fault(message: string, offset: number): CorruptionError {
    if (this.#file !== undefined) return new CorruptionError(message, { file: this.#file, offset })
    return new CorruptionError(`${message} (at byte ${offset})`, { offset })
  }
}

/**
 * MemTableSubject: varve's MemTable by the face that the engine uses. A value that was found is read in place, as it is in the
 * C++ program; keys and values are copied in, as they are there.
 */
import type { InternalIterator } from '../../src/base/iterator.ts'
import * as Lookup from '../../src/base/lookup.ts'
import { MAX_SEQUENCE, sequenceNumber } from '../../src/base/types.ts'
import * as ValueType from '../../src/base/value-type.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import { type KeyFile, type Keys, VALUE_BYTES } from './key-file.ts'
import { mixBytes, PIECE, type Subject } from './subject.ts'

/** Address space only: what is not used is never touched. */
const OVERHEAD_BYTES = 100
const MIB = 1024 * 1024

export interface MemTableSettings {
  readonly representation: 'radix' | 'skiplist' | 'vector'
  /** Entries from one publication to the next. */
  readonly batchEntries: number
}

export class MemTableSubject implements Subject {
  checksum = 0
  readonly #file: KeyFile
  readonly #entries: number
  readonly #batchEntries: number
  readonly #table: MemTable

  constructor(file: KeyFile, entries: number, { representation, batchEntries }: MemTableSettings) {
    this.#file = file
    this.#entries = entries
    this.#batchEntries = batchEntries
    this.#table = MemTable.create({ capacityBytes: capacityFor(file, entries), representation })
  }

  get length(): number {
    return this.#table.length
  }

  get usedBytes(): number {
    return this.#table.memoryUsage
  }

  /** Its caller has bytes in a buffer: the file itself. */
  prepare(): void {}

  insert(): void {
    addEntries(this.#table, this.#file, this.#entries, this.#batchEntries)
    // Sorts a vector, which is part of filling it; the others are in order at any time.
    this.#table.freeze()
  }

  get(which: 'present' | 'missing', limit: number): number {
    let found = 0
    for (let from = 0; from < limit; from += PIECE) {
      found += this.#getSome(this.#file[which], from, Math.min(from + PIECE, limit))
    }
    return found
  }

  scan(): void {
    const at = this.#table.iterator()
    at.seekToFirst()
    while (at.valid) this.#scanSome(at)
  }

  #getSome({ bytes, offsets }: Keys, from: number, limit: number): number {
    const table = this.#table
    let { checksum } = this
    let found = 0
    for (let i = from; i < limit; i++) {
      const at = offsets[i]
      if (table.lookup(bytes, at, offsets[i + 1] - at, MAX_SEQUENCE) !== Lookup.FOUND) continue
      found++
      checksum = mixBytes(checksum, table.valBuf, table.valOff, table.valLen)
    }
    this.checksum = checksum
    return found
  }

  #scanSome(at: InternalIterator): void {
    let { checksum } = this
    for (let i = 0; i < PIECE && at.valid; i++) {
      checksum = mixBytes(checksum, at.keyBuf, at.keyOff, at.keyLen)
      checksum = mixBytes(checksum, at.valBuf, at.valOff, at.valLen)
      at.next()
    }
    this.checksum = checksum
  }
}

/** Arena bytes that are enough for the first `entries` of a file. */
export function capacityFor({ added }: KeyFile, entries: number): number {
  return added.offsets[entries] + entries * (VALUE_BYTES + OVERHEAD_BYTES) + MIB
}

/** Add the first `entries` of a file, and publish every `batchEntries`. */
export function addEntries(table: MemTable, file: KeyFile, entries: number, batchEntries: number): void {
  let waiting = 0
  for (let from = 0; from < entries; from += PIECE) {
    waiting = addSome(table, file, from, Math.min(from + PIECE, entries), batchEntries, waiting)
  }
  table.publish()
}

/** @param waiting entries that are not published yet @returns the same afterwards */
function addSome(
  table: MemTable,
  file: KeyFile,
  from: number,
  limit: number,
  batchEntries: number,
  waiting: number,
): number {
  const { bytes, offsets } = file.added
  const { values } = file
  let unpublished = waiting
  for (let i = from; i < limit; i++) {
    const at = offsets[i]
    const keyLen = offsets[i + 1] - at
    table.add(sequenceNumber(i + 1), ValueType.VALUE, bytes, at, keyLen, values, file.valueOffset(i), VALUE_BYTES)
    if (++unpublished < batchEntries) continue
    table.publish()
    unpublished = 0
  }
  return unpublished
}

/**
 * Entries as plain values, for tests of iterators: made, sorted, written to tables, and read back for comparison.
 */
import { bytewiseComparator, type Comparator } from '../../src/base/comparator.ts'
import { compareTags, encodeInternalKey, tagHigh, tagLow, tagSequence, tagType } from '../../src/base/internal-key.ts'
import type { InternalIterator } from '../../src/base/iterator.ts'
import type { Bytes } from '../../src/base/types.ts'
import * as ValueType from '../../src/base/value-type.ts'
import { Block } from '../../src/table/block.ts'
import { BlockBuilder } from '../../src/table/block-builder.ts'
import { TableBuilder, type TableOptions } from '../../src/table/table-builder.ts'
import { MemoryWritableFile } from '../support/memory-file.ts'

export interface Entry {
  readonly key: Bytes
  readonly low: number
  readonly high: number
  readonly value: Bytes
}

export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text)
}

export function putEntry(key: Bytes, sequence: number, value: Bytes): Entry {
  return { key, low: tagLow(sequence, ValueType.VALUE), high: tagHigh(sequence), value }
}

export function deleteEntry(key: Bytes, sequence: number): Entry {
  return { key, low: tagLow(sequence, ValueType.DELETION), high: tagHigh(sequence), value: new Uint8Array(0) }
}

export function compareEntries(a: Entry, b: Entry, comparator: Comparator = bytewiseComparator): number {
  const order = comparator.compare(a.key, 0, a.key.length, b.key, 0, b.key.length)
  return order !== 0 ? order : compareTags(a.low, a.high, b.low, b.high)
}

/** An entry in words: what failing assertions print. */
export function describe(entry: Entry): string {
  const key = Buffer.from(entry.key).toString('latin1')
  const value = Buffer.from(entry.value).toString('latin1')
  const what = tagType(entry.low) === ValueType.VALUE ? `=${value}` : ' deleted'
  return `${JSON.stringify(key)}#${tagSequence(entry.low, entry.high)}${what}`
}

/** A block that holds them. */
export function blockOf(entries: readonly Entry[], restartInterval: number): Block {
  const builder = new BlockBuilder(restartInterval, 16)
  for (const { key, low, high, value } of entries) {
    const encoded = encodeInternalKey(key, 0, key.length, low, high)
    builder.add(encoded, encoded.length, value, 0, value.length)
  }
  return new Block(builder.finish().slice(), 'f.ldb', 7)
}

/** The entry that an iterator is at, or undefined. */
export function current(iterator: InternalIterator): Entry | undefined {
  if (!iterator.valid) return undefined
  const { keyBuf, keyOff, keyLen, tagLow: low, tagHigh: high, valBuf, valOff, valLen } = iterator
  return { key: keyBuf.slice(keyOff, keyOff + keyLen), low, high, value: valBuf.slice(valOff, valOff + valLen) }
}

/** All entries, in words, forwards. */
export function listForwards(iterator: InternalIterator): string[] {
  const found: string[] = []
  for (iterator.seekToFirst(); iterator.valid; iterator.next()) found.push(describe(current(iterator)!))
  return found
}

/** All entries, in words, backwards. */
export function listBackwards(iterator: InternalIterator): string[] {
  const found: string[] = []
  for (iterator.seekToLast(); iterator.valid; iterator.prev()) found.push(describe(current(iterator)!))
  return found
}

/** The file that a TableBuilder makes of sorted entries. */
export function buildTable(entries: readonly Entry[], options: TableOptions): Uint8Array<ArrayBuffer> {
  const file = new MemoryWritableFile()
  const builder = new TableBuilder(file, options)
  for (const { key, low, high, value } of entries) {
    builder.add(key, 0, key.length, low, high, value, 0, value.length)
  }
  builder.finish()
  return file.contents()
}

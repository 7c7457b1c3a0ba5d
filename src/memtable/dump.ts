/**
 * The dump of a MemTable: the newest version of every key as one byte string, which is the same in every language and for
 * every history with the same outcome (conformance/README.md). Versions and sequence numbers are not in it; nor can it say
 * that keys are deleted which the table does not hold, so that a table with range tombstones has no dump.
 *
 * Format   dump   := "MMT1" | count u32le | entry × count, keys strictly ascending as unsigned bytes
 *          entry  := key length u32le | value length u32le | type u8 | key | value
 *          type   := 0 (value) | 1 (tombstone, whose value length is 0)
 * Reading one back: dump-decoder.ts.
 * Threads  encoding reads as any reader does: of an attached table it takes one moment.
 */
import { assert } from '../base/assert.ts'
import { copyBytes } from '../base/bytes.ts'
import { putFixed32 } from '../base/coding.ts'
import { bytewiseComparator } from '../base/comparator.ts'
import { InvalidArgumentError, NotSupportedError } from '../base/errors.ts'
import type { Bytes, SequenceNumber } from '../base/types.ts'
import type { MemTableRep } from './memtable-rep.ts'
import type { MemTableSamples } from './memtable-samples.ts'
import { VisibleEntries } from './visible-entries.ts'

/** "MMT1" as a little-endian word. */
export const MAGIC = 0x31544d4d
/** Magic and count. */
export const HEADER_BYTES = 8
/** Lengths and type. */
export const ENTRY_HEADER_BYTES = 9
const VALUE = 0
export const TOMBSTONE = 1

const CHUNK_BYTES = 64 * 1024

/** Bytes of the dump of `count` keys, which have `bytes` bytes together with their values. */
export function dumpBytes(count: number, bytes: number): number {
  return HEADER_BYTES + ENTRY_HEADER_BYTES * count + bytes
}

/**
 * The dump of a table as of `sequence`, in memory of exactly its size.
 * @param rep the table's representation
 * @param limit what this thread may see of it
 * @throws NotSupportedError if the table is not in bytewise order, or has range tombstones as of the sequence
 */
export function encode(
  table: MemTableSamples,
  rep: MemTableRep,
  limit: number,
  sequence: SequenceNumber,
): Uint8Array<ArrayBuffer> {
  const entries = visibleEntries(table, rep, limit, sequence)
  entries.measure()
  const dump = new Uint8Array(dumpBytes(entries.count, entries.bytes))
  putHeader(dump, entries.count)
  let offset = HEADER_BYTES
  for (entries.first(); entries.valid; entries.next()) offset = putEntry(dump, offset, entries)
  assert(offset === dump.length, 'a table has the same entries as when they were measured')
  return dump
}

/**
 * The same in pieces, each in memory of its own: whole entries, of about `chunkBytes` together unless one is larger.
 * Of the table as it is now: what is written, or cleared, while the caller holds a chunk, is not in it.
 * @throws as encode; InvalidArgumentError if chunkBytes is not a positive integer, or in the end, if versions of
 *   `sequence` or below were added meanwhile
 */
export function encodeChunks(
  table: MemTableSamples,
  rep: MemTableRep,
  limit: number,
  sequence: SequenceNumber,
  chunkBytes: number = CHUNK_BYTES,
): IterableIterator<Uint8Array<ArrayBuffer>> {
  if (!Number.isInteger(chunkBytes) || chunkBytes < 1) {
    throw new InvalidArgumentError(`chunkBytes must be a positive integer, not ${String(chunkBytes)}`)
  }
  // What is written meanwhile has later sequences.
  const newest = table.largestSequence
  return chunks(visibleEntries(table, rep, limit, sequence < newest ? sequence : newest), chunkBytes)
}

function* chunks(
  entries: VisibleEntries,
  chunkBytes: number,
): Generator<Uint8Array<ArrayBuffer>, undefined, undefined> {
  entries.measure()
  let rest = dumpBytes(entries.count, entries.bytes)
  let chunk = new Uint8Array(Math.min(rest, Math.max(chunkBytes, HEADER_BYTES)))
  putHeader(chunk, entries.count)
  let offset = HEADER_BYTES
  for (entries.first(); entries.valid; entries.next()) {
    const bytes = ENTRY_HEADER_BYTES + entries.keyLen + entries.valLen
    if (bytes > rest - offset) break
    if (bytes > chunk.length - offset) {
      yield chunk.subarray(0, offset)
      rest -= offset
      offset = 0
      chunk = new Uint8Array(Math.min(rest, Math.max(chunkBytes, bytes)))
    }
    offset = putEntry(chunk, offset, entries)
  }
  yield chunk.subarray(0, offset)
  if (entries.valid || offset !== rest)
    throw new InvalidArgumentError('the MemTable changed while it was being encoded')
}

function visibleEntries(
  table: MemTableSamples,
  rep: MemTableRep,
  limit: number,
  sequence: SequenceNumber,
): VisibleEntries {
  if (table.order !== bytewiseComparator.name) {
    throw new NotSupportedError('only a MemTable in bytewise order has a dump')
  }
  if (table.rangeCover(sequence) !== undefined) throw rangesHaveNoDump()
  return new VisibleEntries(rep, limit, sequence)
}

/** What a dump cannot say. */
export function rangesHaveNoDump(): NotSupportedError {
  return new NotSupportedError(
    'a MemTable with range tombstones has no dump: they also delete keys that it does not hold',
  )
}

function putHeader(dump: Bytes, count: number): void {
  putFixed32(dump, 0, MAGIC)
  putFixed32(dump, 4, count)
}

/** @returns the offset after the entry */
function putEntry(dump: Bytes, offset: number, entry: VisibleEntries): number {
  const { keyLen, valLen } = entry
  putFixed32(dump, offset, keyLen)
  putFixed32(dump, offset + 4, valLen)
  dump[offset + 8] = entry.isTombstone ? TOMBSTONE : VALUE
  const key = offset + ENTRY_HEADER_BYTES
  copyBytes(entry.keyBuf, entry.keyOff, dump, key, keyLen)
  copyBytes(entry.valBuf, entry.valOff, dump, key + keyLen, valLen)
  return key + keyLen + valLen
}

/**
 * The bytes of a WriteBatch: one record of the write-ahead log.
 *
 * Format   batch := sequence u64le | count u32le | op × count
 *          op    := 01 | key lps | value lps      (put)
 *                 | 00 | key lps                  (delete)
 *                 | 0F | start lps | end lps      (delete all keys of [start, end))
 *          lps   := varint32 length | bytes
 * The third op is varve's own (docs/rfcs/0006): LevelDB does not know it, so it is in a log only until the flush.
 * Op i has the sequence number `sequence + i`. A batch of count 0 is a marker: every LevelDB skips it; what it tells
 * varve's recovery stands in db/write/write-ahead-log.ts.
 * Source   google/leveldb db/write_batch.cc
 */
import { copyBytes, EMPTY } from '../base/bytes.ts'
import { getFixed32, getFixed64, putFixed32, putFixed64, putVarint, Reader, varintLength } from '../base/coding.ts'
import { type Bytes, MAX_SEQUENCE, type SequenceNumber } from '../base/types.ts'
import * as ValueType from '../base/value-type.ts'

/** Bytes before the first op. */
export const HEADER_BYTES = 12

/**
 * Where the ops of a batch go: a MemTable, a listing. Key and value are borrowed until return. Of a range delete, the key is
 * the start and the value is the end.
 */
export interface BatchSink {
  add(
    sequence: SequenceNumber,
    type: number,
    key: Bytes,
    keyOff: number,
    keyLen: number,
    value: Bytes,
    valOff: number,
    valLen: number,
  ): void
}

export function batchSequence(bytes: Bytes, offset: number): SequenceNumber {
  return getFixed64(bytes, offset) as SequenceNumber
}

export function batchCount(bytes: Bytes, offset: number): number {
  return getFixed32(bytes, offset + 8)
}

export function writeHeader(bytes: Bytes, offset: number, sequence: number, count: number): void {
  putFixed64(bytes, offset, sequence)
  putFixed32(bytes, offset + 8, count)
}

/** Bytes of a put's op. */
export function putBytes(keyLen: number, valLen: number): number {
  return 1 + varintLength(keyLen) + keyLen + varintLength(valLen) + valLen
}

/** Bytes of a delete's op. */
export function deleteBytes(keyLen: number): number {
  return 1 + varintLength(keyLen) + keyLen
}

/** Bytes of a range delete's op. */
export function deleteRangeBytes(startLen: number, endLen: number): number {
  return putBytes(startLen, endLen)
}

/** Write a put's op at `offset`, where there is room for it; returns the offset after it. */
export function writePut(bytes: Bytes, offset: number, key: Bytes, value: Bytes): number {
  bytes[offset] = ValueType.VALUE
  return writeString(bytes, writeString(bytes, offset + 1, key), value)
}

/** Write a delete's op at `offset`, where there is room for it; returns the offset after it. */
export function writeDelete(bytes: Bytes, offset: number, key: Bytes): number {
  bytes[offset] = ValueType.DELETION
  return writeString(bytes, offset + 1, key)
}

/** Write a range delete's op at `offset`, where there is room for it; returns the offset after it. */
export function writeDeleteRange(bytes: Bytes, offset: number, start: Bytes, end: Bytes): number {
  bytes[offset] = ValueType.RANGE_DELETION
  return writeString(bytes, writeString(bytes, offset + 1, start), end)
}

function writeString(bytes: Bytes, offset: number, string: Bytes): number {
  const start = putVarint(bytes, offset, string.length)
  copyBytes(string, 0, bytes, start, string.length)
  return start + string.length
}

/**
 * Hand every op of the batch at bytes[offset, offset + length) to `sink`, in order.
 * @returns undefined, or what is wrong with the batch; ops before the fault have then been handed over, so a caller who
 *   does not trust the bytes calls {@link batchFault} first
 */
export function forEachOp(
  bytes: Bytes,
  offset: number,
  length: number,
  sink: BatchSink | undefined,
): string | undefined {
  if (length < HEADER_BYTES) return 'batch is shorter than its header'
  const count = batchCount(bytes, offset)
  let sequence = batchSequence(bytes, offset)
  if (sequence < 0 || sequence + count > MAX_SEQUENCE) return 'batch sequence number is out of range'
  const reader = scratchReader.reset(bytes, offset + HEADER_BYTES, offset + length)
  for (let i = 0; i < count; i++) {
    const type = reader.byte()
    const keyLen = reader.varint32()
    const keyOff = reader.skip(keyLen)
    const isRange = type === ValueType.RANGE_DELETION
    const valLen = type === ValueType.VALUE || isRange ? reader.varint32() : 0
    const valOff = reader.skip(valLen)
    if (reader.failed) return 'batch op is cut short'
    if (type !== ValueType.VALUE && type !== ValueType.DELETION && !isRange)
      return `batch op has the unknown type ${type}`
    if (sink !== undefined) sink.add(sequence, type, bytes, keyOff, keyLen, bytes, valOff, valLen)
    sequence++
  }
  const left = reader.remaining
  // A batch may have a gibibyte.
  reader.reset(EMPTY, 0, 0)
  return left === 0 ? undefined : 'batch has bytes after its last op'
}

/** What is wrong with the batch at bytes[offset, offset + length), or undefined if it is well-formed. */
export function batchFault(bytes: Bytes, offset: number, length: number): string | undefined {
  return forEachOp(bytes, offset, length, undefined)
}

const scratchReader = new Reader(EMPTY)

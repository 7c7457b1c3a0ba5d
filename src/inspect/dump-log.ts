/**
 * A write-ahead log, record by record, as text: batches with their ops, markers, and the place where the log stops being
 * well-formed. Reading stops there, but showing does not: what can still be recognised beyond it is listed as well.
 *
 * Lines are made one batch at a time, so a log of any length streams.
 */
import type { RandomAccessFile } from '../base/environment.ts'
import type { Bytes, SequenceNumber } from '../base/types.ts'
import * as ValueType from '../base/value-type.ts'
import {
  type BatchSink,
  batchCount,
  batchFault,
  batchSequence,
  forEachOp,
  HEADER_BYTES,
} from '../batch/batch-format.ts'
import { HEADER_BYTES as FRAGMENT_HEADER_BYTES } from '../log/log-format.ts'
import { LogReader } from '../log/log-reader.ts'
import { describeFault } from './dump-fault.ts'
import { showCount, showPlural } from './figures.ts'
import { type BytesStyle, quoteBytes } from './render-bytes.ts'

/** The lines of a dump, without line feeds. */
export function* dumpLog(file: RandomAccessFile, style: BytesStyle): Generator<string> {
  const reader = new LogReader(file)
  const totals = { batches: 0, ops: 0, markers: 0 }
  while (reader.next()) {
    count(totals, reader)
    yield* showBatch(reader.recordStart, reader.recordBuf, reader.recordOff, reader.recordLen, style)
  }
  const { fault } = reader
  if (fault?.kind === 'room')
    yield `  @${fault.offset} room for more: ${showCount(file.bytes - fault.offset)} bytes of zeros`
  else if (fault !== undefined) {
    yield describeFault(fault, file.bytes)
    yield* beyond(reader, fault.offset + 1, style)
  }
  const { batches, ops, markers } = totals
  yield `  end: ${showPlural(batches, 'batch', 'batches')}, ${showPlural(ops, 'op')}, ${showPlural(markers, 'marker')}`
}

function count(totals: { batches: number; ops: number; markers: number }, reader: LogReader): void {
  if (reader.recordLen < HEADER_BYTES) return
  const ops = batchCount(reader.recordBuf, reader.recordOff)
  if (ops === 0) totals.markers++
  else totals.batches++
  totals.ops += ops
}

function* showBatch(at: number, bytes: Bytes, offset: number, length: number, style: BytesStyle): Generator<string> {
  if (length < HEADER_BYTES) {
    yield `  @${at} no batch: ${length} bytes, ${quoteBytes(bytes, offset, length, { ...style, hex: true })}`
    return
  }
  const sequence = batchSequence(bytes, offset)
  const ops = batchCount(bytes, offset)
  const shownSequence = sequence < 0 ? 'beyond 2^53' : showCount(sequence)
  if (ops === 0 && length === HEADER_BYTES) {
    yield `  @${at} marker, sequence ${shownSequence}`
    return
  }
  yield `  @${at} batch, sequence ${shownSequence}, ${showPlural(ops, 'op')}, ${showCount(length)} bytes`
  const lines = new OpLines(style)
  const fault = forEachOp(bytes, offset, length, lines)
  yield* lines.lines
  if (fault !== undefined) yield `    damage: ${fault}`
}

const OP_NAMES: ReadonlyMap<number, string> = new Map([
  [ValueType.VALUE, 'put'],
  [ValueType.DELETION, 'del'],
  [ValueType.RANGE_DELETION, 'del-range'],
])

/** A line for every op of a batch. */
class OpLines implements BatchSink {
  readonly lines: string[] = []
  readonly #style: BytesStyle

  constructor(style: BytesStyle) {
    this.#style = style
  }

  add(
    sequence: SequenceNumber,
    type: number,
    key: Bytes,
    keyOff: number,
    keyLen: number,
    value: Bytes,
    valOff: number,
    valLen: number,
  ): void {
    const shownKey = quoteBytes(key, keyOff, keyLen, this.#style)
    const op = `    ${showCount(sequence)} ${OP_NAMES.get(type)} ${shownKey}`
    const relation = type === ValueType.VALUE ? '=' : '..'
    const shownValue =
      type === ValueType.DELETION ? '' : ` ${relation} ${quoteBytes(value, valOff, valLen, this.#style)}`
    this.lines.push(op + shownValue)
  }
}

/** Whole batches beyond a fault; found by their looks, at any offset, so only those of a single fragment. */
function* beyond(reader: LogReader, from: number, style: BytesStyle): Generator<string> {
  let found: Bytes = new Uint8Array(0)
  const accept = (bytes: Bytes, offset: number, length: number): boolean => {
    if (length < HEADER_BYTES || batchFault(bytes, offset, length) !== undefined) return false
    found = bytes.slice(offset, offset + length)
    return true
  }
  let at = reader.findRecordAfter(from, accept)
  if (at >= 0) yield '  readable records beyond it, which recovery does not use:'
  while (at >= 0) {
    yield* showBatch(at, found, 0, found.length, style)
    at = reader.findRecordAfter(at + FRAGMENT_HEADER_BYTES + found.length, accept)
  }
}

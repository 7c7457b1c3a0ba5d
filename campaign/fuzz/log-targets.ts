/**
 * Decoders of logs and of what is in their records: batches, and version edits.
 */

import { putFixed32, Reader } from '../../src/base/coding.ts'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { crc32c, maskCrc } from '../../src/base/crc32c.ts'
import { type Bytes, fileNumber, sequenceNumber } from '../../src/base/types.ts'
import * as Batch from '../../src/batch/batch-format.ts'
import { LogReplay, type ReplayTarget } from '../../src/db/opening/log-replay.ts'
import { MemoryFile as MemoryContent } from '../../src/env/memory-file.ts'
import { MemoryFiles } from '../../src/env/memory-files.ts'
import { MemoryTree } from '../../src/env/memory-tree.ts'
import { LogReader } from '../../src/log/log-reader.ts'
import { readCurrent } from '../../src/version/manifest.ts'
import { decodeEdit, encodeEdit } from '../../src/version/version-edit.ts'
import { recoverVersion } from '../../src/version/version-set.ts'
import { MemoryFile } from '../../test/support/memory-file.ts'
import type { Shape } from '../damage/shapes.ts'
import { EndlessError, type FuzzTarget } from './fuzz-target.ts'

const HEADER_BYTES = 7
const BLOCK_BYTES = 32 * 1024

export function logTargets(shapes: readonly Shape[]): FuzzTarget[] {
  const logs = shapes.flatMap((shape) => shape.logs.map(({ name }) => shape.files.get(name)!.slice(0, 2048)))
  const manifests = shapes.flatMap(({ files }) =>
    [...files].filter(([name]) => name.startsWith('MAN')).map(([, b]) => b),
  )
  const records = (log: Bytes): Bytes[] => recordsIn(log)
  return [
    {
      name: 'varint',
      weight: 6,
      seeds: [Uint8Array.of(0x80, 1, 0xff, 0xff, 0xff, 0xff, 0x0f, 3, 1, 2, 3)],
      decode: decodeNumbers,
    },
    { name: 'batch', weight: 14, seeds: logs.flatMap(records), decode: decodeBatch },
    { name: 'log', weight: 8, seeds: logs, repair: repairLog, decode: decodeLog },
    { name: 'log replay', weight: 3, seeds: logs, repair: repairLog, decode: replayLog },
    { name: 'version edit', weight: 12, seeds: manifests.flatMap(records), decode: decodeVersionEdit },
    { name: 'manifest', weight: 4, seeds: manifests, repair: repairLog, decode: decodeManifest },
    { name: 'CURRENT', weight: 2, seeds: [new TextEncoder().encode('MANIFEST-000004\n')], decode: decodeCurrent },
  ]
}

/** The contents of a log's whole records. */
function recordsIn(log: Bytes): Bytes[] {
  const reader = new LogReader(new MemoryFile(log))
  const records: Bytes[] = []
  while (reader.next()) records.push(reader.recordBuf.slice(reader.recordOff, reader.recordOff + reader.recordLen))
  return records
}

/** Walk the fragments by the lengths that they have now. */
function repairLog(input: Bytes): void {
  for (let at = 0; at + HEADER_BYTES <= input.length; ) {
    const left = BLOCK_BYTES - (at % BLOCK_BYTES)
    const length = input[at + 4] | (input[at + 5] << 8)
    if (left < HEADER_BYTES) at += left
    else if (HEADER_BYTES + length > left || at + HEADER_BYTES + length > input.length) return
    else {
      putFixed32(input, at, maskCrc(crc32c(input, at + 6, length + 1)))
      at += HEADER_BYTES + length
    }
  }
}

function decodeNumbers(input: Bytes): boolean {
  const reader = new Reader(input)
  while (reader.remaining > 0 && !reader.failed) {
    if (reader.varint32() > 0xffffffff) throw new EndlessError('a varint32 beyond 32 bits')
    if (reader.varint64() > Number.MAX_SAFE_INTEGER) throw new EndlessError('a varint64 beyond the safe integers')
    reader.skip(reader.byte() & 3)
  }
  return !reader.failed
}

const ops = {
  bytes: 0,
  count: 0,
  add(_s: number, _t: number, _k: Bytes, _ko: number, keyLen: number, _v: Bytes, _vo: number, valLen: number): void {
    this.bytes += keyLen + valLen
    this.count++
  },
}

function decodeBatch(input: Bytes): boolean {
  ops.bytes = 0
  ops.count = 0
  const isValid = Batch.batchFault(input, 0, input.length) === undefined
  Batch.forEachOp(input, 0, input.length, ops)
  if (ops.bytes + ops.count > input.length) throw new EndlessError(`${ops.count} ops of ${ops.bytes} bytes`)
  return isValid
}

function decodeLog(input: Bytes): boolean {
  const reader = new LogReader(new MemoryFile(input))
  let bytes = 0
  while (reader.next()) {
    bytes += reader.recordLen + HEADER_BYTES
    if (bytes > input.length) throw new EndlessError(`${bytes} bytes of records`)
  }
  if (reader.fault === undefined) return true
  reader.findRecordAfter(reader.fault.offset + 1, (_, __, length) => length === 12)
  return false
}

const memory = new MemoryFiles(new MemoryTree(new Map([['/f', 'directory']])))

function place(name: string, input: Bytes): void {
  memory.tree.live.set(`/f/${name}`, MemoryContent.durable(input))
}

function replayLog(input: Bytes): boolean {
  place('000001.log', input)
  let bytes = 0
  const target: ReplayTarget = {
    fault: () => undefined,
    replay: (_: Bytes, __: number, length: number): void => {
      bytes += length
      if (bytes > input.length) throw new EndlessError(`${bytes} bytes of batches`)
    },
  }
  const replay = new LogReplay(memory, '/f', 'pointInTime', sequenceNumber(65), target)
  replay.add(fileNumber(1))
  return replay.report().discarded.length === 0
}

function decodeVersionEdit(input: Bytes): boolean {
  const edit = decodeEdit(input, 0, input.length)
  if (typeof edit === 'string') return false
  encodeEdit(edit)
  return true
}

function decodeManifest(input: Bytes): boolean {
  place('MANIFEST-000004', input)
  return recoverVersion(memory, '/f', fileNumber(4), bytewiseComparator).tornAt === undefined
}

function decodeCurrent(input: Bytes): boolean {
  place('CURRENT', input)
  place('MANIFEST-000004', input)
  const number = readCurrent(memory, '/f')
  if (number !== 4) throw new EndlessError(`CURRENT names ${number}`)
  return true
}

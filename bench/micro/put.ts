/**
 * The parts of a put, each alone: encode the batch, frame it for the log, hand it to the operating system, take it apart
 * again, insert it into the MemTable. 16-byte keys and 100-byte values; the MemTable grows to 100,000 entries.
 *
 *   node .build/bench/micro/put.js
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { WritableFile } from '../../src/base/environment.ts'
import { Prng } from '../../src/base/prng.ts'
import { sequenceNumber } from '../../src/base/types.ts'
import * as ValueType from '../../src/base/value-type.ts'
import * as Batch from '../../src/batch/batch-format.ts'
import { WriteGroup } from '../../src/db/write/write-group.ts'
import { nodeEnvironment } from '../../src/env/node-env.ts'
import { LogWriter } from '../../src/log/log-writer.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import { type Candidate, compare } from './timing.ts'

const COUNT = 100_000
const KEY = new Uint8Array(16).fill(0x6b)
const VALUE = new Uint8Array(100).fill(0x76)
const RECORD = new Uint8Array(Batch.HEADER_BYTES + Batch.putBytes(KEY.length, VALUE.length))
Batch.writeHeader(RECORD, 0, 1, 1)
Batch.writePut(RECORD, Batch.HEADER_BYTES, KEY, VALUE)

/** Random keys, one after another in one buffer: `zeros` digits 0, which all of them share, then random hexadecimal ones. */
function randomKeys(zeros: number): Uint8Array {
  const prng = new Prng(1)
  return Uint8Array.from({ length: COUNT * KEY.length }, (_, i) =>
    i % KEY.length < zeros ? 0x30 : '0123456789abcdef'.charCodeAt(prng.below(16)),
  )
}

/** A file that forgets. */
const nowhere: WritableFile = {
  path: 'nowhere',
  append() {},
  sync() {},
  async syncLater() {},
  close() {},
}

function encode(groupPuts: number): Candidate {
  return {
    name: `encode, ${groupPuts} a group`,
    count: COUNT,
    run(count) {
      let bytes = 0
      let memory: Uint8Array<ArrayBuffer> | undefined
      for (let i = 0; i < count; i += groupPuts) {
        const group = new WriteGroup(memory)
        for (let j = 0; j < groupPuts; j++) group.addPut(KEY, VALUE, 'os')
        bytes += group.bytes
        group.settle()
        memory = group.takeMemory()
      }
      return bytes
    },
  }
}

function frame(): Candidate {
  return {
    name: 'frame for the log',
    count: COUNT,
    run(count) {
      const writer = new LogWriter(nowhere)
      for (let i = 0; i < count; i++) {
        writer.add(RECORD, 0, RECORD.length)
        if (i % 100 === 0) writer.flush()
      }
      return writer.bytes
    },
  }
}

function append(directory: string): Candidate {
  let runs = 0
  return {
    name: 'write(2) of one record',
    count: 10_000,
    run(count) {
      const file = nodeEnvironment().files.createWritable(join(directory, String(runs++)))
      for (let i = 0; i < count; i++) file.append(RECORD, 0, RECORD.length)
      file.close()
      return count
    },
  }
}

function decode(): Candidate {
  let sum = 0
  const sink: Batch.BatchSink = {
    add(_sequence, _type, _key, keyOff, _keyLen, _value, valOff, valLen) {
      sum += keyOff + valOff + valLen
    },
  }
  return {
    name: 'take the batch apart',
    count: COUNT,
    run(count) {
      for (let i = 0; i < count; i++) Batch.forEachOp(RECORD, 0, RECORD.length, sink)
      return sum
    },
  }
}

function insert(name: string, keys: Uint8Array | undefined, groupPuts: number): Candidate {
  const ascending = new Uint8Array(KEY.length)
  return {
    name,
    count: COUNT,
    run(count) {
      const table = MemTable.create({ capacityBytes: 32 * 1024 * 1024 })
      const view = new DataView(ascending.buffer)
      for (let i = 0; i < count; i++) {
        view.setUint32(4, i)
        const keyOff = keys === undefined ? 0 : i * KEY.length
        const sequence = sequenceNumber(i + 1)
        table.add(sequence, ValueType.VALUE, keys ?? ascending, keyOff, KEY.length, VALUE, 0, VALUE.length)
        if (i % groupPuts === 0) table.publish()
      }
      return table.length
    },
  }
}

const directory = mkdtempSync(join(tmpdir(), 'varve-micro-'))
try {
  compare('the parts of a put', [
    encode(1),
    encode(1000),
    frame(),
    append(directory),
    decode(),
    insert('insert ascending, 1,000 a publication', undefined, 1000),
    insert('insert random, 1,000 a publication', randomKeys(0), 1000),
    insert('insert random, each published', randomKeys(0), 1),
    insert('insert random, 10 bytes shared', randomKeys(10), 1000),
  ])
} finally {
  rmSync(directory, { recursive: true, force: true })
}

/**
 * Checksums of entries: every byte of every entry is damaged in turn.
 * Invariants  a read then finds what was written, or throws CorruptionError; it never answers anything else, nor runs on for
 *             ever; a flush writes no table from damaged memory
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { CorruptionError, InvalidArgumentError } from '../../src/base/errors.ts'
import { Prng } from '../../src/base/prng.ts'
import { fileNumber, MAX_SEQUENCE } from '../../src/base/types.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { runFlushJob } from '../../src/jobs/flush-job.ts'
import { wordAligned } from '../../src/memtable/arena.ts'
import { HEADER_BYTES, SLOT_A, SLOT_B, TAIL } from '../../src/memtable/arena-layout.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import { listBackwards, listForwards } from '../table/entries.ts'
import { type Representation, testEach } from './representations.ts'

const KEYS = ['', 'a', 'ab', 'abcd', 'abcde', 'abcdefgh', 'abcdefghi', 'b', 'bb\0', 'c', 'long'.repeat(9), 'z']

/** Keys in no order, three of them with several versions. */
function fill(representation: Representation, checksums: boolean): MemTable {
  const table = MemTable.create({ capacityBytes: 1 << 14, representation, checksums })
  for (const i of [5, 3, 9, 0, 7, 1, 11, 10, 2, 8, 4, 6]) table.put(KEYS[i], `value ${i}`.repeat(i % 3))
  for (let i = 0; i < 9; i++) table.put('abcd', String(i))
  table.delete('b')
  table.put('z', 'last')
  table.freeze()
  return table
}

/** Offsets of all bytes that belong to entries: lengths, keys, tags, values, links, checksums. */
function entryBytes(table: MemTable): Set<number> {
  const offsets = new Set<number>()
  const addAll = (from: number, to: number): void => {
    for (let at = from; at < to; at++) offsets.add(at)
  }
  const words = new Int32Array(table.share().buffer)
  const at = table.iterator()
  for (at.seekToFirst(); at.valid; at.next()) {
    const version = at.valOff - 12
    addAll(at.keyOff - 4, at.keyOff + at.keyLen)
    addAll(words[(version >> 2) + 1] < 0 ? version - 12 : version, at.valOff + at.valLen)
    addAll(at.valOff + wordAligned(at.valLen), at.valOff + wordAligned(at.valLen) + 4)
  }
  return offsets
}

/** The same memory, with one byte changed. */
function damaged(table: MemTable, offset: number, change: number): MemTable {
  const { buffer, comparator } = table.share()
  const copy = new SharedArrayBuffer(buffer.byteLength)
  const bytes = new Uint8Array(copy)
  bytes.set(new Uint8Array(buffer))
  bytes[offset] ^= change
  return MemTable.attach({ buffer: copy, comparator })
}

/** Everything that reads find, or that they throw, in words. */
function readings(table: MemTable): string[] {
  const reads: (() => unknown)[] = [() => listForwards(table.iterator()), () => listBackwards(table.iterator())]
  for (const key of [...KEYS, 'absent', 'abc']) {
    for (const sequence of [MAX_SEQUENCE, 15, 3]) reads.push(() => table.get(key, sequence))
    reads.push(() => table.cursor().seek(key))
    reads.push(() => Array.from(table.rangeScan(key, 'c'), (entry) => entry.sequence))
  }
  return reads.map((read) => {
    try {
      return JSON.stringify(read(), (_, value) => (typeof value === 'bigint' ? String(value) : value)) ?? 'absent'
    } catch (error) {
      if (error instanceof CorruptionError && /checksum/.test(error.message)) return 'damage'
      throw error
    }
  })
}

testEach('a read of damaged memory finds what was written, or says so, seed 1', (representation) => {
  const table = fill(representation, true)
  const prng = new Prng(1)
  const expected = readings(table)
  assert.ok(!expected.includes('damage'))
  for (const offset of entryBytes(table)) {
    for (const change of [1 << prng.below(8), 1 + prng.below(255)]) {
      const found = readings(damaged(table, offset, change))
      // The height of a tower shares a word with the length of its key, and no read depends on it.
      const isHeight = representation === 'skiplist' && change < 16
      assert.ok(isHeight || found.includes('damage'), `byte ${offset} changed by ${change}, and nobody noticed`)
      for (const [i, words] of found.entries()) {
        if (words !== 'damage') assert.equal(words, expected[i], `read ${i} of byte ${offset} changed by ${change}`)
      }
    }
  }
})

testEach('checksums change no answer, and are off unless asked for', (representation) => {
  const checked = fill(representation, true)
  const plain = fill(representation, false)
  assert.deepEqual(readings(checked), readings(plain))
  assert.equal(checked.memoryUsage - plain.memoryUsage, 4 * plain.entryCount)
  assert.equal(MemTable.create({ capacityBytes: 64, representation }).share().buffer.byteLength, HEADER_BYTES + 64)
  checked.clear()
  checked.put('a', '1')
  const offset = new Uint8Array(checked.share().buffer).indexOf(0x31, HEADER_BYTES)
  new Uint8Array(checked.share().buffer)[offset] ^= 1
  assert.throws(() => checked.get('a'), CorruptionError, 'a cleared table has them, too')
})

test('checksums are asked for by true or false', () => {
  for (const checksums of [1, 'yes', null] as unknown as boolean[]) {
    assert.throws(() => MemTable.create({ checksums }), InvalidArgumentError)
  }
})

/** Flush a table to a fresh file system. @returns the names of the files after it */
function flush(table: MemTable): string[] {
  const environment = new MemoryEnvironment()
  environment.files.makeDirectory('db')
  const format = { blockBytes: 4096, restartInterval: 16, bloomBitsPerKey: 10, compression: 'none' } as const
  const job = {
    kind: 'flush',
    directory: 'db',
    number: fileNumber(7),
    memtable: table.share(),
    below: [],
    format,
    outlineBytesMax: 0,
  } as const
  try {
    runFlushJob(job, environment, bytewiseComparator)
  } catch (error) {
    assert.deepEqual(environment.files.list('db'), [], 'a failed flush leaves nothing')
    throw error
  }
  return environment.files.list('db')
}

testEach('damage never gets into a table', (representation) => {
  const table = fill(representation, true)
  assert.equal(flush(table).length, 1)
  const at = table.iterator()
  at.seekToLast()
  assert.throws(() => flush(damaged(table, at.valOff, 1)), /checksum/)
})

test('a flush notices entries that are not in order without checksums', () => {
  const table = fill('vector', false)
  const at = table.iterator()
  at.seekToLast()
  at.prev()
  assert.throws(
    () => flush(damaged(table, at.keyOff, 0xff)),
    (error: unknown) => {
      return error instanceof CorruptionError && /not in order/.test(error.message)
    },
  )
})

test('a flush notices a value that reaches beyond the memory without checksums', () => {
  const table = fill('vector', false)
  const at = table.iterator()
  at.seekToFirst()
  // The highest byte of the value's length, which lies right before it: far too long, then negative.
  for (const change of [0x7f, 0xff]) {
    assert.throws(
      () => flush(damaged(table, at.valOff - 1, change)),
      (error: unknown) => error instanceof CorruptionError && /reaches beyond/.test(error.message),
    )
  }
})

testEach('a flush notices that a MemTable has other entries than it counts', (representation) => {
  const table = fill(representation, false)
  const words = new Int32Array(table.share().buffer)
  const slot = words[SLOT_A] === words[TAIL] ? SLOT_A : SLOT_B
  // How many keys there are, 12, and how many versions of them besides, 11.
  for (const [number, entries] of [
    [slot + 1, 24],
    [slot + 2, 22],
  ]) {
    const expected = new RegExp(`of ${entries} entries yielded 23,`)
    assert.throws(
      () => flush(damaged(table, 4 * number, 1)),
      (error: unknown) => error instanceof CorruptionError && expected.test(error.message),
    )
  }
})

test('an entry under an equal key with other bytes has the checksum of the key that is shown', () => {
  const comparator = { name: 'test.lengths', compare: (a: Uint8Array, b: Uint8Array) => a.length - b.length }
  for (const representation of ['skiplist', 'vector'] as const) {
    const table = MemTable.create({ capacityBytes: 1 << 14, representation, comparator, checksums: true })
    for (const key of ['aaaa', 'bb', 'bbbb', 'cccc']) table.put(key, key)
    table.delete('dd')
    assert.equal(table.get('eeee')?.type, 'value', representation)
    assert.equal(table.get('ee')?.type, 'tombstone', representation)
    assert.deepEqual(
      Array.from(table.entries(), (entry) => entry.sequence),
      [5, 4],
      representation,
    )
    assert.equal(listForwards(table.iterator()).length, 5, representation)
  }
})

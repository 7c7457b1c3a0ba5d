/**
 * SortedVector, where it is not like other representations: entries in and out of order, when it sorts, who may attach; and the
 * sorter that it rests on.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { bytewiseComparator, customComparator } from '../../src/base/comparator.ts'
import { NotSupportedError } from '../../src/base/errors.ts'
import { Prng } from '../../src/base/prng.ts'
import { MAX_SEQUENCE, sequenceNumber } from '../../src/base/types.ts'
import * as ValueType from '../../src/base/value-type.ts'
import { HEADER_BYTES } from '../../src/memtable/arena-layout.ts'
import { KeySorter } from '../../src/memtable/key-sorter.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import { bytesOf, describe, listForwards } from '../table/entries.ts'
import { BATCH_KEYS, keyFor, OWN_KEYS, valueFor } from './batches.ts'
import { addTo, anyHistory, anyKey, newestAt, sorted } from './histories.ts'

function create(capacityBytes: number = 1 << 20): MemTable {
  return MemTable.create({ capacityBytes, representation: 'vector' })
}

/** Attached as on another thread. */
function attached(table: MemTable): MemTable {
  return MemTable.attach(structuredClone(table.share()))
}

test('it is attached once it is frozen, and shows everything then', () => {
  const table = create()
  for (const key of ['b', 'a', 'c', 'a']) table.put(key, key)
  assert.throws(() => attached(table), NotSupportedError)
  table.freeze()
  assert.deepEqual(listForwards(attached(table).iterator()), ['"a"#4=a', '"a"#2=a', '"b"#1=b', '"c"#3=c'])
  assert.equal(attached(table).length, 3)
  const empty = create()
  empty.freeze()
  assert.deepEqual(listForwards(attached(empty).iterator()), [])
})

test('reads between the writes, and none at all, make the same table', () => {
  fc.assert(
    fc.property(anyHistory, fc.array(fc.nat(4), { minLength: 1, maxLength: 20 }), (history, readsAt) => {
      const quiet = create()
      const read = create()
      const at = read.iterator()
      for (const [i, entry] of history.entries()) {
        addTo(quiet, entry)
        addTo(read, entry)
        const which = readsAt[i % readsAt.length]
        if (which === 0) assert.equal(read.length, newestAt(history.slice(0, i + 1), MAX_SEQUENCE).length)
        if (which === 1) assert.deepEqual(listForwards(at), sorted(history.slice(0, i + 1)).map(describe))
        if (which === 2) assert.equal(read.get(entry.key)?.sequence, read.largestSequence)
      }
      assert.deepEqual([read.length, read.sizeInBytes], [quiet.length, quiet.sizeInBytes])
      read.freeze()
      quiet.freeze()
      assert.deepEqual(new Uint8Array(read.share().buffer), new Uint8Array(quiet.share().buffer), 'byte for byte')
    }),
    { numRuns: 100 },
  )
})

test('an iterator of the writer keeps its entry when others are added around it', () => {
  const table = create()
  for (const key of ['d', 'b', 'f']) table.put(key, '')
  const cursor = table.cursor()
  cursor.seek('d')
  for (const key of ['a', 'c', 'e', 'd']) table.put(key, 'new')
  assert.equal(cursor.prev() && Buffer.from(cursor.key).toString(), 'c')
  table.put('cc', '')
  assert.equal(cursor.next() && Buffer.from(cursor.key).toString(), 'cc')
  assert.equal(cursor.next() && cursor.sequence, 7)
})

test('freezing takes the room that was held back for the index, and no more', () => {
  const table = create(40 * 100)
  let count = 0
  while (table.hasRoom(MemTable.entryBytesMax(8, 0))) table.put(String(10_000_000 - count++), '')
  assert.throws(
    () => {
      for (;;) table.put(String(10_000_000 - count++), '')
    },
    { code: 'MEMTABLE_FULL' },
  )
  const used = table.memoryUsage
  const found = listForwards(table.iterator())
  table.freeze()
  table.freeze()
  assert.equal(table.memoryUsage, used)
  assert.equal(table.share().buffer.byteLength, HEADER_BYTES + 4000)
  assert.deepEqual(listForwards(attached(table).iterator()), found)
})

test('a frozen vector is read by another thread, whole', async () => {
  const table = create(1 << 22)
  const batches = 500
  for (let batch = 1, sequence = 0; batch <= batches; batch++) {
    sequence = batch * (BATCH_KEYS + OWN_KEYS)
    for (let slot = 0; slot < BATCH_KEYS + OWN_KEYS; slot++) {
      const key = keyFor(slot, batch)
      const value = valueFor(key, batch)
      table.add(sequenceNumber(++sequence), ValueType.VALUE, key, 0, key.length, value, 0, value.length)
    }
  }
  table.freeze()
  const control = new Int32Array(new SharedArrayBuffer(8))
  control[0] = 1
  const workerData = { token: table.share(), control }
  const worker = new Worker(new URL('./reader-worker.js', import.meta.url), { workerData, execArgv: [] })
  const report = await new Promise<{ faults: string[]; lastBatch: number; listed: number }>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
  assert.deepEqual(report.faults, [])
  assert.deepEqual([report.lastBatch, report.listed], [batches, table.entryCount])
})

/** Sort keys that lie behind one another, and answer with their numbers. */
function sort(keys: readonly Uint8Array[], isCustom: boolean): number[] {
  const offsets = new Int32Array(keys.length)
  let end = 0
  for (const [i, key] of keys.entries()) {
    offsets[i] = end
    end += key.length
  }
  const custom = customComparator({ name: 'test.bytes', compare: (a, b) => Buffer.compare(a, b) })
  const lengths = Int32Array.from(keys, (key) => key.length)
  const bytes = new Uint8Array(Buffer.concat(keys))
  return [...new KeySorter(isCustom ? custom : bytewiseComparator).sort(bytes, offsets, lengths, keys.length)]
}

/** Those of the same key ascend, all but the first inverted. */
function sortedNumbers(keys: readonly Uint8Array[]): number[] {
  const order = keys.map((_, i) => i).sort((a, b) => Buffer.compare(keys[a], keys[b]) || a - b)
  return order.map((n, i) => (i > 0 && Buffer.compare(keys[order[i - 1]], keys[n]) === 0 ? ~n : n))
}

test('the sorter sorts any keys, and keeps those of the same key in order, and tells which they are', () => {
  const anyKeys = fc.oneof(
    fc.array(anyKey, { maxLength: 200 }),
    fc.array(fc.constantFrom('', 'a', 'aaaaaaa', 'aaaaaaaa\0', 'aaaaaaaa\0\0').map(bytesOf), { maxLength: 100 }),
  )
  fc.assert(
    fc.property(anyKeys, fc.boolean(), (keys, isCustom) => {
      assert.deepEqual(sort(keys, isCustom), sortedNumbers(keys))
    }),
    { numRuns: 300 },
  )
})

test('the sorter sorts thousands of keys, alike and not, seed 1', () => {
  const prng = new Prng(1)
  const shapes: [what: string, make: (i: number) => string][] = [
    ['random', () => prng.next32().toString(16)],
    ['ascending', (i) => String(i).padStart(12, '0')],
    ['descending', (i) => `key${1_000_000 - i}`],
    ['few', () => `key${prng.below(7)}`],
    ['one', () => 'key'],
    ['prefixes of one another', () => 'x'.repeat(prng.below(300))],
    ['whole bytes, and all of them', () => String.fromCharCode(...Array.from({ length: 5 }, () => prng.below(128)))],
    ['alike but for the end', () => `${'-'.repeat(40)}${prng.next32()}`],
    ['with zeros', () => `same-start-${'\0'.repeat(prng.below(9))}${prng.below(3)}`],
  ]
  for (const [what, make] of shapes) {
    const keys = Array.from({ length: 5000 }, (_, i) => bytesOf(make(i)))
    assert.deepEqual(sort(keys, false), sortedNumbers(keys), what)
  }
})

/**
 * LevelIterator: it is in one table at a time, and leaves each that it enters but the last.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { CorruptionError } from '../../src/base/errors.ts'
import { encodeInternalKey, MAX_TAG_HIGH, MAX_TAG_LOW } from '../../src/base/internal-key.ts'
import type { InternalIterator } from '../../src/base/iterator.ts'
import { fileNumber } from '../../src/base/types.ts'
import { Table } from '../../src/table/table.ts'
import type { FileMetadata } from '../../src/version/file-metadata.ts'
import { LevelIterator } from '../../src/version/level-iterator.ts'
import { ArrayIterator } from '../iterator/array-iterator.ts'
import { MemoryFile } from '../support/memory-file.ts'
import {
  buildTable,
  bytesOf,
  current,
  describe,
  type Entry,
  listBackwards,
  listForwards,
  putEntry,
} from '../table/entries.ts'

const TABLES = 5
const tables: readonly (readonly Entry[])[] = Array.from({ length: TABLES }, (_, table) =>
  Array.from({ length: 4 }, (_, i) => putEntry(bytesOf(`${table}${i}`), 1, bytesOf('x'))),
)
const options = { comparator: bytewiseComparator, filterPolicy: undefined, blockCache: undefined, codecs: undefined }
const format = { comparator: bytewiseComparator, blockBytes: 4096, restartInterval: 16, filterPolicy: undefined }
const contents = tables.map((entries) => buildTable(entries, format))
const files: readonly FileMetadata[] = tables.map((entries, i) => {
  const [smallest, largest] = [entries[0], entries[3]].map(({ key, low, high }) =>
    encodeInternalKey(key, 0, key.length, low, high),
  )
  return { number: fileNumber(i), bytes: contents[i].length, smallest, largest }
})
const expected = tables.flat().map(describe)

/** An iterator over the level, and what it is in. */
function make(refused = -1): { iterator: LevelIterator; open: Set<number>; log: string[] } {
  const open = new Set<number>()
  const log: string[] = []
  const enter = ({ number }: FileMetadata): InternalIterator => {
    if (number === refused) throw new CorruptionError('damaged')
    assert.ok(!open.has(number))
    open.add(number)
    log.push(`+${number}`)
    return Table.open(new MemoryFile(contents[number]), number, options).iterator()
  }
  const leave = ({ number }: FileMetadata): void => {
    assert.ok(open.delete(number))
    log.push(`-${number}`)
  }
  return { iterator: new LevelIterator(bytewiseComparator, files, enter, leave), open, log }
}

test('a walk is in one table at a time, in either direction', () => {
  const { iterator, open, log } = make()
  assert.deepEqual(listForwards(iterator), expected)
  assert.deepEqual(listBackwards(iterator).reverse(), expected)
  assert.equal(log.length, 4 * TABLES)
  assert.equal(open.size, 0)
  for (const key of ['31', '00', '43', '22']) {
    iterator.seek(bytesOf(key), 0, 2, MAX_TAG_LOW, MAX_TAG_HIGH)
    assert.deepEqual([...open], [Number(key[0])])
  }
})

test('a seek enters the first table that ends at or after its target, however large the sequences are', () => {
  const key = bytesOf('k')
  const sequences = [2 ** 52, 2 ** 40 + 1, 2 ** 40, 2 ** 24 + 7, 2 ** 24, 300, 255, 2, 1]
  const versions = sequences.map((sequence) => putEntry(key, sequence, bytesOf(`${sequence}`)))
  const apart = versions.map(({ low, high }, i) => {
    const end = encodeInternalKey(key, 0, 1, low, high)
    return { number: fileNumber(i), bytes: 1, smallest: end, largest: end }
  })
  const entered: number[] = []
  const iterator = new LevelIterator(bytewiseComparator, apart, ({ number }) => {
    entered.push(number)
    return new ArrayIterator([versions[number]])
  })
  for (const [i, { low, high }] of versions.entries()) {
    iterator.seek(key, 0, 1, low, high)
    assert.deepEqual([entered.splice(0), current(iterator)?.low, current(iterator)?.high], [[i], low, high])
  }
})

test('a table that cannot be opened leaves the iterator nowhere, and another seek works', () => {
  const { iterator, open } = make(2)
  iterator.seek(bytesOf('13'), 0, 2, MAX_TAG_LOW, MAX_TAG_HIGH)
  assert.throws(() => iterator.next(), CorruptionError)
  assert.equal(iterator.valid, false)
  assert.equal(open.size, 0)
  assert.throws(() => iterator.seek(bytesOf('20'), 0, 2, MAX_TAG_LOW, MAX_TAG_HIGH), CorruptionError)
  iterator.seek(bytesOf('30'), 0, 2, MAX_TAG_LOW, MAX_TAG_HIGH)
  assert.equal(iterator.valid, true)
  assert.deepEqual([...open], [3])
})

test('what is shown is the entry of the table that it is in, wherever that lies in its buffers', () => {
  const large = ['a', 'b', 'c', 'd'].map((key, i) =>
    putEntry(bytesOf(key), 2 ** 40 * (i + 1) + i, bytesOf(`of ${key}`)),
  )
  const halves = [large.slice(0, 2), large.slice(2)]
  const two = halves.map((entries, i): FileMetadata => {
    const [smallest, largest] = entries.map(({ key, low, high }) => encodeInternalKey(key, 0, key.length, low, high))
    return { number: fileNumber(i), bytes: 10, smallest, largest }
  })
  const iterator = new LevelIterator(bytewiseComparator, two, ({ number }) => new ArrayIterator(halves[number]))
  assert.deepEqual(listForwards(iterator), large.map(describe))
  assert.deepEqual(listBackwards(iterator).reverse(), large.map(describe))
  for (const { key, low, high } of large) {
    iterator.seek(key, 0, 1, low, high)
    assert.deepEqual(current(iterator)?.high, high)
  }
})

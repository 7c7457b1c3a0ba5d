/**
 * When a table asks a filter: before every read of a block; of a block that is kept, only while lookups miss now and then.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import * as Lookup from '../../src/base/lookup.ts'
import { type Bytes, fileNumber, MAX_SEQUENCE } from '../../src/base/types.ts'
import { BlockCache } from '../../src/cache/block-cache.ts'
import { BloomFilter } from '../../src/table/bloom-filter.ts'
import { Table } from '../../src/table/table.ts'
import { MemoryFile } from '../support/memory-file.ts'
import { buildTable, bytesOf, putEntry } from './entries.ts'

const COUNT = 2000

class CountingFilter extends BloomFilter {
  asked = 0

  override keyMayMatch(key: Bytes, keyOff: number, keyLen: number, filter: Bytes, off: number, len: number): boolean {
    this.asked++
    return super.keyMayMatch(key, keyOff, keyLen, filter, off, len)
  }
}

function presentKey(i: number): Uint8Array {
  return bytesOf(`key${100_000 + i}`)
}

/** Beside a key that is there, in its block. */
function missingKey(i: number): Uint8Array {
  return bytesOf(`key${100_000 + i}x`)
}

interface Asked {
  /** @returns how often a filter was asked for it */
  readonly present: (i: number) => number
  readonly missing: (i: number) => number
}

function openCounting(cacheBytes: number): Asked {
  const filterPolicy = new CountingFilter(10)
  const order = { comparator: bytewiseComparator, filterPolicy }
  const entries = Array.from({ length: COUNT }, (_, i) => putEntry(presentKey(i), i + 1, bytesOf(`value ${i}`)))
  const bytes = buildTable(entries, { ...order, blockBytes: 1024, restartInterval: 16 })
  const blockCache = new BlockCache(cacheBytes, bytewiseComparator)
  const table = Table.open(new MemoryFile(bytes), fileNumber(1), { ...order, codecs: undefined, blockCache })
  const ask = (key: Uint8Array, answer: number): number => {
    const before = filterPolicy.asked
    assert.equal(table.lookup(key, 0, key.length, MAX_SEQUENCE), answer)
    return filterPolicy.asked - before
  }
  return { present: (i) => ask(presentKey(i), Lookup.FOUND), missing: (i) => ask(missingKey(i), Lookup.ABSENT) }
}

/** Find one key after another, until a filter is no longer asked. */
function becomeSure(table: Asked): void {
  for (let i = 0; i < 8; i++) assert.equal(table.present(i), 1)
  assert.equal(table.present(0), 0)
}

test('lookups that find their keys stop asking the filters of blocks that are kept', () => {
  const table = openCounting(1 << 20)
  for (let i = 0; i < COUNT; i++) table.present(i)
  for (let i = 0; i < COUNT; i++) assert.equal(table.present(i), 0)
})

test('a block that has to be read is read only if its filter says so, however many keys were found', () => {
  const table = openCounting(1 << 20)
  becomeSure(table)
  assert.equal(table.present(COUNT - 1), 1)
})

test('a key that is missing is missing without a filter, too, after which the filters are asked again', () => {
  const table = openCounting(1 << 20)
  becomeSure(table)
  assert.equal(table.missing(3), 0)
  assert.equal(table.missing(3), 1)
  becomeSure(table)
})

test('a key that a filter rules out ends the row of those that were found', () => {
  const table = openCounting(1 << 20)
  for (let i = 0; i < 7; i++) assert.equal(table.present(i), 1)
  assert.equal(table.missing(7), 1)
  becomeSure(table)
})

test('without a cache every lookup asks a filter', () => {
  const table = openCounting(0)
  for (let i = 0; i < 100; i++) assert.equal(table.present(i), 1)
})

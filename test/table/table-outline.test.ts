/**
 * A table that is opened by what somebody else has read of it is the table that is opened from its file.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytewiseComparator, customComparator } from '../../src/base/comparator.ts'
import * as Lookup from '../../src/base/lookup.ts'
import { fileNumber, MAX_SEQUENCE } from '../../src/base/types.ts'
import { BloomFilter } from '../../src/table/bloom-filter.ts'
import { Table, type TableReadOptions } from '../../src/table/table.ts'
import { readOutline } from '../../src/table/table-outline.ts'
import { MemoryFile } from '../support/memory-file.ts'
import { buildTable, bytesOf, listBackwards, listForwards, putEntry } from './entries.ts'

const NUMBER = fileNumber(7)
const ANY_ORDER = customComparator({
  name: 'test.bytewise',
  compare: (a, b) => Buffer.compare(a, b),
})

interface Kind {
  readonly what: string
  readonly count: number
  readonly blockBytes?: number
  readonly filterPolicy?: BloomFilter
  readonly comparator?: typeof ANY_ORDER
  readonly isDamaged?: boolean
}

const BLOOM = new BloomFilter(10)
const KINDS: readonly Kind[] = [
  { what: 'nothing in it', count: 0 },
  { what: 'one block', count: 1, filterPolicy: BLOOM },
  { what: 'many blocks, and a filter', count: 500, filterPolicy: BLOOM },
  { what: 'many blocks, and no filter', count: 500 },
  { what: 'so many blocks that words have places', count: 1500, blockBytes: 1, filterPolicy: BLOOM },
  { what: 'an order of its own', count: 500, comparator: ANY_ORDER, filterPolicy: BLOOM },
  {
    what: 'a damaged filter',
    count: 500,
    filterPolicy: BLOOM,
    isDamaged: true,
  },
]

for (const {
  what,
  count,
  blockBytes = 256,
  comparator = bytewiseComparator,
  filterPolicy,
  isDamaged = false,
} of KINDS) {
  test(`a table with ${what} is the same by its outline, which another thread has read`, () => {
    const entries = Array.from({ length: count }, (_, i) =>
      putEntry(bytesOf(`key${10_000 + 2 * i}`), i + 1, bytesOf(`${i}`)),
    )
    const bytes = buildTable(entries, { comparator, blockBytes, restartInterval: 16, filterPolicy })
    const options: TableReadOptions = { comparator, filterPolicy, blockCache: undefined, codecs: {} }
    // The filter comes before the metaindex.
    if (isDamaged) bytes[readOutline(new MemoryFile(bytes), options).metaindexOffset - 100] ^= 1
    const outline = structuredClone(readOutline(new MemoryFile(bytes), options))
    const file = new MemoryFile(bytes)
    const given = Table.open(file, NUMBER, options, outline)
    assert.equal(file.readCount, 0)
    const whole = new MemoryFile(bytes)
    const read = Table.open(whole, NUMBER, options)
    const openingReads = whole.readCount
    assert.ok(openingReads > 0)
    assert.deepEqual(
      [given.memoryBytes, given.blockCount, given.filterIsDamaged],
      [read.memoryBytes, read.blockCount, isDamaged],
    )
    const found = (table: Table): unknown[] =>
      Array.from({ length: 2 * count + 2 }, (_, i) => {
        const key = bytesOf(`key${9_999 + i}`)
        const kind = table.lookup(key, 0, key.length, MAX_SEQUENCE)
        const value = kind === Lookup.FOUND ? table.valBuf.slice(table.valOff, table.valOff + table.valLen) : undefined
        return [kind, value, table.approximateOffset(key, 0, key.length)]
      })
    assert.deepEqual(found(given), found(read))
    // A filter that was lost on the way would cost reads.
    assert.equal(file.readCount, whole.readCount - openingReads)
    assert.deepEqual(listForwards(given.iterator()), listForwards(read.iterator()))
    assert.deepEqual(listBackwards(given.iterator()), listBackwards(read.iterator()))
  })
}

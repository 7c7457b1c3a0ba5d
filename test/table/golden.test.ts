/**
 * Tables that LevelDB in C++ wrote: varve reads them, and writes the same bytes.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { tagSequence, tagType } from '../../src/base/internal-key.ts'
import * as Lookup from '../../src/base/lookup.ts'
import { fileNumber, sequenceNumber } from '../../src/base/types.ts'
import * as ValueType from '../../src/base/value-type.ts'
import { Table } from '../../src/table/table.ts'
import { MemoryFile } from '../support/memory-file.ts'
import { buildTable, describe, listBackwards, listForwards } from './entries.ts'
import { type Golden, goldenNames, readGolden } from './golden.ts'

function openGolden(golden: Golden): Table {
  const { filterPolicy } = golden.options
  const options = { comparator: bytewiseComparator, filterPolicy, blockCache: undefined, codecs: {} }
  return Table.open(new MemoryFile(golden.table), fileNumber(5), options)
}

test('there are golden tables', () => {
  assert.ok(goldenNames().length >= 5)
})

for (const name of goldenNames()) {
  const golden = readGolden(name)
  const expected = golden.entries.map(describe)

  test(`${name}: a scan lists what LevelDB wrote, in both directions`, () => {
    const table = openGolden(golden)
    assert.equal(table.filterIsDamaged, false)
    assert.deepEqual(listForwards(table.iterator()), expected)
    assert.deepEqual(listBackwards(table.iterator()), expected.toReversed())
  })

  test(`${name}: every version of every key is found at its own sequence number`, () => {
    const table = openGolden(golden)
    for (const entry of golden.entries) {
      const sequence = tagSequence(entry.low, entry.high)
      const outcome = table.lookup(entry.key, 0, entry.key.length, sequence)
      if (tagType(entry.low) === ValueType.DELETION) {
        assert.equal(outcome, Lookup.DELETED)
      } else {
        assert.equal(outcome, Lookup.FOUND)
        assert.deepEqual(table.valBuf.slice(table.valOff, table.valOff + table.valLen), entry.value)
      }
      const isFirst = golden.entries.every((other) => describe(other) === describe(entry) || !isOlder(other, entry))
      const before = table.lookup(entry.key, 0, entry.key.length, sequenceNumber(sequence - 1))
      assert.equal(before === Lookup.ABSENT, isFirst, `${describe(entry)}, one sequence number earlier`)
    }
  })

  test(`${name}: the same entries make the same bytes`, () => {
    assert.deepEqual(Buffer.from(buildTable(golden.entries, golden.options)), Buffer.from(golden.table))
  })
}

/** Whether a is an older version of b's key. */
function isOlder(a: Golden['entries'][number], b: Golden['entries'][number]): boolean {
  return Buffer.compare(a.key, b.key) === 0 && tagSequence(a.low, a.high) < tagSequence(b.low, b.high)
}

/**
 * Damage to a table LevelDB wrote: every byte, changed in every way, one at a time. Whatever is damaged, each scan and each
 * lookup either gives exactly what was written or throws CorruptionError (or NotSupportedError, never here: the checksum
 * covers the type byte).
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { CorruptionError } from '../../src/base/errors.ts'
import { tagSequence, tagType } from '../../src/base/internal-key.ts'
import * as Lookup from '../../src/base/lookup.ts'
import { fileNumber } from '../../src/base/types.ts'
import * as ValueType from '../../src/base/value-type.ts'
import { BloomFilter } from '../../src/table/bloom-filter.ts'
import { Table } from '../../src/table/table.ts'
import { MemoryFile } from '../support/memory-file.ts'
import { describe, listBackwards, listForwards } from './entries.ts'
import { type Golden, readGolden } from './golden.ts'

const options = { comparator: bytewiseComparator, filterPolicy: new BloomFilter(10), blockCache: undefined }

interface Tally {
  caught: number
  filterLeftOut: number
  harmless: number
}

/** Whether `read` throws CorruptionError; any other error is a failure. */
function isCaught(read: () => void): boolean {
  try {
    read()
    return false
  } catch (error) {
    if (error instanceof CorruptionError) return true
    throw error
  }
}

function checkLookup(table: Table, golden: Golden, i: number): void {
  const entry = golden.entries[i]
  const outcome = table.lookup(entry.key, 0, entry.key.length, tagSequence(entry.low, entry.high))
  if (tagType(entry.low) === ValueType.DELETION) return assert.equal(outcome, Lookup.DELETED)
  assert.equal(outcome, Lookup.FOUND)
  assert.deepEqual(table.valBuf.slice(table.valOff, table.valOff + table.valLen), entry.value)
}

/** Read everything there is; count what came of it. */
function readDamaged(bytes: Uint8Array, golden: Golden, expected: readonly string[], tally: Tally): void {
  let table: Table | undefined
  let caught = isCaught(() => {
    table = Table.open(new MemoryFile(bytes), fileNumber(5), options)
  })
  if (table !== undefined) {
    const opened = table
    const reads = [
      () => assert.deepEqual(listForwards(opened.iterator()), expected),
      () => assert.deepEqual(listBackwards(opened.iterator()), expected.toReversed()),
      ...golden.entries.map((_, i) => () => checkLookup(opened, golden, i)),
    ]
    for (const read of reads) if (isCaught(read)) caught = true
  }
  if (caught) tally.caught++
  else if (table?.filterIsDamaged) tally.filterLeftOut++
  else tally.harmless++
}

function damageEveryByte(golden: Golden, masks: readonly number[]): Tally {
  const tally = { caught: 0, filterLeftOut: 0, harmless: 0 }
  const expected = golden.entries.map(describe)
  const bytes = golden.table.slice()
  for (let at = 0; at < bytes.length; at++) {
    for (const mask of masks) {
      bytes[at] ^= mask
      readDamaged(bytes, golden, expected, tally)
      bytes[at] ^= mask
    }
  }
  return tally
}

/** Bytes of the footer that mean nothing: between the handles and the magic number. */
function paddingBytes({ table }: Golden): number {
  let zeros = 0
  for (let at = table.length - 9; table[at] === 0; at--) zeros++
  return zeros
}

test('no change of one byte goes unnoticed where it matters', (t) => {
  const golden = readGolden('small')
  const masks = Array.from({ length: 255 }, (_, i) => i + 1)
  const tally = damageEveryByte(golden, masks)
  t.diagnostic(`${golden.table.length} bytes, 255 changes each: ${JSON.stringify(tally)}`)
  assert.equal(tally.harmless, paddingBytes(golden) * masks.length)
  assert.ok(tally.filterLeftOut > 0)
})

test('no change of one byte goes unnoticed in a table of several blocks', (t) => {
  const golden = readGolden('versions')
  const tally = damageEveryByte(golden, [0x01])
  t.diagnostic(`${golden.table.length} bytes, one change each: ${JSON.stringify(tally)}`)
  assert.equal(tally.harmless, paddingBytes(golden))
  assert.ok(tally.filterLeftOut > 0)
})

test('a table cut short at any length does not open', () => {
  const { table } = readGolden('versions')
  for (let length = 0; length < table.length; length++) {
    const cut = new MemoryFile(table.subarray(0, length))
    assert.throws(() => Table.open(cut, fileNumber(5), options), CorruptionError, `${length} bytes`)
  }
})

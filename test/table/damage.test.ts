/**
 * Damage to tables that LevelDB wrote, one byte at a time. Whatever is damaged, each scan and each lookup either gives
 * exactly what was written or throws CorruptionError; a damaged filter is left out.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { CorruptionError } from '../../src/base/errors.ts'
import { tagSequence, tagType } from '../../src/base/internal-key.ts'
import * as Lookup from '../../src/base/lookup.ts'
import { fileNumber } from '../../src/base/types.ts'
import * as ValueType from '../../src/base/value-type.ts'
import { BlockCache } from '../../src/cache/block-cache.ts'
import { BloomFilter } from '../../src/table/bloom-filter.ts'
import { Table } from '../../src/table/table.ts'
import { MemoryFile } from '../support/memory-file.ts'
import { describe, type Entry, listBackwards, listForwards } from './entries.ts'
import { type Golden, readGolden } from './golden.ts'

const bloom = new BloomFilter(10)

function open(bytes: Uint8Array): Table {
  const options = {
    comparator: bytewiseComparator,
    filterPolicy: bloom,
    blockCache: new BlockCache(1024 * 1024, bytewiseComparator),
    codecs: {},
  }
  return Table.open(new MemoryFile(bytes), fileNumber(5), options)
}

/** Each bit alone, and all of them; VARVE_LONG tries every change of a byte there is. */
const MASKS: readonly number[] =
  process.env['VARVE_LONG'] === undefined
    ? [1, 2, 4, 8, 16, 32, 64, 128, 255]
    : Array.from({ length: 255 }, (_, i) => i + 1)

interface Subject extends Golden {
  /** Entries to look up by key. */
  readonly sought: readonly Entry[]
}

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

function checkLookup(table: Table, entry: Entry): void {
  const outcome = table.lookup(entry.key, 0, entry.key.length, tagSequence(entry.low, entry.high))
  const isPut = tagType(entry.low) === ValueType.VALUE
  assert.equal(outcome, isPut ? Lookup.FOUND : Lookup.DELETED)
  if (!isPut) return
  assert.deepEqual(table.valBuf.slice(table.valOff, table.valOff + table.valLen), entry.value)
}

/** Read everything there is; count what came of it. */
function readDamaged(bytes: Uint8Array, golden: Subject, expected: readonly string[], tally: Tally): void {
  let table: Table | undefined
  let caught = isCaught(() => {
    table = open(bytes)
  })
  if (table !== undefined) {
    const opened = table
    const reads = [
      () => assert.deepEqual(listForwards(opened.iterator()), expected),
      () => assert.deepEqual(listBackwards(opened.iterator()), expected.toReversed()),
      ...golden.sought.map((entry) => () => checkLookup(opened, entry)),
    ]
    for (const read of reads) if (isCaught(read)) caught = true
  }
  if (caught) tally.caught++
  else if (table?.filterIsDamaged) tally.filterLeftOut++
  else tally.harmless++
}

function damageEveryByte(golden: Subject, masks: readonly number[]): Tally {
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

test('no change of one byte goes unnoticed', (t) => {
  const small = readGolden('small')
  const golden = { ...small, sought: small.entries }
  const tally = damageEveryByte(golden, MASKS)
  t.diagnostic(`${golden.table.length} bytes, ${MASKS.length} changes each: ${JSON.stringify(tally)}`)
  assert.equal(tally.harmless, 0)
  assert.ok(tally.filterLeftOut > 0)
})

test('no change of one byte goes unnoticed in a table of several blocks', (t) => {
  const whole = readGolden('versions')
  // Scans read every entry; of the lookups, a tenth reaches every block.
  const golden = { ...whole, sought: whole.entries.filter((_, i) => i % 10 === 0) }
  const tally = damageEveryByte(golden, [0x01])
  t.diagnostic(`${golden.table.length} bytes, one change each: ${JSON.stringify(tally)}`)
  assert.equal(tally.harmless, 0)
  assert.ok(tally.filterLeftOut > 0)
})

test('a table cut short at any length does not open', () => {
  const { table } = readGolden('versions')
  for (let length = 0; length < table.length; length++) {
    assert.throws(() => open(table.subarray(0, length)), CorruptionError, `${length} bytes`)
  }
})

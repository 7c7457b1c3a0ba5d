/**
 * Tables as text, whole and damaged. The whole one was written by LevelDB.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dumpTable } from '../../src/inspect/dump-table.ts'
import { findBlocks } from '../../src/inspect/find-blocks.ts'
import { MemoryFile } from '../support/memory-file.ts'
import { goldenNames, readGolden } from '../table/golden.ts'

const STYLE = { hex: false, maxBytes: 32 }

function dump(bytes: Uint8Array): string[] {
  return [...dumpTable(new MemoryFile(bytes, 'table'), STYLE)]
}

/** Lines of entries are indented deepest. */
function entriesIn(lines: readonly string[]): string[] {
  return lines.filter((line) => /^ {4}['0]/.test(line))
}

test('a table is shown from its footer to its last entry', () => {
  assert.deepEqual(dump(readGolden('small').table), [
    '  footer @302: metaindex @221+48, index @274+23',
    "  metaindex 'filter.leveldb.BuiltinBloomFilter2' @193+23, checksum good",
    '  index @274+23: 1 data block',
    "  block 0 @0+188, up to 'e' @max put",
    "    '' @7 put, 13 bytes",
    "    'apple' @8 put, 6 bytes",
    "    'apple' @5 del, 0 bytes",
    "    'apple' @1 put, 3 bytes",
    "    'apricot' @2 put, 6 bytes",
    "    'banana' @4 put, 6 bytes",
    "    'banana' @3 put, 5 bytes",
    "    'cherry' @9 del, 0 bytes",
    "    'cherry' @6 put, 0 bytes",
    "    'damson' @10 put, 4 bytes",
    '  end: 10 entries, of them 2 tombstones; keys 52 bytes, values 43 bytes',
    '  sequences 1 to 10',
  ])
})

test('every entry of every golden table is shown', () => {
  for (const name of goldenNames()) {
    const { table, entries } = readGolden(name)
    assert.equal(entriesIn(dump(table)).length, entries.length, name)
  }
})

test('a damaged data block is named, and all others are shown', () => {
  const { table, entries } = readGolden('versions')
  const damaged = table.slice()
  damaged[100] ^= 1
  const lines = dump(damaged)
  assert.ok(lines.includes('    damage: a block fails its checksum (table at byte 0)'))
  assert.equal(lines.at(-1), '  1 damaged block')
  const shown = entriesIn(lines)
  const lost = entriesIn(dump(table)).filter((line) => !shown.includes(line))
  assert.ok(lost.length > 0 && shown.length + lost.length === entries.length)
})

test('a damaged filter is named', () => {
  const { table } = readGolden('small')
  const damaged = table.slice()
  damaged[195] ^= 1
  const lines = dump(damaged)
  assert.match(lines[1], /, damage: a block fails its checksum/)
  assert.equal(entriesIn(lines).length, 10)
})

test('without a footer, or without an index, the entries are found by the checksums of their blocks', () => {
  const { table } = readGolden('versions')
  const expected = entriesIn(dump(table))
  const withoutFooter = table.slice(0, -48)
  const withoutIndex = table.slice()
  withoutIndex[5630] ^= 1
  for (const damaged of [withoutFooter, withoutIndex]) {
    const lines = dump(damaged)
    assert.ok(lines.includes('  searching for blocks by their checksums:'))
    assert.deepEqual(entriesIn(lines), expected)
  }
})

test('no damage of one byte keeps a table from being shown to its end', () => {
  const { table } = readGolden('small')
  for (let at = 0; at < table.length; at++) {
    const damaged = table.slice()
    damaged[at] ^= 0xff
    assert.ok(
      dump(damaged).some((line) => line.startsWith('  end: ')),
      `damage at ${at}`,
    )
  }
})

test('blocks are found up to the first that is damaged', () => {
  const { table } = readGolden('versions')
  const all = [...findBlocks(new MemoryFile(table))]
  assert.equal(all.length, 9)
  const damaged = table.slice()
  damaged[all[2].offset + 3] ^= 1
  assert.deepEqual([...findBlocks(new MemoryFile(damaged))], all.slice(0, 2))
})

test('a file that is no table at all is searched in vain, and says so', () => {
  assert.deepEqual(dump(new Uint8Array(10)), [
    '  footer damage: a table has at least 48 bytes, this file 10 (table at byte 0)',
    '  searching for blocks by their checksums:',
    '  end: 0 entries, of them 0 tombstones; keys 0 bytes, values 0 bytes',
  ])
})

/**
 * Tables as text, whole and damaged. The whole one was written by LevelDB.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { putFixed32 } from '../../src/base/coding.ts'
import { crc32c, maskCrc } from '../../src/base/crc32c.ts'
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

test('of a compressed block, codec and both lengths are shown', () => {
  const { table } = readGolden('snappy')
  const lines = dump(table)
  assert.equal(lines[2], '  index @17609+465 (snappy, 724 bytes): 26 data blocks')
  assert.equal(lines[3], "  block 0 @0+425 (snappy, 1,034 bytes), up to 'lake/0002' @93 put")
  assert.ok(lines.includes("  block 17 @7744+1032, up to 'lake/0063' @244 put"), 'one that did not get smaller')
  assert.equal(lines.at(-1), '  18 compressed blocks, stored in 8,124 bytes of 19,114')
  const found = dump(table.slice(0, -48))
  assert.deepEqual(entriesIn(found), entriesIn(lines))
  assert.ok(found.includes('  block @430+485 (snappy, 1,155 bytes)'))
})

test('of a block that cannot be uncompressed, the codec is named, and all others are shown', () => {
  const { table } = readGolden('snappy')
  const asZstd = withBlock(table, 430, 485, (block) => {
    block.set([0x28, 0xb5, 0x2f, 0xfd, 0x20, 4, 1 | (476 << 3), (476 << 3) >> 8, 0])
    block[485] = 2
  })
  const withoutZstd = dump(asZstd)
  assert.ok(withoutZstd.includes("  block 1 @430+485 (zstd), up to 'lake/0006' @187 put"))
  assert.ok(withoutZstd.some((line) => /^ {4}damage: .* zstd is not there/.test(line)))
  assert.equal(withoutZstd.at(-1), '  1 damaged block')
  const codecs = { zstd: { compress: () => new Uint8Array(0), uncompress: () => new Uint8Array([0, 0, 0, 0]) } }
  assert.ok(
    [...dumpTable(new MemoryFile(asZstd, 'table'), STYLE, codecs)].includes(
      "  block 1 @430+485 (zstd, 4 bytes), up to 'lake/0006' @187 put",
    ),
  )
  const damaged = withBlock(table, 430, 485, (block) => block.fill(0xff, 0, 3))
  const lines = dump(damaged)
  assert.ok(lines.includes("  block 1 @430+485 (snappy), up to 'lake/0006' @187 put"))
  assert.ok(lines.some((line) => /^ {4}damage: a block compressed with snappy is damaged/.test(line)))
})

/** A copy in which the block and its type byte were changed, and the checksum made right again. */
function withBlock(table: Uint8Array, offset: number, length: number, change: (block: Uint8Array) => void): Uint8Array {
  const copy = table.slice()
  const block = copy.subarray(offset, offset + length + 1)
  change(block)
  putFixed32(copy, offset + length + 1, maskCrc(crc32c(block, 0, block.length)))
  return copy
}

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

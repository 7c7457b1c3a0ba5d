/** How the blocks of a table come into its file, and from there to the disk. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BlockWriter } from '../../src/table/block-writer.ts'
import { BLOCK_TRAILER_BYTES } from '../../src/table/table-format.ts'
import { MemoryWritableFile } from '../support/memory-file.ts'

const MIB = 1024 * 1024

/** Keeps how long it was whenever it was to go on to the disk. */
class AskedFile extends MemoryWritableFile {
  readonly asked: number[] = []

  syncAhead(): void {
    this.asked.push(this.contents().length)
  }
}

test('blocks of any length lie behind one another where their handles say, and take few appends', () => {
  const lengths = [1, 100, 5000, 20_000, 70_000, 255_000, 262_139, 262_144, 262_145, 300_000, 10, 600_000, 7]
  const file = new MemoryWritableFile()
  const writer = new BlockWriter(file)
  const blocks = lengths.map((length, i) => new Uint8Array(length).fill(i + 1))
  const handles = blocks.map((block) => writer.writeBlock(block))
  const written = writer.offset
  writer.flush()
  const { appendCount } = file
  writer.flush()
  assert.equal(file.appendCount, appendCount, 'nothing is left')
  const contents = file.contents()
  let offset = 0
  for (const [i, block] of blocks.entries()) {
    assert.deepEqual(handles[i], { offset, bytes: block.length })
    assert.ok(Buffer.from(block).equals(contents.subarray(offset, offset + block.length)), `${block.length} bytes`)
    assert.equal(contents[offset + block.length], 0, 'stored as it is')
    offset += block.length + BLOCK_TRAILER_BYTES
  }
  assert.deepEqual([written, contents.length], [offset, offset])
  assert.ok(appendCount <= 2 * lengths.filter((length) => length > 200_000).length + 1, `${appendCount} appends`)
})

test('a table that becomes long goes on to the disk while it is written, a few mebibytes at a time; a short one does not', () => {
  const file = new AskedFile()
  const writer = new BlockWriter(file)
  const block = new Uint8Array(MIB / 16)
  while (writer.offset < 4 * MIB) writer.writeBlock(block)
  assert.deepEqual(file.asked, [])
  while (writer.offset < 40 * MIB) writer.writeBlock(block)
  writer.flush()
  const gaps = file.asked.map((bytes, i) => bytes - (file.asked[i - 1] ?? 0))
  assert.ok(gaps.length >= 3 && gaps.every((bytes) => bytes > 4 * MIB && bytes < 16 * MIB), String(gaps))
})

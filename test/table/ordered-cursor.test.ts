/**
 * OrderedCursor: entries of blocks that follow one another, what each key has in common with the one before it, and what is damage.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { commonPrefixLength } from '../../src/base/bytes.ts'
import { Block } from '../../src/table/block.ts'
import { OrderedCursor } from '../../src/table/ordered-cursor.ts'
import { blockOf, bytesOf, compareEntries, describe, type Entry, putEntry } from './entries.ts'

interface Read {
  readonly entries: string[]
  readonly common: number[]
}

function readAll(cursor: OrderedCursor, blocks: readonly Block[], read: Read = { entries: [], common: [] }): Read {
  for (const block of blocks) {
    cursor.enter(block)
    while (!cursor.isAtEnd) {
      cursor.next()
      const { keyBuf, keyLen, tagLow: low, tagHigh: high, valBuf, valOff, valLen, view, common } = cursor
      const value = valBuf.slice(valOff, valOff + valLen)
      assert.deepEqual(new Uint8Array(view.buffer, view.byteOffset + valOff, valLen), value)
      read.entries.push(describe({ key: keyBuf.slice(0, keyLen), low, high, value }))
      read.common.push(common)
    }
  }
  return read
}

/** `key@sequence`, a blank between two. */
function entriesOf(line: string): Entry[] {
  return line
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => {
      const [key, sequence] = word.split('@')
      return putEntry(bytesOf(key), Number(sequence), bytesOf(`value of ${word}`))
    })
}

const DAMAGE = 'damage'
const CASES: readonly (readonly [what: string, blocks: readonly string[], common: string])[] = [
  ['nothing', [''], ''],
  ['one key', ['a@1'], '0'],
  ['keys that begin as others do', ['a@1 ab@1 abc@1 abd@1 b@1'], '0 1 2 2 0'],
  ['keys in several blocks', ['a@1 ab@1', 'abc@1', 'abd@1 b@1'], '0 1 2 2 0'],
  ['a block without entries between others', ['ab@1', '', 'abc@1'], '0 2'],
  ['versions of a key', ['ab@9 ab@3', 'ab@2 b@1'], '0 2 2 0'],
  ['versions that only the upper halves of their tags tell apart', ['a@4294967296 a@16777216', 'a@1'], '0 1 1'],
  ['the empty key', ['@9 @3', '@1 a@1'], '0 0 0 0'],
  ['a key that comes again in its block', ['ab@3 ab@3'], DAMAGE],
  ['a key that comes again in the next block', ['ab@3', 'ab@3'], DAMAGE],
  ['a newer version behind an older one', ['ab@3 ab@4'], DAMAGE],
  ['a much newer version behind an older one', ['ab@3', 'ab@16777216'], DAMAGE],
  ['a smaller key in a block', ['abd@1 abc@1'], DAMAGE],
  ['a smaller key in the next block', ['abd@1', 'abc@1'], DAMAGE],
  ['a key that begins as the one before and ends earlier', ['abc@9 ab@1'], DAMAGE],
  ['the same in the next block', ['abc@9', 'ab@1'], DAMAGE],
  ['a key that is the beginning of the one before, which goes on below any tag', ['a\0@9 a@1'], DAMAGE],
  ['the empty key behind another', ['a@9 @1'], DAMAGE],
]

for (const [what, lines, common] of CASES) {
  test(`${what}: what a key has in common with the one before it, or damage if it does not come after it`, () => {
    for (const restartInterval of [1, 16]) {
      const blocks = lines.map((line) => blockOf(entriesOf(line), restartInterval))
      const entries = lines.flatMap(entriesOf).map(describe)
      const read: Read = { entries: [], common: [] }
      const walk = (): Read => readAll(new OrderedCursor(true), blocks, read)
      if (common === DAMAGE) {
        const damage = {
          name: 'CorruptionError',
          message: /entries of a table do not ascend/,
          file: 'f.ldb',
          offset: 7,
        }
        assert.throws(walk, damage)
        assert.deepEqual(read.entries, entries.slice(0, -1))
      } else {
        walk()
        assert.deepEqual(read.entries, entries)
        assert.equal(read.common.join(' '), common)
      }
      // Any other order is not judged here.
      const unordered = readAll(new OrderedCursor(false), blocks)
      assert.deepEqual(unordered.entries, entries)
      assert.ok(unordered.common.every((length) => length === 0))
    }
  })
}

test('keys are read whole, however much longer than the one before', () => {
  const entries = [1, 63, 64, 65, 200, 5000].map((length) => putEntry(new Uint8Array(length).fill(97), 1, bytesOf('v')))
  for (const restartInterval of [1, 16]) {
    const { entries: found, common } = readAll(new OrderedCursor(true), [blockOf(entries, restartInterval)])
    assert.deepEqual(found, entries.map(describe))
    assert.deepEqual(common, [0, 1, 63, 64, 65, 200])
  }
})

test('keys that go on as the tags of others do are told apart, wherever a block ends', () => {
  // A tag begins with its type, which is 1, and the lowest bytes of its sequence.
  const anyKey = fc.array(fc.constantFrom(0, 1, 2), { maxLength: 12 }).map((bytes) => Uint8Array.from(bytes))
  const anySequence = fc.constantFrom(0x0001, 0x0100, 0x0101, 0x010001, 0x010101, 2 ** 32 + 1)
  const anyEntry = fc.record({ key: anyKey, sequence: anySequence })
  const anyEntries = fc.uniqueArray(anyEntry, { maxLength: 40, selector: ({ key, sequence }) => `${key} ${sequence}` })
  fc.assert(
    fc.property(anyEntries, fc.array(fc.nat(40)), fc.integer({ min: 1, max: 20 }), (some, ends, restartInterval) => {
      const entries = some.map(({ key, sequence }, i) => putEntry(key, sequence, new Uint8Array(i).fill(i)))
      entries.sort(compareEntries)
      const limits = [...ends.sort((a, b) => a - b), entries.length]
      const blocks = limits.map((limit, i) =>
        blockOf(entries.slice(i === 0 ? 0 : limits[i - 1], limit), restartInterval),
      )
      const { entries: found, common } = readAll(new OrderedCursor(true), blocks)
      assert.deepEqual(found, entries.map(describe))
      for (let i = 1; i < entries.length; i++) {
        const [before, { key }] = [entries[i - 1].key, entries[i]]
        assert.equal(common[i], commonPrefixLength(before, 0, before.length, key, 0, key.length))
      }
    }),
  )
})

/** Shared, unshared and value bytes, then the rest of key and value. */
const BAD_ENTRIES: readonly (readonly [what: string, bytes: readonly number[], message: RegExp])[] = [
  ['a key shorter than a tag', [0, 7, 0, 1, 9, 0, 0, 0, 0, 0], /a key is shorter than a tag/],
  ['an unknown type', [0, 9, 0, 97, 2, 9, 0, 0, 0, 0, 0, 0], /unknown type or impossible sequence/],
  ['a sequence number above 2^53', [0, 9, 0, 97, 1, 0, 0, 0, 0, 0, 0, 0x20], /unknown type or impossible sequence/],
  ['a value beyond its block', [0, 9, 1, 97, 1, 9, 0, 0, 0, 0, 0, 0], /reaches beyond its block/],
]

for (const [what, bytes, message] of BAD_ENTRIES) {
  test(`an entry with ${what} is damage`, () => {
    for (const isBytewise of [true, false]) {
      const cursor = new OrderedCursor(isBytewise)
      cursor.enter(new Block(Uint8Array.from([...bytes, 0, 0, 0, 0, 1, 0, 0, 0]), 'f.ldb', 7))
      assert.throws(() => cursor.next(), { name: 'CorruptionError', message, file: 'f.ldb', offset: 7 })
    }
  })
}

test('a cursor that is new has nothing', () => {
  const cursor = new OrderedCursor(true)
  const { isAtEnd, valBuf, view, common } = cursor
  assert.deepEqual([isAtEnd, valBuf.length, view.byteLength, common], [true, 0, 0, 0])
})

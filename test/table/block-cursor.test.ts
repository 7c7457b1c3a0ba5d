/**
 * BlockCursor: entries of raw bytes, one after another: what they are, and which are damage.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Block } from '../../src/table/block.ts'
import { BlockCursor } from '../../src/table/block-cursor.ts'

const TEXT = new TextDecoder('latin1')

/** Bytes of entries, as text: shared, unshared and value bytes, then the rest of the key and the value. */
function blockOf(entries: string): Block {
  return new Block(Uint8Array.from([...Buffer.from(entries, 'latin1'), 0, 0, 0, 0, 1, 0, 0, 0]), 'f.ldb', 7)
}

function readAll(cursor: BlockCursor, read: string[] = []): string[] {
  while (!cursor.isAtEnd) {
    cursor.advance()
    const { block, key, keyLength, valueOffset, valueLength } = cursor
    const value = TEXT.decode(block.bytes.slice(valueOffset, valueOffset + valueLength))
    read.push(`${TEXT.decode(key.slice(0, keyLength))}=${value}`)
  }
  return read
}

function varint(value: number): string {
  return value < 128 ? String.fromCharCode(value) : String.fromCharCode((value & 127) | 128, value >> 7)
}

/** Two keys of so many bytes, which only the last one tells apart. */
function longKeys(length: number): string {
  return `\0${varint(length)}\0${'k'.repeat(length)}${varint(length - 1)}\x01\0x`
}

const SOUND: readonly (readonly [what: string, entries: string, read: readonly string[]])[] = [
  ['no entry', '', []],
  ['a key and a value', '\0\x05\x05applegreen', ['apple=green']],
  ['a key that shares with the one before', '\0\x02\x01ab1\x01\x01\x01c2', ['ab=1', 'ac=2']],
  ['a key that shares nothing, though not at a restart point', '\0\x02\x01ab1\0\x02\x01cd2', ['ab=1', 'cd=2']],
  ['a key that is the beginning of the one before', '\0\x03\0abc\x02\0\0', ['abc=', 'ab=']],
  ['the same key again', '\0\x02\x01ab1\x02\0\x012', ['ab=1', 'ab=2']],
  ['an empty key and an empty value at its end', '\0\x01\x01a1\0\0\0', ['a=1', '=']],
  ['lengths that need not be as long as they are', '\0\x81\0\x81\0a1', ['a=1']],
  ...[64, 65, 127, 128, 129, 300].map(
    (length) =>
      [`keys of ${length} bytes`, longKeys(length), [`${'k'.repeat(length)}=`, `${'k'.repeat(length - 1)}x=`]] as const,
  ),
]

for (const [what, entries, read] of SOUND) {
  test(`a block with ${what} is read as it is, as often as one likes`, () => {
    const cursor = new BlockCursor()
    for (let round = 0; round < 2; round++) {
      cursor.reset(blockOf(entries))
      assert.deepEqual(readAll(cursor), read)
    }
  })
}

const CUT_OFF = /an entry is cut off by the end of its block/
const TOO_LONG = /an entry reaches beyond its block or its neighbour/
const UNREADABLE = /an entry has no readable lengths/
const DAMAGED: readonly (readonly [what: string, entries: string, read: readonly string[], message: RegExp])[] = [
  ['two bytes of an entry', '\0\x01\x01a1\0\0', ['a=1'], CUT_OFF],
  ['one byte of an entry', '\0\x01\x01a1\0', ['a=1'], CUT_OFF],
  ['a first key that shares with another', '\x01\x01\0a', [], TOO_LONG],
  ['a key that shares more than the one before has', '\0\x02\0ab\x03\x01\0d', ['ab='], TOO_LONG],
  ['a key that ends behind its end', '\0\x02\0a', [], TOO_LONG],
  ['a value that ends behind its end', '\0\x01\x02a1', [], TOO_LONG],
  ['a value that is as long as its entry should be', '\0\x01\x03a1', [], TOO_LONG],
  ['lengths whose sum is 2^32', `\0\x01\xff\xff\xff\xff\x0fa`, [], TOO_LONG],
  ['a length that does not end', '\0\x01\xff\xff\xff', [], UNREADABLE],
  ['a length of more than 32 bits', '\0\x01\xff\xff\xff\xff\x1fa', [], UNREADABLE],
]

for (const [what, entries, read, message] of DAMAGED) {
  test(`a block with ${what} is damage, also for who comes from a sound one`, () => {
    const cursor = new BlockCursor()
    for (const before of ['', '\0\x04\0long']) {
      cursor.reset(blockOf(before))
      readAll(cursor)
      cursor.reset(blockOf(entries))
      const found: string[] = []
      assert.throws(() => readAll(cursor, found), { name: 'CorruptionError', message, file: 'f.ldb', offset: 7 })
      assert.deepEqual(found, read)
    }
  })
}

test('who goes back to a restart point takes no key along: an entry there that shares one is damage', () => {
  const cursor = new BlockCursor()
  cursor.reset(blockOf('\0\x02\0ab\x01\x01\0c'))
  assert.deepEqual(readAll(cursor), ['ab=', 'ac='])
  cursor.rewind(5)
  assert.throws(() => cursor.advance(), { name: 'CorruptionError', message: TOO_LONG })
  cursor.rewind(0)
  assert.deepEqual(readAll(cursor), ['ab=', 'ac='])
})

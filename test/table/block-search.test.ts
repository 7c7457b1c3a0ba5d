/**
 * Lookups in one block, beside BlockIterator, which rebuilds every key.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { CorruptionError } from '../../src/base/errors.ts'
import { tagType } from '../../src/base/internal-key.ts'
import * as Lookup from '../../src/base/lookup.ts'
import type { Bytes } from '../../src/base/types.ts'
import * as ValueType from '../../src/base/value-type.ts'
import { Block } from '../../src/table/block.ts'
import { BlockDirectories } from '../../src/table/block-directory.ts'
import { BlockIterator } from '../../src/table/block-iterator.ts'
import { BlockMemory } from '../../src/table/block-memory.ts'
import { BlockSearch, FOUND, NONE, UNSURE } from '../../src/table/block-search.ts'
import { LookupCursor } from '../../src/table/lookup-cursor.ts'
import { blockOf, bytesOf, compareEntries, describe, type Entry, listForwards, putEntry } from './entries.ts'
import { anyEntries } from './walks.ts'

interface Answer {
  readonly answer: number
  readonly value: string
}

function lookUp(cursor: LookupCursor, block: Block, key: Bytes, low: number, high: number): Answer {
  cursor.enter(block, 0, block)
  const answer = cursor.find(key, 0, key.length, low, high)
  const { valBuf, valOff, valLen } = cursor
  return {
    answer,
    value: answer === Lookup.FOUND ? Buffer.from(valBuf.slice(valOff, valOff + valLen)).toString('hex') : '',
  }
}

function sought(block: Block, key: Bytes, low: number, high: number): Answer {
  const entries = new BlockIterator(bytewiseComparator, block)
  entries.seek(key, 0, key.length, low, high)
  const isSame = entries.valid && Buffer.compare(entries.keyBuf.slice(0, entries.keyLen), key) === 0
  if (!isSame) return { answer: Lookup.ABSENT, value: '' }
  if (tagType(entries.tagLow) === ValueType.DELETION) return { answer: Lookup.DELETED, value: '' }
  const value = entries.valBuf.slice(entries.valOff, entries.valOff + entries.valLen)
  return { answer: Lookup.FOUND, value: Buffer.from(value).toString('hex') }
}

test('a lookup answers what a seek finds, with a directory and without, for every key and for keys that are not there', () => {
  const directories = new BlockDirectories()
  const memory = new BlockMemory()
  let withDirectory = 0
  const cursor = new LookupCursor(bytewiseComparator, new BlockMemory())
  fc.assert(
    fc.property(
      anyEntries,
      fc.array(fc.uint8Array({ maxLength: 4 })),
      fc.integer({ min: 1, max: 20 }),
      (some, keys, run) => {
        const entries = [...some].sort(compareEntries)
        if (entries.length === 0) return
        const block = blockOf(entries, run)
        const copy = directories.copyWith(block, memory)
        if (copy !== undefined) withDirectory++
        const others = keys.flatMap((key) => entries.slice(0, 3).map(({ low, high }) => ({ key, low, high })))
        const longer = entries.map(({ key, low, high }) => ({ key: Uint8Array.from([...key, low & 0xff]), low, high }))
        const shorter = entries.map(({ key, low, high }) => ({ key: key.slice(0, -1), low, high }))
        const older = entries.map(({ key }) => ({ key, low: 0, high: 0 }))
        const newest = entries.map(({ key }) => ({ key, low: 0xffffffff, high: 0xffffffff }))
        for (const { key, low, high } of [...entries, ...others, ...longer, ...shorter, ...older, ...newest]) {
          const expected = sought(block, key, low, high)
          assert.deepEqual(lookUp(cursor, block, key, low, high), expected)
          if (copy !== undefined) assert.deepEqual(lookUp(cursor, copy, key, low, high), expected)
        }
      },
    ),
  )
  assert.ok(withDirectory > 10, `${withDirectory} blocks had a directory`)
})

test('blocks of small entries, of few, of many bytes and of keys that do not ascend get no directory; a scan reads the others as before', () => {
  const directories = new BlockDirectories()
  const memory = new BlockMemory()
  const made = (count: number, valueBytes: number, step: number = 1): Block | undefined => {
    const numbers = Array.from({ length: count }, (_, i) => 1000 + (step < 0 ? count - i : i))
    const entries = numbers.map((n) => putEntry(bytesOf(`key${n}`), 5, new Uint8Array(valueBytes).fill(n)))
    const block = blockOf(entries, 16)
    const copy = directories.copyWith(block, memory)
    if (copy === undefined) return undefined
    assert.deepEqual(listForwards(new BlockIterator(bytewiseComparator, copy)), entries.map(describe))
    assert.deepEqual(copy.bytes.slice(0, copy.length), block.bytes)
    assert.equal(directories.copyWith(copy, memory), undefined, 'it has one')
    return copy
  }
  assert.equal(made(30, 100)?.entryCount, 30)
  assert.equal(made(30, 100)?.prefixLength, 'key10'.length)
  assert.equal(made(3, 100), undefined)
  assert.equal(made(30, 20), undefined)
  assert.equal(made(700, 100), undefined)
  assert.equal(made(30, 100, -1), undefined)
})

test('keys that only their later bytes tell apart are found in a directory, too', () => {
  const keys = ['a', 'b'].flatMap((group) => Array.from({ length: 40 }, (_, i) => bytesOf(`${group}-------${100 + i}`)))
  const entries = keys.map((key, i) => putEntry(key, 5, new Uint8Array(80).fill(i)))
  const block = new BlockDirectories().copyWith(blockOf(entries, 16), new BlockMemory()) as Block
  const cursor = new LookupCursor(bytewiseComparator, new BlockMemory())
  for (const { key, low, high } of entries)
    assert.equal(lookUp(cursor, block, key, low, high).value, sought(block, key, low, high).value)
  assert.equal(lookUp(cursor, block, bytesOf('a-------'), 0, 0).answer, Lookup.ABSENT)
})

/** All byte strings of zeros and ones, of up to so many. */
function zerosAndOnes(most: number): Uint8Array<ArrayBuffer>[] {
  const strings = [new Uint8Array(0)]
  for (let i = 0; strings[i].length < most; i++)
    for (const last of [0, 1]) strings.push(Uint8Array.from([...strings[i], last]))
  return strings
}

test('keys that go on as the tags of others do, or with zeros, are told apart by a directory', () => {
  const directories = new BlockDirectories()
  const cursor = new LookupCursor(bytewiseComparator, new BlockMemory())
  const keys = zerosAndOnes(5)
  // A tag begins with its type, which is 1, and the lowest byte of its sequence.
  const anySequence = fc.constantFrom(0x0001, 0x0100, 0x0101, 0x010001, 0x010101)
  const anyEntry = fc.record({ key: fc.constantFrom(...keys), sequence: anySequence })
  const anyBlock = fc.uniqueArray(anyEntry, {
    minLength: 4,
    maxLength: 40,
    selector: ({ key, sequence }) => `${key} ${sequence}`,
  })
  fc.assert(
    fc.property(anyBlock, fc.integer({ min: 1, max: 20 }), (some, run) => {
      const entries = some.map(({ key, sequence }, i) => putEntry(key, sequence, new Uint8Array(64).fill(i)))
      const block = blockOf(entries.sort(compareEntries), run)
      const copy = directories.copyWith(block, new BlockMemory())
      assert.ok(copy !== undefined)
      for (const key of keys) {
        for (const [low, high] of [
          [0xffffffff, 0xffffffff],
          [0x010101, 0],
          [0, 0],
        ] as const) {
          assert.deepEqual(lookUp(cursor, copy, key, low, high), sought(block, key, low, high))
        }
      }
    }),
  )
})

test('most lookups need no whole key, and versions that share a part of their tags do', () => {
  const search = new BlockSearch()
  const find = (entries: readonly Entry[], { key, low, high }: Entry): number =>
    search.find(blockOf(entries, 16), key, 0, key.length, low, high)
  const different = Array.from({ length: 40 }, (_, i) =>
    putEntry(bytesOf(`key${1000 + 3 * i}`), 5, bytesOf('v'.repeat(i * 9))),
  )
  for (const entry of different) {
    assert.equal(find(different, entry), FOUND)
    assert.equal(search.valLen, entry.value.length)
    assert.equal(find(different, { ...entry, key: bytesOf(`${Buffer.from(entry.key).toString()}x`) }), NONE)
  }
  const versions = [9, 8, 7].map((sequence) => putEntry(bytesOf('key'), sequence, bytesOf('v')))
  assert.equal(find(versions, versions[0]), FOUND)
  assert.equal(find(versions, versions[2]), UNSURE)
})

test('a lookup in a damaged block answers from within the block, or throws CorruptionError', () => {
  const entries = Array.from({ length: 30 }, (_, i) =>
    putEntry(bytesOf(`key${100 + i}`), 5 + i, bytesOf('v'.repeat(i * 10))),
  )
  const sound = blockOf(entries, 4).bytes
  const memory = new BlockMemory()
  const directories = new BlockDirectories()
  const cursor = new LookupCursor(bytewiseComparator, memory)
  let answered = 0
  let refused = 0
  for (let at = 0; at < sound.length; at++) {
    for (const change of [1, 0x80, 0xff]) {
      const bytes = sound.slice()
      bytes[at] ^= change
      try {
        const block = new Block(bytes, 'f.ldb', 7)
        for (const some of [directories.copyWith(block, memory) ?? block, block]) {
          for (const { key, low, high } of entries) {
            cursor.enter(some, 0, some)
            cursor.find(key, 0, key.length, low, high)
            assert.ok(cursor.valOff + cursor.valLen <= bytes.length)
          }
        }
        answered++
      } catch (error) {
        if (!(error instanceof CorruptionError)) throw error
        assert.deepEqual([error.file, error.offset], ['f.ldb', 7])
        refused++
      }
    }
  }
  assert.ok(answered > 0 && refused > 0, `${answered} answered, ${refused} refused`)
})

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
  // Other bytes lie around it.
  const answer = cursor.find(Uint8Array.from([0x61, ...key, 0x61, 0x62, 0x63]), 1, key.length, low, high)
  const { valBuf, valOff, valLen } = cursor
  return {
    answer,
    value: answer === Lookup.FOUND ? Buffer.from(valBuf.slice(valOff, valOff + valLen)).toString('hex') : '',
  }
}

/** A copy of a block with a directory; undefined if it is to have none. */
function withDirectory(block: Block): Block | undefined {
  const directories = new BlockDirectories()
  const bytes = directories.measure(block)
  if (bytes === 0) return undefined
  const memory = new Uint8Array(block.length + bytes)
  memory.set(block.bytes)
  const copy = new Block(memory, block.file, block.offset, block.length)
  directories.write(copy)
  return copy.entryCount > 0 ? copy : undefined
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
  let given = 0
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
        const copy = withDirectory(block)
        if (copy !== undefined) given++
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
  assert.ok(given > 10, `${given} blocks had a directory`)
})

test('blocks of small entries, of few, of many bytes and of keys that do not ascend get no directory; a scan reads the others as before', () => {
  const made = (count: number, valueBytes: number, step: number = 1): Block | undefined => {
    const numbers = Array.from({ length: count }, (_, i) => 1000 + (step < 0 ? count - i : i))
    const entries = numbers.map((n) => putEntry(bytesOf(`key${n}`), 5, new Uint8Array(valueBytes).fill(n)))
    const block = blockOf(entries, 16)
    const copy = withDirectory(block)
    if (copy === undefined) return undefined
    assert.deepEqual(listForwards(new BlockIterator(bytewiseComparator, copy)), entries.map(describe))
    assert.deepEqual(copy.bytes.slice(0, copy.length), block.bytes)
    assert.equal(withDirectory(copy), undefined, 'it has one')
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
  const block = withDirectory(blockOf(entries, 16)) as Block
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
      const copy = withDirectory(block)
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
  const block = withDirectory(blockOf(different, 16))
  for (const text of ['k', 'key', 'key0999', 'key1001', 'key9', 'lock'])
    assert.equal(search.find(block!, bytesOf(text), 0, text.length, 0, 0), NONE, text)
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
  const cursor = new LookupCursor(bytewiseComparator, memory)
  let answered = 0
  let refused = 0
  for (let at = 0; at < sound.length; at++) {
    for (const change of [1, 0x80, 0xff]) {
      const bytes = sound.slice()
      bytes[at] ^= change
      try {
        const block = new Block(bytes, 'f.ldb', 7)
        for (const some of [withDirectory(block) ?? block, block]) {
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

test('a block without entries answers nothing, as LevelDB writes it and as iq80 does', () => {
  const cursor = new LookupCursor(bytewiseComparator, new BlockMemory())
  for (const bytes of [blockOf([], 16).bytes, new Uint8Array(4)])
    assert.equal(lookUp(cursor, new Block(bytes, 'f.ldb', 7), bytesOf('a'), 0, 0).answer, Lookup.ABSENT)
})

test('of other runs, a lookup reads the keys at their restart points at most; by a directory, it goes straight to its entry', () => {
  const entries = Array.from({ length: 40 }, (_, i) =>
    putEntry(bytesOf(`key${100 + i}`), 5, new Uint8Array(80).fill(i)),
  )
  const sound = blockOf(entries, 4)
  const restartEntryBytes = 3 + 'key100'.length + 8 + 80
  const cursor = new LookupCursor(bytewiseComparator, new BlockMemory())
  for (let run = 0; run < 10; run++) {
    const { key, low, high } = entries[4 * run + 1]
    const { value } = sought(sound, key, low, high)
    const damaged = new Block(sound.bytes.slice(), 'f.ldb', 7)
    for (let other = 0; other < 10; other++) {
      const limit = other === 9 ? sound.entriesEnd : sound.restart(other + 1)
      if (other !== run) damaged.bytes.fill(0xff, sound.restart(other) + restartEntryBytes, limit)
    }
    assert.equal(lookUp(cursor, damaged, key, low, high).value, value)
    const copy = withDirectory(sound) as Block
    copy.bytes.fill(0xff, 0, sound.restart(run) + restartEntryBytes)
    assert.equal(lookUp(cursor, copy, key, low, high).value, value)
  }
})

test('a lookup reads lengths of several bytes, also those of which all but the last are zero in their seven bits', () => {
  const cursor = new LookupCursor(bytewiseComparator, new BlockMemory())
  // With the tag, 128 and 16,384 bytes: in base 128, a one and zeros.
  for (const keyBytes of [120, 121, 16_376]) {
    for (const valueBytes of [0, 127, 128, 16_384]) {
      const key = new Uint8Array(keyBytes).fill(0x61)
      const entries = [
        putEntry(key, 9, new Uint8Array(valueBytes).fill(0x62)),
        putEntry(Uint8Array.from([...key.subarray(1), 0x62]), 8, bytesOf('next')),
      ]
      for (const { key: wanted, low, high, value } of entries) {
        const found = lookUp(cursor, blockOf(entries, 16), wanted, low, high)
        assert.deepEqual(found, { answer: Lookup.FOUND, value: Buffer.from(value).toString('hex') })
      }
    }
  }
})

const TAG = '\x01\x07\0\0\0\0\0\0'

/** An entry in bytes, as text: `own` is what of its key, with the tag, is not shared. */
function rawEntry(shared: number, own: string, value: string = ''): string {
  return String.fromCharCode(shared, own.length, value.length) + own + value
}

/** A block of them, with restart points at these of them. */
function rawBlock(entries: readonly string[], restarts: readonly number[]): Block {
  const offsets = restarts.map((restart) => entries.slice(0, restart).join('').length)
  const words = new Uint8Array(new Uint32Array([...offsets, offsets.length]).buffer)
  return new Block(Uint8Array.from([...Buffer.from(entries.join(''), 'latin1'), ...words]), 'f.ldb', 7)
}

const A = rawEntry(0, `a${TAG}`)
const M = rawEntry(0, `m${TAG}`, 'found')
const CUT_OFF = /an entry is cut off by the end of its block/
const TOO_LONG = /an entry reaches beyond its block or its neighbour/
const UNREADABLE = /an entry has no readable lengths/
const SHORT = /a key is shorter than a tag/
const NO_TAG = /an entry of unknown type or impossible sequence number/

const DAMAGED: readonly (readonly [what: string, entries: string[], restarts: number[], message: RegExp])[] = [
  ['one byte of an entry', [A, '\0'], [0], CUT_OFF],
  ['two bytes of an entry', [A, '\0\x09'], [0], CUT_OFF],
  ['a first key that shares with another', [rawEntry(1, `b${TAG}`), M], [0], TOO_LONG],
  ['a key that shares more than the one before has', [A, rawEntry(10, `b${TAG}`), M], [0], TOO_LONG],
  ['a key that ends behind its end', [A, '\0\x0ak', TAG], [0], TOO_LONG],
  ['a value that ends behind its end', [A, '\0\x09\x01k', TAG], [0], TOO_LONG],
  ['lengths whose sum is 2^32', [A, `\0\x09\xf7\xff\xff\xff\x0fk${TAG}`], [0], TOO_LONG],
  ['a long value that ends behind its end', [A, `\0\x09\xff\x01k${TAG}`], [0], TOO_LONG],
  ['a length that does not end', [A, '\0\xff\xff\xff'], [0], UNREADABLE],
  ['an unknown type', [rawEntry(0, 'a\x02\x07\0\0\0\0\0\0'), M], [0], NO_TAG],
  ['a sequence of 2^53', [A, rawEntry(0, 'b\x01\0\0\0\0\0\0\x20'), M], [0], NO_TAG],
  ['a restart point whose key shares', [A, rawEntry(1, `b${TAG}`), M], [0, 1, 2], TOO_LONG],
  ['a restart point whose key has no tag', [A, rawEntry(0, 'b'), M], [0, 1, 2], SHORT],
  ['a key without a tag', [A, rawEntry(0, 'b'), M], [0], SHORT],
]

for (const [what, entries, restarts, message] of DAMAGED) {
  test(`a lookup that comes past ${what} tells of damage, though the key is behind it`, () => {
    const block = rawBlock(entries, restarts)
    const cursor = new LookupCursor(bytewiseComparator, new BlockMemory())
    const damage = { name: 'CorruptionError', message, file: 'f.ldb', offset: 7 }
    assert.throws(() => lookUp(cursor, block, bytesOf('m'), 0xffffffff, 0xffffffff), damage)
    assert.equal(withDirectory(block), undefined)
    assert.equal(lookUp(cursor, rawBlock([A, M], [0]), bytesOf('m'), 0xffffffff, 0xffffffff).answer, Lookup.FOUND)
  })
}

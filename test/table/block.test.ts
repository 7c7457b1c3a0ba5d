/**
 * Blocks: built and read back; walks beside a sorted array; damage.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toHex, viewOf } from '../../src/base/bytes.ts'
import { bytewiseComparator, type Comparator, customComparator } from '../../src/base/comparator.ts'
import { CorruptionError } from '../../src/base/errors.ts'
import { encodeInternalKey, tagSequence } from '../../src/base/internal-key.ts'
import type { Bytes } from '../../src/base/types.ts'
import { Block } from '../../src/table/block.ts'
import { BlockBuilder } from '../../src/table/block-builder.ts'
import { BlockIterator } from '../../src/table/block-iterator.ts'
import { type IndexState, readIndex, TableIndex } from '../../src/table/table-index.ts'
import { outlineBytes } from '../../src/table/table-outline.ts'
import { bytesOf, describe, type Entry, listBackwards, listForwards, putEntry } from './entries.ts'
import { anyEntries, anyMoves, checkWalk } from './walks.ts'

function build(entries: readonly Entry[], restartInterval: number): Bytes {
  const builder = new BlockBuilder(restartInterval, 16)
  for (const { key, low, high, value } of entries) {
    const encoded = encodeInternalKey(key, 0, key.length, low, high)
    builder.add(encoded, encoded.length, value, 0, value.length)
  }
  return builder.finish()
}

function iterate(bytes: Bytes, comparator: Comparator = bytewiseComparator): BlockIterator {
  return new BlockIterator(comparator, new Block(bytes, 'f.ldb', 7))
}

/** The order of bytes, but not known as such: takes the general path. */
const sameOrder: Comparator = customComparator({ name: 'same', compare: (a, b) => Buffer.compare(a, b) })

test('an empty block is one restart point and nothing else', () => {
  const builder = new BlockBuilder(16, 16)
  assert.equal(toHex(builder.finish()), '0000000001000000')
})

test('keys are shared with the one before, and whole at restart points', () => {
  const builder = new BlockBuilder(2, 16)
  for (const key of ['abc', 'abd', 'abde', 'b']) builder.add(bytesOf(key), key.length, bytesOf(key[0]), 0, 1)
  const expected =
    '00030161626361' + '0201016461' + '0004016162646561' + '0001016262' + '00000000' + '0c000000' + '02000000'
  assert.equal(builder.finishedBytes, expected.length / 2)
  assert.equal(toHex(builder.finish()), expected)
})

test('lengths of several bytes, of which all but the last are zero in their seven bits, are read as they are', () => {
  // With the tag, 16,384 bytes and 2,097,152: in base 128, a one and zeros.
  for (const length of [128, 16_384, 2_097_152]) {
    const first = new Uint8Array(length - 8).fill(0x61)
    const second = new Uint8Array(length + 1).fill(0x61)
    const entries = [putEntry(first, 9, new Uint8Array(0)), putEntry(second, 8, new Uint8Array(length).fill(0x62))]
    for (const restartInterval of [1, 16]) {
      const lines = listForwards(iterate(build(entries, restartInterval)))
      assert.deepEqual(
        lines.map((line) => line.length),
        entries.map((entry) => describe(entry).length),
        `${length}`,
      )
      assert.ok(
        lines.every((line, i) => line === describe(entries[i])),
        `${length}`,
      )
    }
  }
})

test('a builder that is reset builds the same block again', () => {
  const builder = new BlockBuilder(2, 16)
  const blocks = [0, 1].map(() => {
    builder.reset()
    for (const key of ['aa', 'ab', 'ac']) builder.add(bytesOf(key), 2, bytesOf(''), 0, 0)
    return toHex(builder.finish())
  })
  assert.equal(blocks[0], blocks[1])
})

for (const [name, comparator] of [
  ['bytewise', bytewiseComparator],
  ['custom', sameOrder],
] as const) {
  test(`walks over a block find what a sorted array holds (${name} order)`, () => {
    fc.assert(
      fc.property(anyEntries, anyMoves, fc.integer({ min: 1, max: 20 }), (entries, moves, restartInterval) => {
        checkWalk(iterate(build(entries, restartInterval), comparator), entries, moves)
      }),
      { numRuns: 300 },
    )
  })
}

test('an iterator goes from block to block', () => {
  const iterator = new BlockIterator(bytewiseComparator)
  iterator.seekToFirst()
  assert.equal(iterator.valid, false)
  for (const key of ['a', 'b']) {
    iterator.reset(new Block(build([putEntry(bytesOf(key), 1, bytesOf(key))], 16), 'f.ldb', 0))
    assert.equal(iterator.valid, false)
    assert.deepEqual(listForwards(iterator), [`"${key}"#1=${key}`])
    assert.deepEqual(listBackwards(iterator), [`"${key}"#1=${key}`])
  }
})

test('keys and values of any length survive', () => {
  const lengths = [0, 1, 63, 64, 65, 127, 128, 200, 5000, 70_000]
  const entries = lengths.map((n, i) =>
    putEntry(new Uint8Array(n).fill(120), i + 1, new Uint8Array(lengths.at(-1 - i)!)),
  )
  const iterator = iterate(build(entries, 4))
  assert.equal(listForwards(iterator).length, lengths.length)
  for (const { key, low, high, value } of entries) {
    iterator.seek(key, 0, key.length, low, high)
    assert.deepEqual([iterator.keyLen, iterator.valLen], [key.length, value.length])
  }
})

test('keys that outgrow the memory of the one before keep what they share with it, at restart points and between', () => {
  const texts = [10, 60, 110, 111, 300, 700, 1500].map((length) => 'abcdefg'.repeat(length).slice(0, length))
  for (const restartInterval of [1, 2, 3, 16]) {
    const added = new BlockBuilder(restartInterval, 16)
    const entered = new BlockBuilder(restartInterval, 16)
    let shared = 0
    for (const text of texts) {
      const encoded = encodeInternalKey(bytesOf(text), 0, text.length, 257, 0x010203)
      added.add(encoded, encoded.length, bytesOf(''), 0, 0)
      entered.addEntry(bytesOf(text), 0, text.length, 257, 0x010203, shared, bytesOf(''), 0, 0, undefined)
      shared = text.length
    }
    const read = (block: Bytes): string[] => listForwards(iterate(block))
    const expected = texts.map((text) => `"${text}"#${tagSequence(257, 0x010203)}=`)
    assert.deepEqual(read(added.finish()), expected)
    assert.deepEqual(read(entered.finish()), expected)
  }
})

const key = '6b' + '0101000000000000'
const badBlocks: readonly (readonly [string, string])[] = [
  ['shorter than its restart count', '000000'],
  ['no restart point, but entries', `000900${key}` + '00000000'],
  ['more restart points than room', '00000000' + '02000000'],
  ['2^32 − 1 restart points', '00000000' + 'ffffffff'],
  ['a first restart point that is not 0', `000900${key}` + '01000000' + '01000000'],
  ['restart points that do not ascend', `000900${key}` + '00000000' + '00000000' + '02000000'],
  ['a restart point at the end of the entries', `000900${key}` + '00000000' + '0c000000' + '02000000'],
  ['a restart point that is not at an entry', `000900${key}` + '00000000' + '0b000000' + '02000000'],
  ['a key that shares with nothing', `010900${key}` + '00000000' + '01000000'],
  ['a key beyond the block', `000a00${key}` + '00000000' + '01000000'],
  ['a value beyond the block', `000901${key}` + '00000000' + '01000000'],
  ['lengths whose sum passes 2^32', `0009fbffffff0f${key}` + '00000000' + '01000000'],
  ['a length of 2^53', `00098080808080808010${key}` + '00000000' + '01000000'],
  ['a length that never ends', 'ffffffffffffffffffffffff' + '00000000' + '01000000'],
  ['an entry cut off', '0009' + '00000000' + '01000000'],
  ['a key shorter than a tag', '0007000101000000000000'.slice(0, 20) + '00000000' + '01000000'],
  ['an unknown type', `000900` + '6b' + '0201000000000000' + '00000000' + '01000000'],
  ['a sequence number above 2^53 − 1', `000900` + '6b' + '01ffffffffffffff' + '00000000' + '01000000'],
]

test('a number of restart points that cannot be is damage before anything is read', () => {
  for (const hex of [`000900${key}` + '00000000', '00000000' + '00000000', '000000' + '01000000']) {
    const bytes = new Uint8Array(Buffer.from(hex, 'hex'))
    assert.throws(() => new Block(bytes, 'f.ldb', 7), /impossible number of restart points/, hex)
  }
})

for (const [name, hex] of badBlocks) {
  test(`a block with ${name} is damage that names file and offset`, () => {
    const bytes = new Uint8Array(Buffer.from(hex, 'hex'))
    const isNamed = (error: unknown): boolean =>
      error instanceof CorruptionError && error.file === 'f.ldb' && error.offset === 7
    assert.throws(() => listForwards(iterate(bytes)).concat(listBackwards(iterate(bytes))), isNamed)
  })
}

test('an entry whose lengths are cut off by the end of its block is told as such', () => {
  const entry = [0, 9, 0, 97, ...TAG]
  for (const cut of [[0], [0, 0], [255, 255]]) {
    const iterator = iterate(rawBlock([...entry, ...cut], [0]))
    iterator.seekToFirst()
    assert.throws(() => iterator.next(), /an entry is cut off by the end of its block/)
  }
})

test('an iterator is not valid before its first move, after a reset, past either end, and once a search has met damage', () => {
  const sound = build([putEntry(bytesOf('b'), 1, bytesOf('v'))], 16)
  const iterator = iterate(sound)
  const { valid, keyOff, keyLen, tagLow, tagHigh, valOff, valLen } = iterator
  assert.deepEqual([valid, keyOff, keyLen, tagLow, tagHigh, valOff, valLen], [false, 0, 0, 0, 0, 0, 0])
  assert.ok(iterator.keyBuf instanceof Uint8Array)
  assert.equal(iterator.valBuf, sound)
  const leave: readonly (() => void)[] = [
    () => iterator.next(),
    () => iterator.prev(),
    () => iterator.seek(bytesOf('c'), 0, 1, 0, 0),
    () => iterator.reset(new Block(sound, 'f.ldb', 7)),
  ]
  for (const [i, move] of leave.entries()) {
    iterator.seekToFirst()
    assert.equal(iterator.valid, true)
    move()
    assert.equal(iterator.valid, false, `move ${i}`)
  }
  const damaged = new Block(rawBlock([0, 9, 0, 97, ...TAG, 0, 3, 0, 120, 121, 122], [0, 12]), 'f.ldb', 7)
  for (const move of [() => iterator.seek(bytesOf('m'), 0, 1, 0, 0), () => iterator.seekToLast()]) {
    iterator.reset(damaged)
    iterator.seekToFirst()
    assert.equal(iterator.valid, true)
    assert.throws(move, /a key is shorter than a tag/)
    assert.equal(iterator.valid, false)
  }
  iterator.reset(new Block(sound, 'f.ldb', 7))
  iterator.seekToFirst()
  iterator.reset(new Block(build([], 16), 'f.ldb', 7))
  iterator.seekToLast()
  assert.equal(iterator.valid, false)
})

test('an iterator that met damage is not valid, and can be sought elsewhere', () => {
  const bytes = new Uint8Array(Buffer.from(`000900${key}` + '001000' + '00000000' + '01000000', 'hex'))
  const iterator = iterate(bytes)
  iterator.seekToFirst()
  assert.throws(() => iterator.next(), CorruptionError)
  assert.equal(iterator.valid, false)
  iterator.seekToFirst()
  assert.equal(iterator.valid, true)
})

test('an empty block as iq80 writes it has no entries', () => {
  const iterator = iterate(new Uint8Array(4))
  assert.deepEqual(listForwards(iterator), [])
  assert.deepEqual(listBackwards(iterator), [])
  iterator.seek(bytesOf('a'), 0, 1, 1, 0)
  assert.equal(iterator.valid, false)
})

/** A block of these bytes of entries, with restart points at these offsets. */
function rawBlock(entries: readonly number[], restarts: readonly number[]): Uint8Array {
  const words = new Uint8Array(new Uint32Array([...restarts, restarts.length]).buffer)
  return Uint8Array.from([...entries, ...words])
}

const TAG = [1, 7, 0, 0, 0, 0, 0, 0]

test('a restart point inside an entry is told when the walk goes back over it', () => {
  const inner = [0, 9, 0, 98, ...TAG]
  const iterator = iterate(rawBlock([0, 9, 12, 97, ...TAG, ...inner], [0, 12]))
  iterator.seekToLast()
  assert.equal(String.fromCharCode(iterator.keyBuf[0]), 'b')
  assert.throws(() => iterator.prev(), /a restart point that is not at an entry/)
})

test('a key that is shorter than a tag is told, by a walk and by a search over restart points', () => {
  const bytes = rawBlock([0, 9, 0, 97, ...TAG, 0, 3, 0, 120, 121, 122], [0, 12])
  const walk = iterate(bytes)
  walk.seekToFirst()
  assert.throws(() => walk.next(), /a key is shorter than a tag/)
  const search = iterate(bytes)
  assert.throws(() => search.seek(bytesOf('m'), 0, 1, 0, 0), /a key is shorter than a tag/)
})

test('a key that is shorter than a tag is told by a search that goes on behind it, too', () => {
  const entries = [0, 9, 0, 97, ...TAG, 0, 3, 0, 120, 121, 122, 0, 9, 0, 112, ...TAG]
  const iterator = iterate(rawBlock(entries, [0, 12, 18]))
  assert.throws(() => iterator.seek(bytesOf('q'), 0, 1, 0, 0), /a key is shorter than a tag/)
})

test('a block that is made has no directory, and nobody holds or has used it', () => {
  const { entryCount, prefixLength, holders, isUsed, memory } = new Block(build([], 16), 'f.ldb', 7)
  assert.deepEqual([entryCount, prefixLength, holders, isUsed, memory], [0, 0, 0, false, undefined])
})

test('separators of one user key are in order newest first, by both halves of their tags', () => {
  const tag = (low: number, high: number): number[] => [...new Uint8Array(Uint32Array.of(low, high).buffer)]
  const entry = ([low, high]: readonly [number, number], offset: number): number[] => [
    ...[0, 9, 2, 97, ...tag(low, high)],
    ...[offset, 1],
  ]
  type Tag = readonly [low: number, high: number]
  const indexOf = (a: Tag, b: Tag): IndexState =>
    readIndex(bytewiseComparator, new Block(rawBlock([...entry(a, 0), ...entry(b, 10)], [0, 14]), 'f', 7), 99)
  const cases: readonly (readonly [newer: Tag, older: Tag])[] = [
    [
      [1, 2],
      [1, 1],
    ],
    [
      [513, 1],
      [257, 1],
    ],
    [
      [1, 0x300],
      [0xff000001, 0x2ff],
    ],
  ]
  for (const [newer, older] of cases) {
    assert.equal(indexOf(newer, older).count, 2)
    assert.throws(() => indexOf(older, newer), /an index that does not ascend/)
    assert.throws(() => indexOf(newer, newer), /an index that does not ascend/)
  }
})

test('a key that shares more than its user key with the one before is found alike by both searches', () => {
  // The second key is the first one without its tag, and ends with what looks like one.
  const bytes = rawBlock([0, 18, 0, 97, 98, ...TAG, ...TAG, 10, 0, 0, 2, 8, 0, ...TAG], [0])
  for (const sought of [
    'a',
    'ab',
    'abc',
    'ab\u0001',
    `ab${String.fromCharCode(...TAG)}`,
    `ab${String.fromCharCode(...TAG)}z`,
    'b',
  ]) {
    const key = Buffer.from(sought, 'latin1')
    const found = [bytewiseComparator, sameOrder].map((comparator) => {
      const iterator = iterate(bytes, comparator)
      iterator.seek(key, 0, key.length, 0, 0)
      return iterator.valid ? toHex(iterator.keyBuf, 0, iterator.keyLen) : undefined
    })
    assert.equal(found[0], found[1], JSON.stringify(sought))
  }
})

test('it is known how much memory an index takes, with words to search by and without', () => {
  const entry = (letter: number, offset: number): number[] => [0, 9, 2, letter, ...TAG, offset, 1]
  const block = new Block(rawBlock([...entry(97, 0), ...entry(98, 10), ...entry(99, 20)], [0, 14, 28]), 'f.ldb', 7)
  // Three separators in a buffer as long as the entries; four starts of 4 bytes; an offset of 8 and a length of 4 each.
  const bytes = 42 + 16 + 24 + 12
  const bytesBy = (comparator: Comparator): number =>
    outlineBytes({
      metaindexOffset: 99,
      index: readIndex(comparator, block, 99),
      filters: undefined,
      filterIsDamaged: false,
    })
  assert.equal(bytesBy(sameOrder), bytes)
  // Two words of 8 bytes; of their one bucket the first word, and the count twice, of 4.
  assert.equal(bytesBy(bytewiseComparator), bytes + 16 + 12)
})

test('an index that names a block of 4 GiB is refused, however large the file', () => {
  const handle = (...bytes: readonly number[]): number[] => [0, 9, 1 + bytes.length, 97, ...TAG, 0, ...bytes]
  const indexOf = (entry: readonly number[]): TableIndex =>
    new TableIndex(
      bytewiseComparator,
      readIndex(bytewiseComparator, new Block(rawBlock(entry, [0]), 'f.ldb', 7), 2 ** 40),
    )
  assert.deepEqual(indexOf(handle(0xff, 0xff, 0xff, 0xff, 0x0f)).handle(0), { offset: 0, bytes: 2 ** 32 - 1 })
  assert.throws(() => indexOf(handle(0x80, 0x80, 0x80, 0x80, 0x10)), /overlap or leave the table/)
})

test('a value that is copied by words is copied as any other, wherever it lies and however long it is', () => {
  const memory = new Uint8Array(new SharedArrayBuffer(3000))
  for (let i = 0; i < memory.length; i++) memory[i] = (i * 31) & 0xff
  // A part of the memory, so that offsets count from where it begins.
  const shared = memory.subarray(5)
  const copy = Uint8Array.from(shared)
  const lengths = [...Array(70).keys(), 500, 1000, 2900]
  const blocks = [undefined, viewOf(shared)].map((view) => {
    const builder = new BlockBuilder(16, 16)
    for (const [i, length] of lengths.entries()) {
      builder.addEntry(Uint8Array.of(i), 0, 1, 256, 0, 0, view === undefined ? copy : shared, i % 7, length, view)
    }
    return toHex(builder.finish())
  })
  assert.equal(blocks[0], blocks[1])
})

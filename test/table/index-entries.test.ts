/**
 * The entries of index blocks: however a writer has spread its restart points, and however its keys share their prefixes; and what is
 * none of an index.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toHex } from '../../src/base/bytes.ts'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { CorruptionError } from '../../src/base/errors.ts'
import { encodeInternalKey } from '../../src/base/internal-key.ts'
import { Block } from '../../src/table/block.ts'
import { BlockBuilder } from '../../src/table/block-builder.ts'
import { IndexEntries } from '../../src/table/index-entries.ts'
import { type BlockHandle, putHandle } from '../../src/table/table-format.ts'
import { readIndex, TableIndex } from '../../src/table/table-index.ts'
import { bytesOf } from './entries.ts'

const COUNT = 300
/** Of lengths that take one byte, and of some that take two. */
const KEYS = Array.from({ length: COUNT }, (_, i) =>
  bytesOf(`key ${String(i).padStart(4, '0')}${'.'.repeat(i % 7 === 0 ? 200 : i % 5)}`),
)
const HANDLES: readonly BlockHandle[] = KEYS.map((_, i) => ({ offset: 5000 * i, bytes: 4000 + (i % 9) }))

function indexOf(restartInterval: number): TableIndex {
  const builder = new BlockBuilder(restartInterval, 16)
  for (const [i, key] of KEYS.entries()) {
    const encoded = encodeInternalKey(key, 0, key.length, 1, 1)
    const handle = new Uint8Array(20)
    builder.add(encoded, encoded.length, handle, 0, putHandle(handle, 0, HANDLES[i]))
  }
  const block = new Block(builder.finish(), 'f.ldb', 7)
  return new TableIndex(bytewiseComparator, readIndex(bytewiseComparator, block, 5000 * COUNT))
}

for (const restartInterval of [1, 2, 16, COUNT]) {
  test(`an index with a restart point for each ${restartInterval} entries is read whole`, () => {
    const index = indexOf(restartInterval)
    assert.equal(index.count, COUNT)
    assert.deepEqual(
      HANDLES.map((_, i) => index.handle(i)),
      HANDLES,
    )
    assert.deepEqual(
      KEYS.map((key) => index.find(key, 0, key.length, 1, 1)),
      KEYS.map((_, i) => i),
    )
  })
}

const TAG = [1, 1, 0, 0, 0, 0, 0, 0]
const DATA_END = 1000

/** An entry as it stands in a block; its lengths may be others than what follows them. */
function entry(
  shared: number,
  key: readonly number[],
  value: readonly number[],
  lengths = [key.length, value.length],
): number[] {
  return [shared, ...lengths, ...key, ...value]
}

/** Entries with one restart point. */
function blockOf(...entries: readonly (readonly number[])[]): Block {
  return new Block(Uint8Array.from([...entries.flat(), 0, 0, 0, 0, 1, 0, 0, 0]), 'f.ldb', 7)
}

const A = entry(0, [0x61, ...TAG], [0, 10])
const B = entry(0, [0x62, ...TAG], [15, 85])

const DAMAGED: readonly (readonly [what: string, block: Block, message: RegExp])[] = [
  ['lengths that do not end', blockOf([0x80, 0x80, 0x80]), /no readable lengths/],
  ['a first key that shares bytes', blockOf(entry(1, TAG, [0, 100])), /beyond its block or its neighbour/],
  [
    'a key that shares more than there was',
    blockOf(A, entry(10, TAG, [105, 1, 100])),
    /beyond its block or its neighbour/,
  ],
  [
    'a later key that shares more than there was',
    blockOf(A, B, entry(10, TAG, [105, 1])),
    /beyond its block or its neighbour/,
  ],
  ['a key beyond the block', blockOf(entry(0, TAG, [0, 100], [100, 2])), /beyond its block or its neighbour/],
  ['a value beyond the block', blockOf(entry(0, TAG, [0, 100], [8, 3])), /beyond its block or its neighbour/],
  ['a key shorter than a tag', blockOf(entry(0, TAG.slice(1), [0, 100])), /shorter than a tag/],
  ['a key and a shared part shorter than a tag', blockOf(A, entry(3, [1, 2, 3, 4], [105, 100])), /shorter than a tag/],
  ['a handle of one number', blockOf(entry(0, TAG, [0])), /not a block handle/],
  ['a handle of three numbers', blockOf(entry(0, TAG, [0, 100, 1])), /not a block handle/],
  [
    'a block that begins in the one before',
    blockOf(A, entry(0, [0x62, ...TAG], [14, 100])),
    /overlap or leave the table/,
  ],
  ['a block that ends behind the data', blockOf(entry(0, TAG, [0, 0xe4, 0x07])), /overlap or leave the table/],
]

for (const [what, block, message] of DAMAGED) {
  test(`${what} is damage`, () => {
    assert.throws(
      () => new IndexEntries(block, DATA_END),
      (error) => error instanceof CorruptionError && message.test(error.message),
    )
  })
}

test('blocks may lie one behind the other, and end where the data does', () => {
  // Five bytes follow each block: the second one, of 980 bytes, begins at 15 and ends with the data.
  const block = blockOf(A, entry(0, [0x62, ...TAG], [15, 0xd4, 0x07]))
  const { count, offsets, lengths } = new IndexEntries(block, DATA_END)
  assert.deepEqual([count, [...offsets.subarray(0, 2)], [...lengths.subarray(0, 2)]], [2, [0, 15], [10, 980]])
})

/** Keys of so many bytes, 128 at least: all but the first share all before their last byte and the tag. */
function longKeys(keyBytes: number, count: number): Block {
  const head = Array.from({ length: keyBytes - 1 - TAG.length }, () => 0x61)
  const twoBytes = (length: number): number[] => [(length & 0x7f) | 0x80, length >> 7]
  const first = [0, ...twoBytes(keyBytes), 2, ...head, 0, ...TAG, 0, 1]
  const more = Array.from({ length: count - 1 }, (_, i) => [
    ...twoBytes(head.length),
    9,
    2,
    i + 1,
    ...TAG,
    6 * (i + 1),
    1,
  ])
  return blockOf(first, ...more)
}

test('keys may be many times as long as what is stored of them, to a limit', () => {
  const { count, starts, keys } = new IndexEntries(longKeys(1000, 20), DATA_END)
  assert.deepEqual([count, starts[20]], [20, 20_000])
  const [head, tag] = ['61'.repeat(991), toHex(Uint8Array.from(TAG))]
  for (const i of [0, 1, 19]) {
    const own = i.toString(16).padStart(2, '0')
    assert.equal(toHex(keys.subarray(starts[i], starts[i + 1])), `${head}${own}${tag}`)
  }
  assert.throws(() => new IndexEntries(longKeys(2000, 20), DATA_END), /expand beyond reason/)
})

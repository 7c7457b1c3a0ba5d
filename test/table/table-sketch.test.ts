/**
 * A table that is decoded late answers as one that is decoded at once: from its index as it lies, while it is decoded, and after; whatever
 * its writer made of it, and damaged or not.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytewiseComparator, customComparator } from '../../src/base/comparator.ts'
import { crc32c, maskCrc } from '../../src/base/crc32c.ts'
import { CorruptionError } from '../../src/base/errors.ts'
import { tagHigh, tagLow, tagSequence } from '../../src/base/internal-key.ts'
import * as Lookup from '../../src/base/lookup.ts'
import { Prng } from '../../src/base/prng.ts'
import { fileNumber, MAX_SEQUENCE, type SequenceNumber, sequenceNumber } from '../../src/base/types.ts'
import * as ValueType from '../../src/base/value-type.ts'
import { BlockCache } from '../../src/cache/block-cache.ts'
import { BloomFilter } from '../../src/table/bloom-filter.ts'
import { Table, type TableReadOptions } from '../../src/table/table.ts'
import { encodeFooter, readFooter } from '../../src/table/table-format.ts'
import { TableIndex } from '../../src/table/table-index.ts'
import { readSketch } from '../../src/table/table-outline.ts'
import { DOUBTFUL, TableSketch } from '../../src/table/table-sketch.ts'
import { MemoryFile } from '../support/memory-file.ts'
import { buildTable, bytesOf, deleteEntry, type Entry, listForwards, putEntry } from './entries.ts'

const NUMBER = fileNumber(7)
const BLOOM = new BloomFilter(10)
const COUNT = 400
const ENTRIES = Array.from({ length: COUNT }, (_, i) =>
  i % 5 === 0 ? deleteEntry(keyOf(2 * i), i + 1) : putEntry(keyOf(2 * i), i + 1, bytesOf(`value ${i}`)),
)

/** Newest first, so many that a block does not hold those of a key. */
const VERSIONS = Array.from({ length: COUNT }, (_, i) => putEntry(keyOf(i >>> 4), COUNT - i, bytesOf(`value ${i}`)))

/** Of lengths that take one byte, and of some that take two; the odd ones are in no table. */
function keyOf(i: number): Uint8Array<ArrayBuffer> {
  return bytesOf(`key ${10_000 + i}${'.'.repeat(i % 14 === 0 ? 200 : 0)}`)
}

type Options = Omit<TableReadOptions, 'blockCache'>

const PLAIN: Options = { comparator: bytewiseComparator, filterPolicy: BLOOM, codecs: {} }
const ANY_ORDER = customComparator({ name: 'test.bytewise', compare: (a, b) => Buffer.compare(a, b) })
const KINDS: readonly (readonly [what: string, options: Options])[] = [
  ['a filter', PLAIN],
  ['no filter', { ...PLAIN, filterPolicy: undefined }],
  ['an order of its own', { ...PLAIN, comparator: ANY_ORDER }],
]

function tableFile(
  { comparator, filterPolicy }: Options,
  entries: readonly Entry[] = ENTRIES,
): Uint8Array<ArrayBuffer> {
  return buildTable(entries, { comparator, filterPolicy, blockBytes: 64, restartInterval: 16 })
}

function openTable(bytes: Uint8Array, options: Options, isDecodedLate: boolean): Table {
  const blockCache = new BlockCache(2 ** 20, options.comparator)
  const { memory } = blockCache
  return Table.open(new MemoryFile(bytes), NUMBER, { ...options, blockCache, memory, isDecodedLate })
}

function find(table: Table, i: number, sequence: SequenceNumber): string {
  const key = keyOf(i)
  const kind = table.lookup(key, 0, key.length, sequence)
  if (kind !== Lookup.FOUND) return kind === Lookup.ABSENT ? 'absent' : 'deleted'
  return Buffer.from(table.valBuf.subarray(table.valOff, table.valOff + table.valLen)).toString()
}

/** @returns the bytes of the table with another index, whose checksum is right */
function withIndex(bytes: Uint8Array, change: (index: Uint8Array) => Uint8Array): Uint8Array<ArrayBuffer> {
  const { metaindex, index } = readFooter(new MemoryFile(bytes))
  const changed = change(bytes.slice(index.offset, index.offset + index.bytes))
  const block = new Uint8Array(changed.length + 5)
  block.set(changed)
  new DataView(block.buffer).setUint32(changed.length + 1, maskCrc(crc32c(block, 0, changed.length + 1)), true)
  const footer = encodeFooter({ metaindex, index: { offset: index.offset, bytes: changed.length } })
  return Uint8Array.from([...bytes.subarray(0, index.offset), ...block, ...footer])
}

/** An index without one of its restart points: it has the same entries, of which two share one. */
function withoutRestart(index: Uint8Array, at: number): Uint8Array {
  const count = new DataView(index.buffer).getUint32(index.length - 4, true)
  const restart = index.length - 4 - 4 * (count - at)
  const shorter = Uint8Array.from([...index.subarray(0, restart), ...index.subarray(restart + 4)])
  new DataView(shorter.buffer).setUint32(shorter.length - 4, count - 1, true)
  return shorter
}

/** @param change of its index */
function sketchOf(bytes: Uint8Array<ArrayBuffer>, change: (index: Uint8Array) => void = () => {}): TableSketch {
  const { metaindex, index: place } = readFooter(new MemoryFile(bytes))
  const index = bytes.slice(place.offset, place.offset + place.bytes)
  change(index)
  return new TableSketch(bytewiseComparator, index, 'f.ldb', place.offset, metaindex.offset, undefined, false)
}

function entryOf(index: TableIndex, at: number): unknown {
  return [at, at === index.count ? undefined : index.handle(at)]
}

function compareLookups(bytes: Uint8Array, options: Options): void {
  const prng = new Prng(11)
  const whole = openTable(bytes, options, false)
  const late = openTable(bytes, options, true)
  // Its end is read to where this one's was.
  openTable(tableFile(options, ENTRIES.slice(100)), options, true)
  for (let i = 0; i < 2000; i++) {
    const key = prng.below(2 * COUNT + 3) - 1
    const sequence = prng.below(3) === 0 ? sequenceNumber(1 + prng.below(COUNT)) : MAX_SEQUENCE
    assert.equal(find(late, key, sequence), find(whole, key, sequence), `lookup ${i}: key ${key} at ${sequence}`)
  }
}

for (const [what, options] of KINDS) {
  test(`a table with ${what} that is decoded late answers every lookup as one that is decoded at once`, () => {
    compareLookups(tableFile(options), options)
  })

  test(`a table with ${what} that is decoded late is whole for whoever wants all of it`, () => {
    const bytes = tableFile(options)
    const whole = openTable(bytes, options, false)
    for (const lookups of [0, 1]) {
      const late = (): Table => {
        const table = openTable(bytes, options, true)
        for (let i = 0; i < lookups; i++) find(table, 10, MAX_SEQUENCE)
        return table
      }
      assert.deepEqual(listForwards(late().iterator()), listForwards(whole.iterator()))
      assert.equal(late().blockCount, whole.blockCount)
      assert.deepEqual(late().count(0, 1, 2 ** 30), whole.count(0, 1, 2 ** 30))
      const key = keyOf(COUNT)
      assert.equal(late().approximateOffset(key, 0, key.length), whole.approximateOffset(key, 0, key.length))
      assert.notEqual(late().blocks().get(0).restartCount, 0)
    }
  })
}

for (const bitsPerKey of [10, 1000]) {
  test(`the first lookups of a table decode nothing, and it takes no more memory than it said: ${bitsPerKey} bits a key`, () => {
    const options = { ...PLAIN, filterPolicy: new BloomFilter(bitsPerKey) }
    const bytes = tableFile(options)
    const sketch = readSketch(new MemoryFile(bytes), options, true)
    assert.ok(sketch.lookupsMax > 1)
    const { memoryBytes } = openTable(bytes, options, false)
    const late = openTable(bytes, options, true).memoryBytes
    assert.ok(late >= memoryBytes && late < 2 * memoryBytes + 10_000, `${late}, ${memoryBytes}`)
  })
}

for (const at of [1, 30, 64, 127]) {
  test(`blocks have their own numbers, however the restart points lie: without point ${at}`, () => {
    compareLookups(
      withIndex(tableFile(PLAIN), (index) => withoutRestart(index, at)),
      PLAIN,
    )
  })
}

for (const [what, entries] of [
  ['keys apart', ENTRIES],
  ['versions of a few keys, which go on from block to block', VERSIONS],
] as const) {
  test(`of a sound index nothing is doubtful, and it leads to the same blocks as the decoded one: ${what}`, () => {
    const bytes = tableFile(PLAIN, entries)
    const sketch = sketchOf(bytes)
    const index = new TableIndex(bytewiseComparator, sketch.outline().index)
    for (const { key, low, high } of entries) {
      const newest = tagSequence(low, high)
      for (const at of [newest - 1, newest, newest + 1].map(sequenceNumber)) {
        const tag = [tagLow(at, ValueType.VALUE), tagHigh(at)] as const
        const found = sketch.find(key, 0, key.length, ...tag)
        assert.notEqual(found, DOUBTFUL)
        const handle = found === sketch.count ? undefined : sketch.handle
        assert.deepEqual([found, handle], entryOf(index, index.find(key, 0, key.length, ...tag)))
      }
    }
  })
}

test('an index with any one byte changed is as good as when it is decoded, or doubtful', () => {
  const bytes = tableFile(PLAIN)
  const { index: place } = readFooter(new MemoryFile(bytes))
  const sound = new TableIndex(bytewiseComparator, sketchOf(bytes).outline().index)
  const [low, high] = [tagLow(MAX_SEQUENCE, ValueType.VALUE), tagHigh(MAX_SEQUENCE)]
  const entriesEnd = place.bytes - 4 * (sound.count + 1)
  /** A key about where a byte of the index is, or what a byte of its restart points leads to. */
  const keyNear = (offset: number): number =>
    Math.floor(2 * COUNT * (offset < entriesEnd ? offset / entriesEnd : (offset - entriesEnd) / (4 * sound.count)))
  const prng = new Prng(12)
  const seen = { doubtful: 0, same: 0, damaged: 0 }
  for (let i = 0; i < 1000; i++) {
    const changed = prng.below(place.bytes)
    const sketch = sketchOf(bytes, (index) => {
      index[changed] ^= 1 << prng.below(8)
    })
    if (sketch.lookupsMax === 0) continue
    let index = sound
    try {
      index = new TableIndex(bytewiseComparator, sketch.outline().index)
    } catch (error) {
      assert.ok(error instanceof CorruptionError)
      seen.damaged++
    }
    for (let k = 0; k < 20; k++) {
      const anywhere = prng.below(2 * COUNT + 3) - 1
      const key = keyOf(k % 2 === 0 ? anywhere : Math.max(-1, keyNear(changed) + prng.below(17) - 8))
      const at = sketch.find(key, 0, key.length, low, high)
      seen[at === DOUBTFUL ? 'doubtful' : 'same']++
      if (at === DOUBTFUL) continue
      const found = [at, at === sketch.count ? undefined : sketch.handle]
      assert.deepEqual(found, entryOf(index, index.find(key, 0, key.length, low, high)))
    }
  }
  assert.ok(seen.doubtful > 100 && seen.same > 100 && seen.damaged > 100, JSON.stringify(seen))
})

test('a table whose index is found damaged late says so from then on, whatever it is asked', () => {
  const bytes = withIndex(tableFile(PLAIN), (index) => {
    // The first separator, of which keys in the last blocks need not know.
    index[3] = 0xff
    return index
  })
  assert.throws(() => openTable(bytes, PLAIN, false), CorruptionError)
  const table = openTable(bytes, PLAIN, true)
  assert.equal(find(table, 2 * COUNT - 2, MAX_SEQUENCE), `value ${COUNT - 1}`)
  assert.throws(() => table.iterator(), CorruptionError)
  for (const key of [0, 100, 2 * COUNT - 2]) assert.throws(() => find(table, key, MAX_SEQUENCE), CorruptionError)
})

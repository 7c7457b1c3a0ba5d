/**
 * Compressed blocks in tables: which blocks are stored compressed, what is read back, and that damage with a checksum that
 * is right is either read as the format says or refused with file and offset; by snappy, and by zstd where Node has it.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { equalBytes } from '../../src/base/bytes.ts'
import { putFixed32 } from '../../src/base/coding.ts'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { crc32c, maskCrc } from '../../src/base/crc32c.ts'
import type { Codec, Codecs } from '../../src/base/environment.ts'
import { CorruptionError, NotSupportedError, type VarveError } from '../../src/base/errors.ts'
import * as Lookup from '../../src/base/lookup.ts'
import { Prng } from '../../src/base/prng.ts'
import { fileNumber, MAX_SEQUENCE } from '../../src/base/types.ts'
import { nodeCodecs } from '../../src/env/node-codecs.ts'
import type { Block } from '../../src/table/block.ts'
import { BlockMemory } from '../../src/table/block-memory.ts'
import { readDataBlock, verifiedBlock } from '../../src/table/block-reader.ts'
import { BlockWriter } from '../../src/table/block-writer.ts'
import { BloomFilter } from '../../src/table/bloom-filter.ts'
import {
  type Compression,
  type Compressor,
  compressionName,
  compressorOf,
  NONE,
  uncompress,
} from '../../src/table/compression.ts'
import { OrderedCursor } from '../../src/table/ordered-cursor.ts'
import { SnappyEncoder } from '../../src/table/snappy-encoder.ts'
import { Table } from '../../src/table/table.ts'
import type { TableOptions } from '../../src/table/table-builder.ts'
import { zstdContentsLength } from '../../src/table/zstd-frame.ts'
import { MemoryFile, MemoryWritableFile } from '../support/memory-file.ts'
import { RememberingZstd } from '../support/remembering-zstd.ts'
import { buildTable, bytesOf, describe, type Entry, listBackwards, listForwards, putEntry } from './entries.ts'

const SNAPPY = 1
const ZSTD = 2
const host = nodeCodecs()
const noZstd = host.zstd === undefined ? `Node ${process.version} has no zstd` : false

function entriesOf(count: number): Entry[] {
  const prng = new Prng(1)
  return Array.from({ length: count }, (_, i) => {
    const isNoise = i % 60 >= 40
    const noise = Uint8Array.from({ length: 60 }, () => prng.below(256))
    return putEntry(
      bytesOf(`lake/${1000 + i}`),
      i + 1,
      isNoise ? noise : bytesOf(`layer ${i} of silt and clay `.repeat(3)),
    )
  })
}

function optionsWith(compressor: Compressor | undefined): TableOptions {
  const filterPolicy = new BloomFilter(10)
  return { comparator: bytewiseComparator, blockBytes: 1024, restartInterval: 16, filterPolicy, compressor }
}

function open(bytes: Uint8Array, codecs: Codecs = host): Table {
  const options = { comparator: bytewiseComparator, filterPolicy: new BloomFilter(10), blockCache: undefined, codecs }
  return Table.open(new MemoryFile(bytes, 'f.ldb'), fileNumber(1), options)
}

const CASES: readonly (readonly [compression: Compression, skip: string | false])[] = [
  ['none', false],
  ['snappy', false],
  ['zstd', noZstd],
]

/** How everything in a table can be read. */
const READERS: readonly (readonly [
  how: string,
  read: (table: Table, entries: readonly Entry[]) => readonly string[],
])[] = [
  ['a scan', (table) => listForwards(table.iterator())],
  ['a scan backwards', (table) => listBackwards(table.iterator()).reverse()],
  ['lookups', (table, entries) => entries.filter((entry) => isFound(table, entry)).map(describe)],
  ['who reads all blocks', blockByBlock],
]

function isFound(table: Table, { key, value }: Entry): boolean {
  if (table.lookup(key, 0, key.length, MAX_SEQUENCE) !== Lookup.FOUND) return false
  return equalBytes(table.valBuf, table.valOff, table.valLen, value, 0, value.length)
}

function blockByBlock(table: Table): string[] {
  const found: string[] = []
  const cursor = new OrderedCursor(true)
  const blocks = table.blocks()
  for (let at = 0; at < table.blockCount; at++) {
    cursor.enter(blocks.get(at))
    while (!cursor.isAtEnd) {
      cursor.next()
      const { keyBuf, keyLen, tagLow: low, tagHigh: high, valBuf, valOff, valLen } = cursor
      found.push(describe({ key: keyBuf.slice(0, keyLen), low, high, value: valBuf.slice(valOff, valOff + valLen) }))
    }
  }
  return found
}

const anyHost: Codecs = { zstd: new RememberingZstd() }

for (const [compression, skip, codecs, name] of [
  ...CASES.map(([compression, skip]) => [compression, skip, host, compression] as const),
  ['zstd', false, anyHost, "another host's zstd"] as const,
]) {
  test(`a table with compression ${name} reads as it was written`, { skip }, () => {
    const entries = entriesOf(400)
    const bytes = buildTable(entries, optionsWith(compressorOf(compression, codecs)))
    const table = open(bytes, codecs)
    for (const [how, read] of READERS) assert.deepEqual(read(table, entries), entries.map(describe), how)
    assert.deepEqual(table.count(0, 1, bytes.length).entries, entries.length)
    assert.equal(table.filterIsDamaged, false)
    const plain = buildTable(entries, optionsWith(undefined))
    assert.equal(bytes.length < plain.length * 0.8, compression !== 'none', `${bytes.length} of ${plain.length} bytes`)
  })
}

/** Makes blocks of a given length, and remembers what it was given. */
function stub(lengthOf: (contents: Uint8Array) => number): Compressor & { readonly seen: string[] } {
  const seen: string[] = []
  const compress = (contents: Uint8Array): Uint8Array => {
    seen.push(Buffer.from(contents).toString('latin1'))
    return new Uint8Array(lengthOf(contents))
  }
  return { type: 77, seen, compress }
}

test('a block is stored compressed only if that saves more than an eighth', () => {
  for (const [contentsBytes, compressedBytes, isCompressed] of [
    [800, 699, true],
    [800, 700, false],
    [807, 706, true],
    [807, 707, false],
    [7, 6, true],
    [7, 7, false],
    [800, 900, false],
  ] as const) {
    const file = new MemoryWritableFile()
    const writer = new BlockWriter(
      file,
      stub(() => compressedBytes),
    )
    const handle = writer.writeBlock(new Uint8Array(contentsBytes))
    writer.flush()
    const what = `${contentsBytes} to ${compressedBytes} bytes`
    assert.equal(handle.bytes, isCompressed ? compressedBytes : contentsBytes, what)
    assert.equal(file.contents()[handle.bytes], isCompressed ? 77 : 0, what)
  }
})

test('data, metaindex and index blocks are offered to the compressor, the filter is not', () => {
  const compressor = stub((contents) => contents.length)
  const bytes = buildTable([putEntry(bytesOf('apple'), 1, bytesOf('red'))], optionsWith(compressor))
  assert.equal(compressor.seen.length, 3)
  assert.match(compressor.seen[0], /apple.*red/s)
  assert.match(compressor.seen[1], /filter\.leveldb/)
  assert.equal(Buffer.from(bytes).toString('latin1').includes(compressor.seen[2]), true)
})

/** Read all of a table; anything but an error of varve's is a failure. */
function readAll(bytes: Uint8Array): string[] | VarveError {
  try {
    return listForwards(open(bytes).iterator())
  } catch (error) {
    if (error instanceof CorruptionError) assert.ok(error.file === 'f.ldb' && error.offset !== undefined, error.message)
    else if (!(error instanceof NotSupportedError)) throw error
    return error
  }
}

/** Where the blocks of a table lie: contents, without trailers. Found by their checksums. */
function blocksOf(bytes: Uint8Array): [start: number, end: number][] {
  const found: [number, number][] = []
  let start = 0
  for (let end = 1; end + 5 + 48 <= bytes.length; end++) {
    const crc = maskCrc(crc32c(bytes, start, end + 1 - start))
    if (crc !== new DataView(bytes.buffer, bytes.byteOffset).getUint32(end + 1, true)) continue
    found.push([start, end])
    start = end + 5
  }
  return found
}

for (const [compression, skip] of CASES.slice(1)) {
  test(`after any change of one byte, type included, a ${compression} table is read or refused`, { skip }, (t) => {
    const bytes = buildTable(entriesOf(14), optionsWith(compressorOf(compression, host)))
    const tally = { read: 0, corrupt: 0, notSupported: 0 }
    const blocks = blocksOf(bytes)
    assert.equal(blocks.length, 5)
    for (const [start, end] of blocks) {
      const trailer = bytes.slice(end, end + 5)
      for (let at = start; at <= end; at++) {
        const original = bytes[at]
        for (const change of [1, 2, 4, 8, 16, 32, 64, 128, 255]) {
          bytes[at] = original ^ change
          putFixed32(bytes, end + 1, maskCrc(crc32c(bytes, start, end + 1 - start)))
          const found = readAll(bytes)
          if (found instanceof CorruptionError) tally.corrupt++
          else if (found instanceof NotSupportedError) tally.notSupported++
          else tally.read++
        }
        bytes[at] = original
        bytes.set(trailer, end)
      }
    }
    t.diagnostic(JSON.stringify(tally))
    assert.ok(tally.read > 0 && tally.corrupt > 0 && tally.notSupported > 0)
    // Only another type is not supported.
    assert.ok(tally.notSupported <= blocks.length * 9)
  })
}

function hex(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))
}

test('what varve cannot read is named, with file and offset', () => {
  for (const [type, stored, name] of [
    [2, '789c4bcec82fcd29060006ac020b', /is compressed with zlib, as in Minecraft's LevelDB, which varve cannot read/],
    [2, '7801', /zlib, as in Minecraft/],
    [4, '4bcec82fcd290600', /raw deflate, as in Minecraft/],
    [3, '00', /an unknown method \(type 3\)/],
    [255, '00', /an unknown method \(type 255\)/],
    [
      2,
      '28b52ffd 20 04 210000 61626364',
      /is compressed with zstd, and zstd is not there: Node\.js has it from 22\.15/,
    ],
  ] as const) {
    assert.throws(
      () => uncompress(type, hex(stored), {}, 'f.ldb', 5),
      (error) =>
        error instanceof NotSupportedError && error.file === 'f.ldb' && error.offset === 5 && name.test(error.message),
      stored,
    )
  }
  assert.throws(() => compressorOf('zstd', {}), /Node\.js has it from 22\.15 and 23\.8 on/)
})

test('a damaged snappy block names file and offset', () => {
  assert.throws(
    () => uncompress(SNAPPY, hex('05 10 68656c6c'), {}, 'f.ldb', 5),
    (error) => error instanceof CorruptionError && error.file === 'f.ldb' && error.offset === 5,
  )
})

const FRAMES: readonly (readonly [frame: string, outcome: number | RegExp])[] = [
  ['28b52ffd 20 04 210000 61626364', 4],
  ['28b52ffd 20 00 010000', 0],
  ['28b52ffd 24 04 210000 61626364 00000000', 4],
  ['28b52ffd 40 58 0000 210000 61626364', 256],
  ['28b52ffd 60 0100 210000 61626364', 257],
  ['28b52ffd 60 0102 210000 61626364', 769],
  ['28b52ffd a0 00000080 030000 61', 2 ** 31],
  ['28b52ffd e0 0000000001000000 030000 61', 2 ** 32],
  ['28b52ffd 20 04 200000 61626364 010000', 4],
  ['28b52ffd 00 58 210000 61626364', /declares no length/],
  ['28b52ffd 28 04 210000 61626364', /reserved bit/],
  ['28b52ffd 21 01 04 210000 61626364', /dictionary/],
  ['28b52ffd 20 04 270000 61626364', /reserved kind/],
  ['28b52ffd 08', /reserved bit/],
  ['28b52ffd', /cut off/],
  ['28b52ffd 60 01', /cut off/],
  ['28b52ffd 20 04', /cut off/],
  ['28b52ffd 20 04 2100', /cut off/],
  ['28b52ffd 20 04 210000 616263', /cut off/],
  ['28b52ffd 20 04 200000 61626364', /cut off/],
  ['28b52ffd 24 04 210000 61626364 000000', /cut off/],
  ['28b52ffd 20 04 210000 61626364 00', /something follows/],
  ['28b52ffd 20 04 210000 61626364 28b52ffd 20 04 210000 61626364', /something follows/],
]

test('a zstd frame declares its length, and is one frame and nothing else', () => {
  for (const [frame, outcome] of FRAMES) {
    const found = zstdContentsLength(hex(frame))
    if (typeof outcome === 'number') assert.equal(found, outcome, frame)
    else assert.match(String(found), outcome, frame)
  }
})

/** Answers `answer`, and remembers what length it was asked for. */
function fakeCodec(answer: Uint8Array | undefined): Codec & { readonly lengths: number[] } {
  const lengths: number[] = []
  const uncompress = (_: Uint8Array, length: number): Uint8Array | undefined => {
    lengths.push(length)
    return answer
  }
  return { lengths, compress: (contents) => contents, uncompress }
}

test('zstd may yield 64 MiB, or 64 times what is stored; more is refused before the decoder sees it', () => {
  const MIB = 1024 * 1024
  const declares = (length: number, storedBytes: number): Uint8Array => {
    const frame = new Uint8Array(storedBytes)
    frame.set(hex('28b52ffd e0'))
    putFixed32(frame, 5, length % 2 ** 32)
    putFixed32(frame, 9, Math.floor(length / 2 ** 32))
    // Raw blocks up to the end.
    let at = 13
    while (at < storedBytes) {
      const bytes = Math.min(100_000, storedBytes - at - 3)
      const isLast = at + 3 + bytes === storedBytes
      frame.set([(isLast ? 1 : 0) | ((bytes & 31) << 3), (bytes >> 5) & 255, bytes >> 13], at)
      at += 3 + bytes
    }
    return frame
  }
  for (const [length, storedBytes, isAsked] of [
    [64 * MIB, 100, true],
    [64 * MIB + 1, 100, false],
    [2 ** 52, 100, false],
    [128 * MIB, 2 * MIB, true],
    [128 * MIB + 1, 2 * MIB, false],
    [1024 * MIB, 17 * MIB, true],
    [1024 * MIB + 1, 17 * MIB, false],
  ] as const) {
    const codec = fakeCodec(undefined)
    const what = `${length} bytes from ${storedBytes}`
    const message = isAsked ? /cannot be decoded/ : /declares \d+ bytes, more than/
    assert.throws(() => uncompress(ZSTD, declares(length, storedBytes), { zstd: codec }, 'f', 0), message, what)
    assert.deepEqual(codec.lengths, isAsked ? [length] : [], what)
  }
})

test('what a zstd decoder answers must have the declared length', () => {
  const stored = hex('28b52ffd 20 04 210000 61626364')
  const read = (answer: Uint8Array | undefined): Uint8Array =>
    uncompress(ZSTD, stored, { zstd: fakeCodec(answer) }, 'f', 0)
  assert.deepEqual(read(bytesOf('abcd')), bytesOf('abcd'))
  assert.throws(() => read(bytesOf('abc')), /declares 4 bytes, and yields 3/)
  assert.throws(() => read(undefined), CorruptionError)
  assert.throws(() => uncompress(ZSTD, hex('28b52ffe 20 04'), {}, 'f', 0), /begins neither as zstd nor as zlib/)
  assert.throws(() => uncompress(ZSTD, hex(''), {}, 'f', 0), CorruptionError)
  // As zlib's first bytes, but for the method: 9.
  assert.throws(() => uncompress(ZSTD, hex('7918'), {}, 'f', 0), /begins neither as zstd nor as zlib/)
})

test('blocks of more than 64 MiB are stored as they are', () => {
  const writer = new BlockWriter(
    new MemoryWritableFile(),
    stub(() => 1),
  )
  const bytes = 64 * 1024 * 1024
  assert.equal(writer.writeBlock(new Uint8Array(bytes)).bytes, 1)
  assert.equal(writer.writeBlock(new Uint8Array(bytes + 1)).bytes, bytes + 1)
})

test('zstd is made and read by the codec that the host has, and by no other', () => {
  const compressor = compressorOf('zstd', { zstd: fakeCodec(undefined) })
  assert.deepEqual([compressor?.type, compressor?.compress(bytesOf('abc'))], [ZSTD, bytesOf('abc')])
  const codec = fakeCodec(bytesOf('abcd'))
  assert.throws(
    () => uncompress(ZSTD, hex('28b52ffd 00 58 210000 61626364'), { zstd: codec }, 'f.ldb', 7),
    (error) => error instanceof CorruptionError && /declares no length/.test(error.message) && error.offset === 7,
  )
  assert.deepEqual(codec.lengths, [])
})

test('a type byte is named by what it means', () => {
  const names: readonly (readonly [number, string, string])[] = [
    [NONE, '', 'none'],
    [1, '', 'snappy'],
    [ZSTD, '28b52ffd', 'zstd'],
    [ZSTD, '78', 'zstd'],
    [ZSTD, '789c', "zlib, as in Minecraft's LevelDB"],
    [ZSTD, '789d', 'zstd'],
    [ZSTD, '799b', 'zstd'],
    [4, '', "raw deflate, as in Minecraft's LevelDB"],
    [3, '', 'an unknown method (type 3)'],
  ]
  for (const [type, stored, name] of names) assert.equal(compressionName(type, hex(stored)), name)
})

for (const compression of ['none', 'snappy', 'zstd'] as const) {
  test(`a table whose filter and index are larger than its tail is opened and read (compression ${compression})`, () => {
    const filterPolicy = new BloomFilter(200)
    const options = { ...optionsWith(compressorOf(compression, anyHost)), filterPolicy }
    const entries = Array.from({ length: 3000 }, (_, i) =>
      putEntry(bytesOf(`key${String(i).padStart(5, '0')}`), 7, bytesOf('v')),
    )
    const file = new MemoryFile(buildTable(entries, options))
    const table = Table.open(file, fileNumber(5), { ...options, blockCache: undefined, codecs: anyHost })
    assert.ok(file.readCount > 1)
    assert.equal(table.filterIsDamaged, false)
    for (const [how, read] of READERS) assert.deepEqual(read(table, entries), entries.map(describe), how)
  })
}

test('a data block that is read has memory of blocks, which goes back once nobody holds it', () => {
  const contents = new Uint8Array(100)
  contents.set([1], contents.length - 4)
  const file = new MemoryWritableFile()
  const writer = new BlockWriter(file)
  const handle = writer.writeBlock(contents)
  writer.write(new Uint8Array(48))
  writer.flush()
  const memory = new BlockMemory()
  const read = (): Block => readDataBlock(new MemoryFile(file.contents()), handle, host, memory)
  const first = read()
  assert.equal(first.memory, first.bytes.buffer)
  memory.hold(first)
  memory.release(first)
  assert.equal(read().bytes.buffer, first.bytes.buffer)
})

test('a block that was uncompressed into memory of blocks gives it back; one that lies in what was read does not', () => {
  const contents = new Uint8Array(1000)
  contents.set([1], contents.length - 4)
  const encoder = new SnappyEncoder()
  encoder.encode(contents)
  const compressed = encoder.bytes.slice(0, encoder.length)
  for (const at of [0, 3]) {
    for (const [type, stored] of [
      [SNAPPY, compressed],
      [0, contents],
    ] as const) {
      const bytes = new Uint8Array(at + stored.length + 5)
      bytes.set(stored, at)
      bytes[at + stored.length] = type
      putFixed32(bytes, at + stored.length + 1, maskCrc(crc32c(bytes, at, stored.length + 1)))
      const memory = new BlockMemory()
      const block = verifiedBlock(bytes, at, stored.length, host, memory, 'f.ldb', 9)
      assert.deepEqual(block.bytes.slice(0, block.length), contents)
      assert.equal(block.memory, type === SNAPPY ? block.bytes.buffer : undefined)
      if (type !== SNAPPY) assert.equal(block.bytes.buffer, bytes.buffer)
    }
  }
})

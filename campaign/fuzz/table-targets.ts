/**
 * Decoders of tables: whole ones, whose blocks are changed and closed again with right checksums and handles, and each kind
 * of block by itself.
 */
import { putFixed32 } from '../../src/base/coding.ts'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { crc32c, maskCrc } from '../../src/base/crc32c.ts'
import { MAX_TAG_HIGH, MAX_TAG_LOW } from '../../src/base/internal-key.ts'
import type { InternalIterator } from '../../src/base/iterator.ts'
import type { Prng } from '../../src/base/prng.ts'
import { type Bytes, fileNumber, MAX_SEQUENCE } from '../../src/base/types.ts'
import { nodeCodecs } from '../../src/env/node-codecs.ts'
import { Block } from '../../src/table/block.ts'
import { BlockBuilder } from '../../src/table/block-builder.ts'
import { BlockCursor } from '../../src/table/block-cursor.ts'
import { BlockIterator } from '../../src/table/block-iterator.ts'
import { readBlock } from '../../src/table/block-reader.ts'
import { BloomFilter } from '../../src/table/bloom-filter.ts'
import { uncompress } from '../../src/table/compression.ts'
import { FilterBlockReader } from '../../src/table/filter-block.ts'
import { filterKey, findMetaBlock } from '../../src/table/metaindex.ts'
import { decodeSnappy } from '../../src/table/snappy-decoder.ts'
import { SnappyEncoder } from '../../src/table/snappy-encoder.ts'
import { Table } from '../../src/table/table.ts'
import {
  BLOCK_TRAILER_BYTES,
  encodeFooter,
  MAX_HANDLE_BYTES,
  putHandle,
  readFooter,
} from '../../src/table/table-format.ts'
import { readIndex, TableIndex } from '../../src/table/table-index.ts'
import { zstdContentsLength } from '../../src/table/zstd-frame.ts'
import { MemoryFile } from '../../test/support/memory-file.ts'
import type { Shape } from '../damage/shapes.ts'
import { EndlessError, type FuzzTarget } from './fuzz-target.ts'
import type { Mutator } from './mutator.ts'

const codecs = nodeCodecs()
const bloom = new BloomFilter(10)
const PROBES = ['', 'key/0003', 'key/0021', 'zz'].map((text) => new TextEncoder().encode(text))
/** The whole zstd frame of 40 times `a`. */
const ZSTD_FRAME = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x28, 0x45, 0, 0, 0x10, 0x61, 0x61, 1, 0, 0x23, 0x80, 4)
const NO_OPTIONS = { comparator: bytewiseComparator, filterPolicy: bloom, blockCache: undefined, codecs }

/** A table taken apart: what is in its blocks, uncompressed, the index as keys. */
interface Parts {
  readonly data: readonly Bytes[]
  readonly separators: readonly Bytes[]
  readonly filter: Bytes
}

export function tableTargets(shapes: readonly Shape[]): FuzzTarget[] {
  const tables = shapes.flatMap(({ files }) => [...files].filter(([name]) => name.endsWith('.ldb')).map(([, b]) => b))
  const parts = tables.map(takeApart)
  const blocks = parts.flatMap(({ data }) => data).filter((_, i) => i % 3 === 0)
  const indexes = parts.map((part) => putTogether(part).index)
  return [
    { name: 'table', weight: 3, seeds: tables, make: makeTable(parts), decode: decodeTable, fixedBytes: 64 * 1024 },
    { name: 'footer', weight: 5, seeds: tables.map((table) => table.slice(-120)), decode: decodeFooterOf },
    { name: 'block', weight: 10, seeds: blocks, decode: decodeBlock },
    { name: 'index', weight: 5, seeds: indexes, decode: decodeIndex },
    { name: 'metaindex', weight: 3, seeds: [metaindexBlock(100, 40)], decode: decodeMetaindex },
    { name: 'filter', weight: 6, seeds: parts.map(({ filter }) => filter), decode: decodeFilter },
    { name: 'bloom', weight: 4, seeds: parts.map(({ filter }) => filter), decode: decodeBloom },
    { name: 'snappy', weight: 10, seeds: blocks.map(snappy), decode: decodeSnappyBlock },
    { name: 'zstd frame', weight: 6, seeds: [ZSTD_FRAME], decode: decodeZstdFrame },
    { name: 'stored block', weight: 3, seeds: [ZSTD_FRAME, ...blocks.map(snappy)], decode: decodeStored },
  ]
}

function snappy(contents: Bytes): Bytes {
  const encoder = new SnappyEncoder()
  encoder.encode(contents)
  return encoder.bytes.slice(0, encoder.length)
}

function takeApart(bytes: Bytes): Parts {
  const file = new MemoryFile(bytes)
  const footer = readFooter(file)
  const contents = (handle: { offset: number; bytes: number }): Bytes => readBlock(file, handle, codecs)
  const indexBlock = new Block(contents(footer.index), '', 0)
  const index = new TableIndex(bytewiseComparator, readIndex(bytewiseComparator, indexBlock, footer.metaindex.offset))
  const filter = findMetaBlock(new Block(contents(footer.metaindex), '', 0), filterKey(bloom))
  return {
    data: Array.from({ length: index.count }, (_, i) => contents(index.handle(i))),
    separators: keysOf(indexBlock),
    filter: filter === undefined ? new Uint8Array(5) : contents(filter),
  }
}

function keysOf(block: Block): Bytes[] {
  const cursor = new BlockCursor()
  cursor.reset(block)
  const keys: Bytes[] = []
  while (!cursor.isAtEnd) {
    cursor.advance()
    keys.push(cursor.key.slice(0, cursor.keyLength))
  }
  return keys
}

function metaindexBlock(offset: number, bytes: number): Bytes {
  const builder = new BlockBuilder(1, 64)
  const name = filterKey(bloom)
  const handle = new Uint8Array(MAX_HANDLE_BYTES)
  builder.add(name, name.length, handle, 0, putHandle(handle, 0, { offset, bytes }))
  return builder.finish().slice()
}

/** A table of these parts, with right handles; and the contents of its index. */
function putTogether(
  { data, separators, filter }: Parts,
  change?: (index: Bytes) => Bytes,
): { table: Bytes; index: Bytes } {
  const blocks: Bytes[] = []
  let offset = 0
  const put = (contents: Bytes): { offset: number; bytes: number } => {
    const handle = { offset, bytes: contents.length }
    blocks.push(closed(contents))
    offset += contents.length + BLOCK_TRAILER_BYTES
    return handle
  }
  const builder = new BlockBuilder(1, 64)
  const encoded = new Uint8Array(MAX_HANDLE_BYTES)
  data.forEach((contents, i) => {
    const separator = separators[i]
    builder.add(separator, separator.length, encoded, 0, putHandle(encoded, 0, put(contents)))
  })
  const filterHandle = put(filter)
  const index = builder.finish().slice()
  const metaindex = put(metaindexBlock(filterHandle.offset, filterHandle.bytes))
  const indexHandle = put(change?.(index) ?? index)
  return { table: joined([...blocks, encodeFooter({ metaindex, index: indexHandle })]), index }
}

function closed(contents: Bytes): Bytes {
  const block = new Uint8Array(contents.length + BLOCK_TRAILER_BYTES)
  block.set(contents)
  putFixed32(block, contents.length + 1, maskCrc(crc32c(block, 0, contents.length + 1)))
  return block
}

function joined(pieces: readonly Bytes[]): Bytes {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}

/** Change the contents of one block, and close the table again. */
function makeTable(all: readonly Parts[]): (mutator: Mutator, prng: Prng) => void {
  return (mutator, prng) => {
    const parts = all[prng.below(all.length)]
    const change = (contents: Bytes): Bytes => {
      mutator.load(contents)
      mutator.change(parts.data, prng)
      return mutator.view.slice()
    }
    const which = prng.below(parts.data.length + 3)
    if (which < parts.data.length) {
      const data = parts.data.map((contents, i) => (i === which ? change(contents) : contents))
      mutator.load(putTogether({ ...parts, data }).table)
    } else if (which === parts.data.length) {
      const filter = change(parts.filter)
      mutator.load(putTogether({ ...parts, filter }).table)
    } else {
      mutator.load(putTogether(parts, change).table)
    }
  }
}

/** Read all entries in both directions, and seek. @throws EndlessError if there are more than bytes */
function walk(iterator: InternalIterator, bytes: number): void {
  let steps = 0
  const step = (): void => {
    if (++steps > 4 * bytes + 16) throw new EndlessError(`${steps} steps`)
  }
  for (iterator.seekToFirst(); iterator.valid; iterator.next()) step()
  for (iterator.seekToLast(); iterator.valid; iterator.prev()) step()
  for (const probe of PROBES) iterator.seek(probe, 0, probe.length, MAX_TAG_LOW, MAX_TAG_HIGH)
}

function decodeTable(input: Bytes): boolean {
  const table = Table.open(new MemoryFile(input), fileNumber(5), NO_OPTIONS)
  for (const probe of PROBES) table.lookup(probe, 0, probe.length, MAX_SEQUENCE)
  walk(table.iterator(), input.length)
  return true
}

function decodeFooterOf(input: Bytes): boolean {
  const { metaindex, index } = readFooter(new MemoryFile(input))
  if (index.offset + index.bytes > input.length || metaindex.offset > index.offset)
    throw new EndlessError('a footer beyond its file')
  return true
}

function decodeBlock(input: Bytes): boolean {
  const iterator = new BlockIterator(bytewiseComparator)
  iterator.reset(new Block(input, 'block', 0))
  walk(iterator, input.length)
  return true
}

function decodeIndex(input: Bytes): boolean {
  const index = new TableIndex(bytewiseComparator, readIndex(bytewiseComparator, new Block(input, 'index', 0), 4096))
  for (const probe of PROBES) index.find(probe, 0, probe.length, MAX_TAG_LOW, MAX_TAG_HIGH)
  return true
}

function decodeMetaindex(input: Bytes): boolean {
  return findMetaBlock(new Block(input, 'metaindex', 0), filterKey(bloom)) !== undefined
}

function decodeFilter(input: Bytes): boolean {
  const filter = FilterBlockReader.parse(bloom, input.slice())
  if (filter === undefined) return false
  for (let offset = 0; offset < 8192; offset += 1024)
    for (const probe of PROBES) filter.keyMayMatch(offset, probe, 0, probe.length)
  return true
}

function decodeBloom(input: Bytes): boolean {
  return PROBES.some((probe) => bloom.keyMayMatch(probe, 0, probe.length, input, 0, input.length))
}

function decodeSnappyBlock(input: Bytes): boolean {
  const contents = decodeSnappy(input, 2 ** 30)
  if (typeof contents === 'string') return false
  if (contents.length * 3 > input.length * 64) throw new EndlessError(`${contents.length} bytes of ${input.length}`)
  return true
}

function decodeZstdFrame(input: Bytes): boolean {
  return typeof zstdContentsLength(input) === 'number'
}

function decodeStored(input: Bytes): boolean {
  if (input.length === 0) return false
  // zstd may yield what it declares up to a bound of its own, which is above that of this campaign.
  const length = zstdContentsLength(input)
  if (typeof length === 'number' && length > 64 * input.length + 2 ** 20) return false
  uncompress(input[0] === 0x28 ? 2 : 1, input, codecs, 'block', 0)
  return true
}

/**
 * Hostile databases: each small, or full of holes, with checksums that are right, and lengths and counts that are not: what an
 * opener must refuse, or read, without taking memory for what is only claimed.
 */
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { putFixed32, putFixed64, putVarint } from '../../src/base/coding.ts'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { crc32c, maskCrc } from '../../src/base/crc32c.ts'
import { encodeInternalKey, tagHigh, tagLow } from '../../src/base/internal-key.ts'
import { fileNumber, sequenceNumber } from '../../src/base/types.ts'
import { LogWriter } from '../../src/log/log-writer.ts'
import { BlockBuilder } from '../../src/table/block-builder.ts'
import { encodeFooter, putHandle } from '../../src/table/table-format.ts'
import { encodeEdit, type VersionEdit } from '../../src/version/version-edit.ts'
import { MemoryWritableFile } from '../../test/support/memory-file.ts'

type Bytes = Uint8Array<ArrayBuffer>

const MIB = 1024 * 1024
const GIB = 1024 * MIB
const MANIFEST = 'MANIFEST-000004'
const EMPTY_LOG = '000003.log'

/** Files of a database; a number is a file of so many zeros, as a hole. */
type Files = Readonly<Record<string, Bytes | number>>

export const HOSTILE: Readonly<Record<string, () => Files>> = {
  'a CURRENT of 1 GiB': () => ({ ...sound(), CURRENT: GIB }),
  'a MANIFEST of 64 MiB of zeros': () => ({ ...sound(), [MANIFEST]: 64 * MIB }),
  'a log of 64 MiB of zeros': () => ({ ...sound(), [EMPTY_LOG]: 64 * MIB }),
  'a table of 1 GiB of zeros': () => withTable(GIB),
  'a MANIFEST of 20,000 tables': manyTables,
  'a MANIFEST whose key claims 4 GiB': () => ({
    ...sound(),
    [MANIFEST]: log([Uint8Array.of(7, 0, 5, 9, 0xff, 0xff, 0xff, 0xff, 0x0f)]),
  }),
  'a batch of 4,294,967,295 writes': () => ({ ...sound(), [EMPTY_LOG]: log([batch(0xffffffff, [])]) }),
  'a batch of 100,000 empty writes': () => ({
    ...sound(),
    [EMPTY_LOG]: log([
      batch(
        100_000,
        new Array(300_000).fill(0).map((_, i) => (i % 3 === 0 ? 1 : 0)),
      ),
    ]),
  }),
  'a key of 4 GiB in a log': () => ({ ...sound(), [EMPTY_LOG]: log([batch(1, [1, 0xff, 0xff, 0xff, 0xff, 0x0f])]) }),
  'a block that claims 1 GiB of snappy': () => withTable(table(snappyClaim(GIB), 1)),
  'a block that claims 64 MiB of zstd': () => withTable(table(zstdClaim(64 * MIB), 2)),
  'a block of 1 MiB that is 21 MiB of copies': () => withTable(table(snappyCopies(MIB), 1)),
  'an index of 60,000 blocks of nothing': () => withTable(wideTable(60_000)),
  'a block of 250,000 restart points': () => withTable(table(restarts(250_000), 0)),
}

/** Write one to a directory, which is made. @returns bytes that are really there */
export function writeHostile(directory: string, files: Files): number {
  mkdirSync(directory, { recursive: true })
  let bytes = 0
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, name)
    writeFileSync(path, typeof content === 'number' ? '' : content)
    if (typeof content === 'number') truncateSync(path, content)
    bytes += typeof content === 'number' ? 0 : content.length
  }
  return bytes
}

function log(records: readonly Bytes[]): Bytes {
  const file = new MemoryWritableFile()
  const writer = new LogWriter(file)
  for (const record of records) writer.add(record, 0, record.length)
  writer.flush()
  return file.contents()
}

function manifest(edit: VersionEdit): Bytes {
  const fixed = { logNumber: fileNumber(3), nextFile: fileNumber(9_000_000), lastSequence: sequenceNumber(0) }
  return log([encodeEdit({ comparator: bytewiseComparator.name, ...fixed, ...edit })])
}

function sound(): Files {
  return {
    CURRENT: new TextEncoder().encode(`${MANIFEST}\n`),
    [MANIFEST]: manifest({}),
    [EMPTY_LOG]: new Uint8Array(0),
  }
}

function batch(count: number, ops: readonly number[]): Bytes {
  const bytes = new Uint8Array(12 + ops.length)
  putFixed64(bytes, 0, 1)
  putFixed32(bytes, 8, count)
  bytes.set(ops, 12)
  return bytes
}

function internalKey(text: string): Bytes {
  const key = new TextEncoder().encode(text)
  return encodeInternalKey(key, 0, key.length, tagLow(1, 1), tagHigh(1))
}

function withTable(content: Bytes | number): Files {
  const bytes = typeof content === 'number' ? content : content.length
  const file = { number: fileNumber(5), bytes, smallest: internalKey('a'), largest: internalKey('z') }
  return { ...sound(), [MANIFEST]: manifest({ newFiles: [{ level: 0, file }] }), '000005.ldb': content }
}

function manyTables(): Files {
  const newFiles = Array.from({ length: 20_000 }, (_, i) => {
    const file = { number: fileNumber(10 + i), bytes: 100, smallest: internalKey('a'), largest: internalKey('z') }
    return { level: 0, file }
  })
  return { ...sound(), [MANIFEST]: manifest({ newFiles }) }
}

/** A table of one data block, stored as it is given. */
function table(stored: Bytes, type: number): Bytes {
  return closeTable([closed(stored, type)], [{ offset: 0, bytes: stored.length }])
}

/** Many empty blocks. */
function wideTable(count: number): Bytes {
  const empty = closed(Uint8Array.of(0, 0, 0, 0), 0)
  return closeTable(
    new Array(count).fill(empty),
    Array.from({ length: count }, (_, i) => ({ offset: 9 * i, bytes: 4 })),
  )
}

function closeTable(blocks: readonly Bytes[], handles: readonly { offset: number; bytes: number }[]): Bytes {
  const index = new BlockBuilder(1, 4096)
  const encoded = new Uint8Array(20)
  handles.forEach((handle, i) => {
    const key = internalKey(`m${String(i).padStart(8, '0')}`)
    index.add(key, key.length, encoded, 0, putHandle(encoded, 0, handle))
  })
  const meta = new BlockBuilder(1, 64).finish().slice()
  const indexBytes = index.finish().slice()
  const offset = blocks.reduce((sum, block) => sum + block.length, 0)
  const metaindex = { offset, bytes: meta.length }
  const indexHandle = { offset: offset + meta.length + 5, bytes: indexBytes.length }
  const pieces = [...blocks, closed(meta, 0), closed(indexBytes, 0), encodeFooter({ metaindex, index: indexHandle })]
  return new Uint8Array(Buffer.concat(pieces))
}

function closed(stored: Bytes, type: number): Bytes {
  const block = new Uint8Array(stored.length + 5)
  block.set(stored)
  block[stored.length] = type
  putFixed32(block, stored.length + 1, maskCrc(crc32c(block, 0, stored.length + 1)))
  return block
}

function snappyClaim(bytes: number): Bytes {
  const block = new Uint8Array(64)
  putVarint(block, 0, bytes)
  return block
}

function zstdClaim(bytes: number): Bytes {
  const frame = new Uint8Array(4 + 1 + 8 + 3 + 1)
  frame.set([0x28, 0xb5, 0x2f, 0xfd, 0xe0])
  putFixed64(frame, 5, bytes)
  // One block: the last one, a byte repeated.
  frame.set([0x03, 0, 0, 0x61], 13)
  return frame
}

/** As much as snappy can yield, and sound. */
function snappyCopies(bytes: number): Bytes {
  const block = new Uint8Array(bytes)
  const copies = Math.floor((bytes - 8) / 3)
  let at = putVarint(block, 0, 1 + 64 * copies)
  block.set([0, 0x61], at)
  at += 2
  for (let i = 0; i < copies; i++, at += 3) block.set([0xfe, 1, 0], at)
  return block.slice(0, at)
}

function restarts(count: number): Bytes {
  const block = new Uint8Array(4 * count + 4)
  putFixed32(block, 4 * count, count)
  return block
}

/**
 * The canonical view: a scripted life of a database, and the bytes of what it holds in the end, whose SHA-256 is published
 * for the engines of other languages (the lab "db-09"). Once without tombstones, as a scan gives it, and once with them.
 *
 * A scan hides tombstones, so the view with them is put together here from what the database consists of after it was
 * opened again: every table and log that its statistics name, read from their files, is a layer; the layers are merged, and
 * of each key the newest entry counts.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { test } from 'node:test'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import type { RandomAccessFile } from '../../src/base/environment.ts'
import { logName, tableName } from '../../src/base/filename.ts'
import type { InternalIterator } from '../../src/base/iterator.ts'
import { type Bytes, fileNumber } from '../../src/base/types.ts'
import * as ValueType from '../../src/base/value-type.ts'
import { forEachOp } from '../../src/batch/batch-format.ts'
import { MergingIterator } from '../../src/iterator/merging-iterator.ts'
import { LogReader } from '../../src/log/log-reader.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import { type DB, nodeEnvironment, open } from '../../src/public/index.ts'
import { Table } from '../../src/table/table.ts'
import { withDirectory } from './engines.ts'

const LIVE_SHA256 = '7d1568c7bfdad9635ff655f7c4162628aa3253a7b95505c3d418362eb4c4c09c'
const FULL_SHA256 = '27e3d256e73c3ddbd080ad7a92e5da0be780d65896644eb7d4ec0cc8a574709d'

/** The published script; the last three writes are only in the log when the database closes. */
async function live(db: DB): Promise<void> {
  await db.put('a', '1')
  await db.put('b', '2')
  await db.put('c', '3')
  await db.flush()
  await db.put('b', '22')
  await db.delete('a')
  await db.put('d', '4')
  await db.flush()
  await db.put('e', '5')
  await db.delete('c')
  await db.put('b', '222')
}

/** An entry: key length u32le, key, type, and of a value its length u32le and itself. */
function encodeEntry(key: Bytes, value: Bytes | undefined): Buffer {
  const parts = [u32(key.length), key, Uint8Array.of(value === undefined ? 1 : 0)]
  return Buffer.concat(value === undefined ? parts : [...parts, u32(value.length), value])
}

function u32(value: number): Bytes {
  return new Uint8Array(Uint32Array.of(value).buffer)
}

function sha256(bytes: Bytes): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function scannedView(db: DB): Buffer {
  return Buffer.concat(Array.from(db.scanSync(), ([key, value]) => encodeEntry(key, value)))
}

/** The newest entry of every key, tombstones included, from the files of an open database. */
function mergedView(db: DB, directory: string): Buffer {
  const files: RandomAccessFile[] = []
  const openFile = (name: string): RandomAccessFile => {
    const file = nodeEnvironment().files.openRandomAccess(join(directory, name))
    files.push(file)
    return file
  }
  try {
    const { tables, logs } = db.stats()
    const layers = [
      ...tables.map(({ number }) => tableLayer(openFile(tableName(fileNumber(number))))),
      ...logs.map(({ number }) => logLayer(openFile(logName(fileNumber(number))))),
    ]
    return newestEntries(new MergingIterator(bytewiseComparator, layers))
  } finally {
    for (const file of files) file.close()
  }
}

function tableLayer(file: RandomAccessFile): InternalIterator {
  const options = { comparator: bytewiseComparator, filterPolicy: undefined, blockCache: undefined, codecs: {} }
  return Table.open(file, fileNumber(1), options).iterator()
}

function logLayer(file: RandomAccessFile): InternalIterator {
  const table = MemTable.create({ capacityBytes: 64 * 1024 })
  const reader = new LogReader(file)
  while (reader.next()) {
    assert.equal(forEachOp(reader.recordBuf, reader.recordOff, reader.recordLen, table), undefined)
  }
  assert.equal(reader.fault, undefined)
  return table.iterator()
}

function newestEntries(at: InternalIterator): Buffer {
  const entries: Buffer[] = []
  let last: Buffer | undefined
  for (at.seekToFirst(); at.valid; at.next()) {
    const key = Buffer.from(at.keyBuf.slice(at.keyOff, at.keyOff + at.keyLen))
    if (last?.equals(key)) continue
    last = key
    const isTombstone = (at.tagLow & 0xff) === ValueType.DELETION
    entries.push(encodeEntry(key, isTombstone ? undefined : at.valBuf.slice(at.valOff, at.valOff + at.valLen)))
  }
  return Buffer.concat(entries)
}

test('what a scripted database holds has the published digests, with tombstones and without', async () => {
  await withDirectory(async (directory) => {
    const first = await open(directory, { workers: 0 })
    await live(first)
    assert.equal(first.stats().tables.length, 2)
    assert.equal(sha256(scannedView(first)), LIVE_SHA256, 'before closing')
    await first.close()

    const db = await open(directory, { workers: 0 })
    try {
      const scanned = scannedView(db)
      assert.equal(scanned.length, 35)
      assert.equal(sha256(scanned), LIVE_SHA256)
      const merged = mergedView(db, directory)
      assert.equal(merged.length, 47)
      assert.equal(sha256(merged), FULL_SHA256)
    } finally {
      await db.close()
    }
  })
})

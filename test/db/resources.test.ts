/**
 * What an open database takes: calls to open it, memory of tables and blocks, memory of MemTables, what it hands out.
 */
import assert from 'node:assert/strict'
import { truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import type { Port } from '../../src/base/environment.ts'
import { tableName } from '../../src/base/filename.ts'
import { tagHigh, tagLow } from '../../src/base/internal-key.ts'
import { Prng } from '../../src/base/prng.ts'
import { fileNumber, sequenceNumber } from '../../src/base/types.ts'
import { ReaderPins } from '../../src/db/threads/reader-pins.ts'
import * as Layout from '../../src/db/threads/share-layout.ts'
import type { LayersMessage } from '../../src/db/threads/share-messages.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { nodeEnvironment } from '../../src/env/node-env.ts'
import { MemTable } from '../../src/memtable/memtable.ts'
import { type DB, open } from '../../src/public/index.ts'
import { ManifestWriter } from '../../src/version/manifest.ts'
import { Version } from '../../src/version/version.ts'
import type { LevelFile } from '../../src/version/version-edit.ts'
import { withDirectory } from '../compat/engines.ts'
import { FaultEnvironment } from '../support/fault-env.ts'

const MIB = 1024 * 1024

function internalKey(text: string, sequence: number): Uint8Array<ArrayBuffer> {
  const key = new Uint8Array(text.length + 8)
  new TextEncoder().encodeInto(text, key)
  const view = new DataView(key.buffer)
  view.setUint32(text.length, tagLow(sequence, 1), true)
  view.setUint32(text.length + 4, tagHigh(sequence), true)
  return key
}

test('opening a database of 5,000 tables and 10 GB looks at each of them once, and reads none', async () => {
  await withDirectory(async (directory) => {
    const { files } = nodeEnvironment()
    const newFiles = Array.from({ length: 5000 }, (_, i): LevelFile => {
      const number = fileNumber(i + 10)
      const path = join(directory, tableName(number))
      writeFileSync(path, '')
      truncateSync(path, 2 * MIB)
      const key = String(i).padStart(6, '0')
      const [smallest, largest] = [internalKey(`${key}a`, 2 * i + 2), internalKey(`${key}b`, 2 * i + 1)]
      return { level: 6, file: { number, bytes: 2 * MIB, smallest, largest } }
    })
    const counters = { logNumber: fileNumber(0), nextFile: fileNumber(6000), lastSequence: sequenceNumber(20_000) }
    const comparator = bytewiseComparator.name
    ManifestWriter.create(files, directory, fileNumber(5), [{ comparator, newFiles }, counters]).close()

    for (const readOnly of [true, false]) {
      const environment = new FaultEnvironment(nodeEnvironment(), { directory, countReads: true })
      const db = await open(directory, { environment, readOnly, workers: 0 })
      const calls = environment.takeCalls()
      const concerned = calls.filter((call) => /\.(ldb|sst)/.test(call))
      assert.equal(concerned.length, 5000)
      assert.deepEqual([...new Set(concerned.map((call) => call.split(' ')[0]))], ['status'])
      assert.ok(calls.length < 5100, `${calls.length} calls`)
      assert.equal(db.stats().tables.length, 5000)
      // Between two tables, no table is asked; in one, that one only.
      assert.equal(db.getSync('000001c'), undefined)
      assert.throws(() => db.getSync('004321ab'), { code: 'CORRUPTION' })
      const opened = environment.takeCalls().filter((call) => call.startsWith('open '))
      assert.deepEqual(opened, [`open ${tableName(fileNumber(4331))}`])
      await db.close()
    }
  })
})

test('short scans beside a long one, for which replaced tables are kept, go through no list of all tables', async (t) => {
  const environment = new MemoryEnvironment()
  const db = await open('/db', { environment, workers: 0, mergeAtRest: false })
  const tables = (): number => environment.files.list('/db').filter((name) => name.endsWith('.ldb')).length
  for (const value of ['old', 'new']) {
    await db.put('a', value)
    await db.put('b', value)
    await db.flush()
  }
  const long = db.scanSync()
  assert.equal(long.next().done, false)
  await db.compactRange()
  assert.equal(tables(), 3)
  const walks = t.mock.method(Version.prototype, 'files').mock
  for (let i = 0; i < 10; i++) {
    for (const _ of db.scanSync({ limit: 1 }));
    for await (const _ of db.keys({ limit: 1 }));
    await setImmediate()
  }
  assert.equal(walks.callCount(), 0)
  long.return?.()
  await setImmediate()
  await setImmediate()
  assert.equal(tables(), 1)
  await db.close()
})

test('blocks keep to blockCacheBytes, indexes and filters to tableCacheBytes, and tables to maxOpenFiles, whatever is read', async () => {
  const budgets = { blockCacheBytes: 4 * MIB, tableCacheBytes: MIB }
  const small = { writeBufferBytes: MIB, maxFileBytes: 64 * 1024, levelBytes: MIB, blockBytes: 1024, maxOpenFiles: 40 }
  const environment = new MemoryEnvironment()
  const db = await open('/db', { ...small, ...budgets, environment, workers: 0, compression: 'none' })
  const prng = new Prng(5)
  const value = new Uint8Array(200)
  const keyOf = (): string => `key${String(prng.below(60_000)).padStart(8, '0')}`
  let most = 0
  const check = (): void => {
    const { blockCache, tableCache } = db.stats()
    assert.ok(blockCache.bytes <= budgets.blockCacheBytes, `${blockCache.bytes} bytes of blocks`)
    assert.ok(tableCache.bytes <= budgets.tableCacheBytes, `${tableCache.bytes} bytes of tables`)
    assert.ok(tableCache.open <= small.maxOpenFiles, `${tableCache.open} tables are open`)
    most = Math.max(most, blockCache.bytes)
  }
  for (let round = 0; round < 30; round++) {
    for (let i = 0; i < 2000; i++) db.putSync(keyOf(), value)
    for (let i = 0; i < 700; i++) db.getSync(keyOf())
    check()
    for (const _ of db.scanSync({ gte: keyOf(), limit: 2000 })) check()
  }
  assert.ok(db.stats().tables.length > 60, `${db.stats().tables.length} tables`)
  assert.ok(most > 0.8 * budgets.blockCacheBytes, `the budget was made use of: ${most}`)
  await db.close()
})

test('memory of MemTables that were flushed serves the next ones, but not while a scan reads it', async () => {
  const db = await open('/db', { environment: new MemoryEnvironment(), workers: 0, writeBufferBytes: MIB })
  const value = new Uint8Array(1000)
  const fill = (round: number): void => {
    for (let i = 0; i < 5000; i++) db.putSync(`key${i}`, value.fill(round))
  }
  fill(1)
  const scan = db.scanSync({ gte: 'key4' })
  const expected = Array.from(db.scanSync({ gte: 'key4' }), ([key, found]) => `${Buffer.from(key)} ${found[0]}`)
  const seen: string[] = []
  for (let round = 2; round < 8; round++) {
    fill(round)
    for (let i = 0; i < 300; i++) {
      const { value: entry } = scan.next()
      if (entry !== undefined) seen.push(`${Buffer.from(entry[0])} ${entry[1][0]}`)
    }
  }
  assert.deepEqual(seen, expected)
  scan.close()
  const before = process.memoryUsage().arrayBuffers
  for (let round = 8; round < 40; round++) fill(round)
  const grown = process.memoryUsage().arrayBuffers - before
  assert.ok(grown < 60 * MIB, `${grown} bytes more, for 160 MB of writes`)
  for (const [, found] of db.scanSync()) assert.equal(found[0], 39)
  await db.close()
})

interface Shared {
  readonly db: DB
  /** The reader's block. */
  readonly words: Int32Array
  readonly posted: LayersMessage[]
  readonly tell: (message: unknown) => void
  readonly leave: () => void
}

/** A database that one other thread reads, which is played here, and what it was sent. */
async function shared(): Promise<Shared> {
  let [tell, leave] = [(_: unknown): void => {}, (): void => {}]
  const posted: LayersMessage[] = []
  const near: Port = {
    post: (message) => posted.push(message as LayersMessage),
    onMessage: (handler) => {
      tell = handler
    },
    onClose: (handler) => {
      leave = handler
    },
    receiveNow: () => undefined,
    keepAlive: () => {},
    close: () => {},
  }
  const ports = { open: () => ({ near, far: {} }), adopt: () => undefined }
  const environment = Object.assign(new MemoryEnvironment(), { ports })
  const db = await open('/db', { environment, workers: 0, writeBufferBytes: 64 * 1024 })
  db.putSync('key', 'first')
  const words = new Int32Array(db.share().reader)
  Atomics.store(words, Layout.WAITING, 1)
  tell({ type: 'layers' })
  return { db, words, posted, tell, leave }
}

async function rotate(db: DB, rounds: number, after: () => void = () => {}): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    db.putSync('key', `${round}`)
    await db.flush()
    after()
  }
}

/** What the MemTable that was sent first says of the key. */
function firstValue([{ fresh }]: readonly LayersMessage[]): string | undefined {
  const found = MemTable.attach(fresh[0].token).get('key', 1)
  return found?.type === 'value' ? Buffer.from(found.value).toString() : undefined
}

const READS: readonly (readonly [what: string, inUse: (generation: number) => number])[] = [
  ['has not taken', () => Layout.NONE_YET],
  ['is in the middle of reading', (generation) => generation],
]

for (const [what, inUse] of READS) {
  test(`memory of a MemTable that another thread ${what} is not used again before it goes on`, async () => {
    const { db, words, posted } = await shared()
    const shown = MemTable.attach(posted[0].fresh[0].token)
    Atomics.store(words, Layout.IN_USE, inUse(posted[0].generation))
    await rotate(db, 5)
    const found = shown.get('key', 1)
    assert.equal(found?.type === 'value' && Buffer.from(found.value).toString(), 'first')
    Atomics.store(words, Layout.IN_USE, posted.at(-1)?.generation ?? 0)
    await rotate(db, 2)
    assert.equal(db.getSync('key')?.[0], '1'.charCodeAt(0))
    await db.close()
  })
}

test('memory of a MemTable that another thread pins for a scan is not used again, though it reads newer layers', async () => {
  const { db, words, posted } = await shared()
  const pins = new ReaderPins(words)
  const slot = pins.pinGeneration(posted[0].generation)
  const goOn = (): void => void Atomics.store(words, Layout.IN_USE, posted.at(-1)?.generation ?? 0)
  await rotate(db, 5, goOn)
  assert.equal(firstValue(posted), 'first')
  pins.release(slot)
  await rotate(db, 5, goOn)
  await db.close()
})

test('a database that another thread reads makes its MemTables of the same memory, over and over', async () => {
  const { db, words, posted } = await shared()
  await rotate(db, 40, () => void Atomics.store(words, Layout.IN_USE, posted.at(-1)?.generation ?? 0))
  const tables = posted.flatMap(({ fresh }) => fresh)
  assert.ok(tables.length > 40)
  const memories = new Set(tables.map(({ token }) => token.buffer))
  assert.ok(memories.size <= 4, `${memories.size} memories for ${tables.length} MemTables`)
  await db.close()
})

test('memory of a MemTable that a scan read serves the next one after the end of the scan', async () => {
  const { db, words, posted, tell } = await shared()
  const { buffer } = posted[0].fresh[0].token
  const scan = db.scanSync()
  scan.next()
  await rotate(db, 1)
  Atomics.store(words, Layout.IN_USE, posted.at(-1)?.generation ?? 0)
  tell({ type: 'released' })
  assert.equal(firstValue(posted), 'first')
  scan.close()
  await rotate(db, 1)
  assert.equal(posted.at(-2)?.fresh[0].token.buffer, buffer)
  await db.close()
})

test('memory of MemTables is used again as soon as the thread that read them has left, or closed its reader', async () => {
  for (const isTold of [true, false]) {
    const { db, words, posted, leave } = await shared()
    Atomics.store(words, Layout.IN_USE, isTold ? posted[0].generation : Layout.NONE_ANY_MORE)
    const { buffer } = posted[0].fresh[0].token
    if (isTold) leave()
    await rotate(db, 3)
    assert.ok(!Buffer.from(new Uint8Array(buffer)).includes('first'))
    await db.close()
  }
})

test('closing gives the memory of all MemTables back if nobody reads them, though a reader was open before', async () => {
  const { db, words, posted } = await shared()
  Atomics.store(words, Layout.IN_USE, Layout.NONE_ANY_MORE)
  await db.close()
  assert.ok(!Buffer.from(new Uint8Array(posted[0].fresh[0].token.buffer)).includes('first'))
})

test('a thread that reads while the database is closed goes on with what it has', async () => {
  for (const inUse of [Layout.NONE_YET, 1]) {
    const { db, words, posted } = await shared()
    Atomics.store(words, Layout.IN_USE, inUse)
    await db.close()
    assert.equal(firstValue(posted), 'first')
  }
})

test('a backup that nobody begins to read is not held on to by its database', async () => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const db = await open('/db', { environment: new MemoryEnvironment(), workers: 0 })
  const dropped = (): WeakRef<object> => new WeakRef(db.backup())
  const stream = dropped()
  await setImmediate()
  collectGarbage()
  assert.equal(stream.deref(), undefined)
  await db.close()
})

/**
 * Reading at scale: what is read from files, and how often; what memory and descriptors are held; filters that are damaged.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Prng } from '../../src/base/prng.ts'
import type { DB } from '../../src/db/db.ts'
import { open } from '../../src/db/open.ts'
import { type Options, resolveOptions, tableFormat } from '../../src/db/options.ts'
import type { DamagedFilterDetail } from '../../src/db/reports/events.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { FaultEnvironment } from '../support/fault-env.ts'
import { DIRECTORY, directoryOf, environmentOf, leftBy, openIn } from './directories.ts'

const VALUE = 'v'.repeat(200)

function keyOf(i: number): string {
  return `key${String(i).padStart(6, '0')}`
}

/** So that tables stay in level 0. */
const UNCOMPACTED: Options = { level0CompactionTrigger: 500, level0SlowdownTrigger: 500, level0StopTrigger: 500 }

/** Keys 0 to count, each `stride`-th from another table of level 0. */
async function fill(db: DB, count: number, tables: number): Promise<void> {
  for (let table = 0; table < tables; table++) {
    for (let i = table; i < count; i += tables) db.putSync(keyOf(i), `${i} ${VALUE}`)
    await db.flush()
  }
}

/** A database of so many keys in so many tables, opened with every call on its files written down. */
async function openWatched(count: number, tables: number, options: Options = {}): Promise<Watched> {
  const left = await leftBy((db) => fill(db, count, tables), {
    ...UNCOMPACTED,
    writeBufferBytes: 1024 * 1024,
    compression: 'none',
  })
  const environment = new FaultEnvironment(environmentOf(left), { directory: DIRECTORY, countReads: true })
  const db = await open(DIRECTORY, { workers: 0, ...UNCOMPACTED, ...options, environment })
  return { db, environment }
}

interface Watched {
  readonly db: DB
  readonly environment: FaultEnvironment
}

function readsOf(calls: readonly string[]): string[] {
  return calls.filter((call) => call.startsWith('read '))
}

test('opening looks at each table once, and opens and reads none', async () => {
  const { db, environment } = await openWatched(400, 20)
  const calls = environment.takeCalls().filter((call) => call.includes('.ldb'))
  assert.equal(calls.length, 20)
  assert.ok(calls.every((call) => call.startsWith('status ')))
  assert.equal(new Set(calls).size, 20)
  assert.deepEqual(db.stats().tableCache, { open: 0, bytes: 0, misses: 0 })
  await db.close()
})

test('a read that misses the caches reads one block of one table, after one read that opens it', async () => {
  const { db, environment } = await openWatched(2000, 1)
  environment.takeCalls()
  db.getSync(keyOf(700))
  assert.equal(readsOf(environment.takeCalls()).length, 2)
  db.getSync(keyOf(1700))
  assert.equal(readsOf(environment.takeCalls()).length, 1)
  db.getSync(keyOf(1701))
  assert.deepEqual(environment.takeCalls(), [])
  await db.close()
})

test('a scan keeps nothing any more once it has given the last entry of its limit', async () => {
  const { db } = await openWatched(400, 20)
  for (const limit of [1, 3]) {
    const sync = db.keysSync({ limit })
    const later = db.scan({ limit, reverse: true })
    for (let i = 0; i < limit; i++) {
      assert.equal(db.stats().openScans, 2)
      assert.deepEqual([sync.next().done, (await later.next()).done], [false, false])
    }
    assert.equal(db.stats().openScans, 0)
    assert.deepEqual([sync.next().done, (await later.next()).done], [true, true])
  }
  await db.close()
})

test('of tables in use that do not fit, the figures say how often reads open them', async () => {
  const { db, environment } = await openWatched(400, 20, { maxOpenFiles: 16 })
  const openings = (): number => environment.takeCalls().filter((call) => call.startsWith('open ')).length
  openings()
  for (let round = 0; round < 3; round++) {
    const { misses } = db.stats().tableCache
    for (const _ of db.scanSync());
    assert.equal(db.stats().tableCache.misses - misses, openings())
    assert.ok(db.stats().tableCache.misses > misses)
  }
  await db.close()
})

test('getMany reads each block once, in whatever order the keys come, without any cache', async () => {
  const { db, environment } = await openWatched(3000, 2, { blockCacheBytes: 0 })
  const random = new Prng(4)
  const keys = Array.from({ length: 1500 }, () => keyOf(random.below(3300)))
  for (const table of [0, 1]) db.getSync(keyOf(table))
  environment.takeCalls()
  const one = keys.map((key) => db.getSync(key))
  const readsOfOne = readsOf(environment.takeCalls()).length
  const many = db.getManySync(keys)
  const reads = readsOf(environment.takeCalls()).length
  assert.deepEqual(many, one)
  const blocks = db.stats().tables.reduce((sum, { bytes }) => sum + Math.ceil(bytes / 4096), 0)
  assert.ok(reads <= blocks, `${reads} reads of ${blocks} blocks`)
  assert.ok(readsOfOne > 5 * reads, `${readsOfOne} reads one by one, ${reads} together`)
  await db.close()
})

test('getMany sees one state of all layers, at the call or at a snapshot, with keys that come twice', async () => {
  const db = await openIn(new MemoryEnvironment(), { writeBufferBytes: 1024 * 1024, compression: 'none' })
  await fill(db, 50, 3)
  db.putSync(keyOf(1), 'new')
  db.deleteSync(keyOf(2))
  const snapshot = db.snapshot()
  await db.flush()
  db.putSync(keyOf(3), 'newest')
  db.deleteSync(keyOf(1))
  const keys = [keyOf(3), 'zz', keyOf(2), keyOf(1), keyOf(3), keyOf(0), '', keyOf(49)]
  for (const options of [{}, { snapshot }]) {
    const expected = keys.map((key) => db.getSync(key, options))
    assert.deepEqual(db.getManySync(keys, options), expected)
    assert.deepEqual(
      await db.getMany(new Set(keys), options),
      [...new Set(keys)].map((key) => db.getSync(key, options)),
    )
  }
  assert.deepEqual(db.getManySync([]), [])
  await db.close()
})

test('entries that are asked for at once come in the order of the asking, however long the scan takes', async () => {
  const memory = new MemoryEnvironment()
  const db = await openIn(memory)
  await fill(db, 500, 1)
  const { clock } = memory
  const monotonicMs = clock.monotonicMs.bind(clock)
  clock.monotonicMs = () => {
    clock.advance(50)
    return monotonicMs()
  }
  const scan = db.keys()
  const found = await Promise.all(Array.from({ length: 502 }, () => scan.next()))
  const expected = Array.from({ length: 500 }, (_, i) => keyOf(i))
  assert.deepEqual(
    found.map(({ value }) => value && Buffer.from(value).toString()),
    [...expected, undefined, undefined],
  )
  await db.close()
})

test('values of getMany are the caller’s own', async () => {
  const db = await openIn(new MemoryEnvironment())
  db.putSync('a', 'x'.repeat(100))
  await db.flush()
  const [first] = db.getManySync(['a'])
  first?.fill(0)
  assert.equal(Buffer.from(db.getSync('a') as Uint8Array).toString(), 'x'.repeat(100))
  await db.close()
})

test('a filter that is damaged is reported once, and the table read without it', async () => {
  const left = await leftBy((db) => fill(db, 300, 2), { writeBufferBytes: 1024 * 1024, compression: 'none' })
  const names = [...left.keys()].filter((name) => name.endsWith('.ldb'))
  const damaged = new Map(left)
  const bytes = (left.get(names[0]) as Uint8Array<ArrayBuffer>).slice()
  // The filter block comes right after the data blocks; its handle is the metaindex block's one entry.
  bytes[filterOffset(bytes) + 5] ^= 1
  damaged.set(names[0], bytes)
  const memory = environmentOf(damaged)
  const db = await openIn(memory)
  const told: DamagedFilterDetail[] = []
  db.on('damaged-filter', (detail) => {
    told.push(detail)
    db.getSync(keyOf(1))
  })
  assert.deepEqual(db.stats().damagedFilters, [])
  for (let i = 0; i < 300; i++) assert.ok(db.getSync(keyOf(i)) !== undefined)
  assert.equal(db.getSync('key0000105'), undefined)
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(told, [{ table: Number(names[0].slice(0, 6)), file: `${DIRECTORY}/${names[0]}` }])
  assert.deepEqual(db.stats().damagedFilters, [`${DIRECTORY}/${names[0]}`])
  assert.equal([...db.scanSync()].length, 300)
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(told.length, 1)
  await db.close()
})

/** Where the filter block of a table that varve wrote begins. */
function filterOffset(table: Uint8Array): number {
  const footer = table.subarray(table.length - 48)
  const [metaindex] = varint(footer, 0)
  // An entry: three lengths, the name, then the handle.
  const nameLength = table[metaindex + 1]
  const [offset] = varint(table, metaindex + 3 + nameLength)
  return offset
}

function varint(bytes: Uint8Array, at: number): [value: number, end: number] {
  let value = 0
  let scale = 1
  for (let i = at; ; i++, scale *= 128) {
    value += (bytes[i] & 127) * scale
    if (bytes[i] < 128) return [value, i + 1]
  }
}

test('filter bits are given for all levels, or by level with the last for all below', async () => {
  const bitsOf = (bloomBitsPerKey: number | number[], level: number): number => {
    const options = resolveOptions({ bloomBitsPerKey }, () => new MemoryEnvironment())
    return tableFormat(options, level).bloomBitsPerKey
  }
  assert.deepEqual(
    [0, 6].map((level) => bitsOf(12, level)),
    [12, 12],
  )
  assert.deepEqual(
    [0, 1, 2, 6].map((level) => bitsOf([14, 10, 0], level)),
    [14, 10, 0, 0],
  )
  const bytesOf = async (bloomBitsPerKey: number | number[]): Promise<number> => {
    const left = await leftBy((db) => fill(db, 300, 1), { bloomBitsPerKey, writeBufferBytes: 1024 * 1024 })
    return [...left].filter(([name]) => name.endsWith('.ldb'))[0][1].length
  }
  assert.equal(await bytesOf([10, 0]), await bytesOf(10))
  assert.equal(await bytesOf([0, 10]), await bytesOf(0))
  assert.ok((await bytesOf(0)) < (await bytesOf(10)))
})

test('filter bits that are given as an array are the database’s own', () => {
  const bits = [10, 8]
  const options = resolveOptions({ bloomBitsPerKey: bits }, () => new MemoryEnvironment())
  bits[0] = 99
  assert.equal(tableFormat(options, 0).bloomBitsPerKey, 10)
})

test('a database keeps no more tables open than it may, and reads all the same', async () => {
  const left = directoryOf(
    environmentOf(await leftBy((db) => fill(db, 400, 40), { ...UNCOMPACTED, writeBufferBytes: 1024 * 1024 })),
  )
  const memory = environmentOf(left)
  const db = await openIn(memory, { ...UNCOMPACTED, maxOpenFiles: 16 })
  for (let i = 0; i < 400; i++) assert.ok(db.getSync(keyOf(i)) !== undefined)
  assert.equal(db.stats().tableCache.open, 16)
  const scan = db.scanSync()
  scan.next()
  assert.equal(db.stats().tableCache.open, 40, 'a scan holds the tables of level 0')
  scan.close()
  assert.equal(db.stats().tableCache.open, 16)
  await db.close()
  assert.equal(memory.files.openCount, 0)
})

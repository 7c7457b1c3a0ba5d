/**
 * consumers: the programs that use the installed package, as text: tools/package-test.mjs writes them into projects of their
 * own, where `varve` is what was packed.
 */

/** The same for both module systems: what `varve` and `varve/memtable` give is handed in. */
export const BODY = `
module.exports = async function use({ open, WriteBatch }, { MemTable }, directory) {
  const assert = require('node:assert/strict')
  const { existsSync, readdirSync } = require('node:fs')
  const text = (bytes) => Buffer.from(bytes).toString()
  const key = (i) => 'user:' + String(i).padStart(6, '0')
  const value = (i) => String(i).padStart(1000, '.')

  let db = await open(directory, { writeBufferBytes: 256 * 1024 })
  await db.put('greeting', 'hello')
  assert.equal(text(await db.get('greeting')), 'hello')
  assert.equal(await db.get('absent'), undefined)
  await db.delete('greeting')
  assert.equal(await db.get('greeting'), undefined)
  for (let i = 0; i < 2000; i += 100) {
    const batch = new WriteBatch()
    for (let j = i; j < i + 100; j++) batch.put(key(j), value(j))
    await db.write(batch)
  }
  await db.flush()
  assert.ok(readdirSync(directory).some((name) => name.endsWith('.ldb')), 'a worker has written a table')
  await db.close()

  db = await open(directory, { createIfMissing: false })
  let count = 0
  for await (const [k, v] of db.scan({ gte: 'user:', lt: 'user;' })) {
    assert.equal(text(k), key(count))
    assert.equal(text(v), value(count))
    count++
  }
  assert.equal(count, 2000)
  assert.equal(text(db.getSync(key(1234))), value(1234))
  const last = []
  for await (const [k] of db.scan({ reverse: true, limit: 2 })) last.push(text(k))
  assert.deepEqual(last, [key(1999), key(1998)])
  await db.close()

  const zstd = directory + '-zstd'
  if (require('node:zlib').zstdCompressSync === undefined) {
    await assert.rejects(open(zstd, { compression: 'zstd' }), { code: 'NOT_SUPPORTED' })
    assert.equal(existsSync(zstd), false)
  } else {
    db = await open(zstd, { compression: 'zstd', bloomBitsPerKey: 0 })
    for (let i = 0; i < 100; i++) db.putSync(key(i), value(i))
    await db.flush()
    assert.ok(db.stats().tables[0].bytes < 10_000, 'a worker has compressed it')
    assert.equal(text(db.getSync(key(99))), value(99))
    await db.close()
  }

  const table = MemTable.create({ capacityBytes: 1 << 20 })
  const bytes = (string) => new TextEncoder().encode(string)
  table.put(bytes('b'), bytes('2'))
  table.put(bytes('a'), bytes('1'))
  table.delete(bytes('c'))
  assert.equal(text(table.get(bytes('a')).value), '1')
  assert.equal(table.get(bytes('c')).type, 'tombstone')
  assert.equal(table.get(bytes('d')), undefined)
  assert.equal([...table.rangeScan(bytes('a'), bytes('c'))].length, 3)
}
`

/** What must compile against the declarations, strictly, without looking at the sources. */
export const CONSUMER = `
import { open, VarveError, WriteBatch } from 'varve'
import { MemTable } from 'varve/memtable'

export async function use(directory: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  await using db = await open(directory, { writeBufferBytes: 1 << 20, durability: 'disk' })
  await db.put('a', new Uint8Array([1]))
  await db.write(new WriteBatch().put('b', 'c').delete('a'), { durability: 'os' })
  for await (const [key, value] of db.scan({ gte: 'a', limit: 10 })) {
    const owned: Uint8Array<ArrayBuffer> = key
    if (owned.length > value.length) break
  }
  using snapshot = db.snapshot()
  try {
    for (const [key] of db.scanSync({ snapshot })) db.deleteSync(key)
  } catch (error) {
    if (error instanceof VarveError && error.code === 'CORRUPTION') throw new Error(error.file)
  }
  // @ts-expect-error an option that there is not
  await open(directory, { writeBufferSize: 1 })
  return db.getSync('a')
}

export function table(): number {
  const memtable = MemTable.create({ capacityBytes: 4096, representation: 'skiplist' })
  return memtable.length
}
`

/** What `varve/level` gives, beside the optional package that it takes; the same for both module systems. */
export const LEVEL = `
module.exports = async function use({ VarveLevel }, directory) {
  const assert = require('node:assert/strict')
  const { AbstractLevel } = require('abstract-level')
  const level = new VarveLevel(directory, { valueEncoding: 'json' })
  assert.ok(level instanceof AbstractLevel, 'there is one abstract-level')
  await level.put('a', { x: 1 }, { sync: true })
  await level.batch([{ type: 'put', key: 'b', value: 2, sublevel: level.sublevel('deep') }])
  assert.deepEqual(await level.iterator({ gte: 'a' }).all(), [['a', { x: 1 }]])
  await level.clear()
  assert.deepEqual(await level.keys().all(), [])
  await level.close()
  await VarveLevel.destroy(directory)
}
`

/** The package of two files that stands where packages look for classic-level: docs/guides/from-classic-level.md. */
export const STAND_IN = {
  'package.json': '{ "name": "classic-level", "version": "3.0.0", "type": "module", "exports": "./index.js" }',
  'index.js': "export { VarveLevel as ClassicLevel } from 'varve/level'",
}

/** `level`, which constructs a ClassicLevel of its own, in CommonJS, gets VarveLevel. */
export const OVERRIDDEN = `
const assert = require('node:assert/strict')
const { Level } = require('level')
async function use(directory) {
  const level = new Level(directory, { valueEncoding: 'json' })
  assert.equal(Level, require('varve/level').VarveLevel)
  await level.put('a', { x: 1 })
  assert.deepEqual(await level.get('a'), { x: 1 })
  await level.close()
}
use(process.argv[2])
`

/** What must compile against the declarations of `varve/level`. */
export const LEVEL_CONSUMER = `
import { VarveLevel, type PutOptions } from 'varve/level'

export async function use(directory: string): Promise<number | undefined> {
  await using level = new VarveLevel<string, number>(directory, { valueEncoding: 'json', cacheSize: 1 << 20 })
  const options: PutOptions<string, number> = { sync: true }
  await level.put('a', 1, options)
  for await (const [key, value] of level.iterator({ gt: '', highWaterMarkBytes: 1 })) await level.put(key, value + 1)
  // @ts-expect-error a value of another type
  await level.put('a', 'text')
  return level.getSync('a')
}
`

/** What `varve/otel` gives, beside the optional package that it takes; the same for both module systems. */
export const OTEL = `
module.exports = async function use({ open }, { instrument }, directory) {
  const assert = require('node:assert/strict')
  const { InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } = require('@opentelemetry/sdk-metrics')
  const exporter = new InMemoryMetricExporter(1)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 30 })
  const meter = new MeterProvider({ readers: [reader] }).getMeter('test')
  const lines = []
  const take = (fields, message) => lines.push(message)
  const db = await open(directory, { logger: { debug: take, info: take, warn: take, error: take } })
  const stop = instrument(db, { meter })
  await db.put('a', '1')
  await db.flush()
  await reader.forceFlush()
  const [{ scopeMetrics: [{ metrics }] }] = exporter.getMetrics()
  const flushes = metrics.find(({ descriptor }) => descriptor.name === 'varve.flush.count')
  assert.equal(flushes.dataPoints[0].value, 1)
  assert.equal(flushes.dataPoints[0].attributes['db.system.name'], 'varve')
  stop()
  await db.close()
  await reader.shutdown()
  assert.deepEqual(lines, ['database created', 'flushed', 'database closed'])
}
`

/** What must compile against the declarations of `varve/otel`. */
export const OTEL_CONSUMER = `
import { metrics, trace } from '@opentelemetry/api'
import { open, type Logger } from 'varve'
import { instrument, type InstrumentOptions } from 'varve/otel'

export async function use(directory: string): Promise<void> {
  const logger: Logger = console
  await using db = await open(directory, { logger })
  const options: InstrumentOptions = { meter: metrics.getMeter('app'), tracer: trace.getTracer('app') }
  const stop: () => void = instrument(db, { ...options, attributes: { 'service.shard': 1 } })
  stop()
  // @ts-expect-error no database
  instrument(directory)
}
`

/** Without the optional package, `varve/otel` says which one is missing, and all else works. */
export const NO_PEER = `
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'

await import('varve')
await assert.rejects(import('varve/otel'), (error) => {
  assert.equal(error.code, 'ERR_MODULE_NOT_FOUND')
  assert.match(error.message, /Cannot find package '@opentelemetry\\/api'/)
  return true
})
assert.throws(() => createRequire(import.meta.url)('varve/otel'), /@opentelemetry\\/api/)
`

/** With the optional package installed, LevelDB is kept out of a directory that varve has open, and let in afterwards. */
export const NATIVE_LOCK = `
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { open } from 'varve'

const script = "const d = new (require('classic-level').ClassicLevel)(process.argv[1], { compression: false });" +
  "d.open().then(() => console.log('opened'), (error) => console.log(error.cause?.code))"
const level = (directory) => execFileSync(process.execPath, ['-e', script, directory], { encoding: 'utf8' }).trim()

const directory = process.argv[2]
const db = await open(directory)
await db.put('key', 'value')
assert.equal(level(directory), 'LEVEL_LOCKED')
await db.close()
assert.equal(level(directory), 'opened')
`

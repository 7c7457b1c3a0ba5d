/**
 * The declarations of `varve/level`: what a program that used classic-level writes, compiles, and what it must not, does not.
 * The compiler is the test; what runs here only shows that the types tell the truth.
 */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { AbstractLevel } from 'abstract-level'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import {
  type AdditionalIteratorOptions,
  type ChainedBatch,
  type DatabaseOptions,
  type GetOptions,
  type Iterator,
  type IteratorOptions,
  type OpenOptions,
  type PutOptions,
  type ReadOptions,
  type Snapshot,
  VarveLevel,
  type WriteOptions,
} from '../../src/level/varve-level.ts'

type Point = { readonly x: number }

function make<V>(options: DatabaseOptions<string, V>): VarveLevel<string, V> {
  return new VarveLevel<string, V>('types', { ...options, varve: { environment: new MemoryEnvironment() } })
}

it('keys and values have the types of their encodings, by default strings', async () => {
  await using level = make<Point>({ valueEncoding: 'json', cacheSize: 1024 * 1024, compression: false })
  const open: OpenOptions = { writeBufferSize: 64 * 1024, multithreading: true }
  await level.open(open)
  await level.put('a', { x: 1 }, { sync: true })
  // @ts-expect-error a value of another type
  await assert.doesNotReject(level.put('b', 'text'))
  // @ts-expect-error an option that there is not
  await level.del('b', { durability: 'disk' })
  const point: Point | undefined = await level.get('a', { fillCache: false })
  const text: string | undefined = await level.get<string, string>('a', { valueEncoding: 'utf8' })
  assert.deepEqual([point, text], [{ x: 1 }, '{"x":1}'])
  const entries: [string, Point][] = await level.iterator({ highWaterMarkBytes: 1024, limit: 3 }).all()
  const keys: string[] = await level.keys({ reverse: true }).all()
  const points: Point[] = await level.values().nextv(3)
  assert.deepEqual([entries, keys, points], [[['a', { x: 1 }]], ['a'], [{ x: 1 }]])
})

it('a database, its iterators, batches and snapshots are those of abstract-level', async () => {
  await using level = make<string>({})
  // Said, not inferred: whether the compiler finds it depends on the order in which it looks at files.
  const abstract = level as AbstractLevel<string | Buffer | Uint8Array, string, string>
  await abstract.open()
  const batch: ChainedBatch<typeof level, string, string> = level.batch()
  await batch.put('a', '1').del('b').write({ sync: true })
  const iterator: Iterator<typeof level, string, string> = level.iterator()
  for await (const [key, value] of iterator) assert.deepEqual([key, value], ['a', '1'])
  const snapshot: Snapshot = level.snapshot()
  assert.equal(await level.has('a', { snapshot }), true)
  await snapshot.close()
  const bytes: number = await level.approximateSize('a', 'z', { keyEncoding: 'utf8' })
  const text: string = level.getProperty('leveldb.stats')
  assert.deepEqual([typeof bytes, typeof text], ['number', 'string'])
  // @ts-expect-error varve's own order of keys is not for sublevels
  assert.throws(() => new VarveLevel('', { varve: { comparator: { name: 'mine', compare: () => 0 } } }))
})

it('the options that several calls share have the names that classic-level gives them', async () => {
  await using level = make<string>({})
  const writing: WriteOptions = { sync: true }
  const put: PutOptions<string, string> = writing
  await level.put('a', '1', put)
  const reading: ReadOptions = { fillCache: false }
  const get: GetOptions<string, string> = reading
  assert.equal(await level.get('a', get), '1')
  const scanning: AdditionalIteratorOptions = { ...reading, highWaterMarkBytes: 1024 }
  const entries: IteratorOptions<string, string> = { ...scanning, gte: 'a' }
  assert.deepEqual(await level.iterator(entries).all(), [['a', '1']])
})

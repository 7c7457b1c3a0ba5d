/**
 * The declarations of `varve` and `varve/memtable`: what a program may write, what it gets, and what the compiler refuses. The
 * compiler is the test; tools/package-test.mjs has it judge the packed declarations, too. What runs here only shows that the
 * types tell the truth.
 */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { expectTypeOf } from 'expect-type'
import {
  CorruptionError,
  type Cursor,
  DB,
  type DBReader,
  type Durability,
  type Entry,
  type Environment,
  type ErrorCode,
  type Input,
  memoryEnvironment,
  nodeEnvironment,
  type Options,
  open,
  type ReadOptions,
  type Scan,
  type ScanOptions,
  type Snapshot,
  type Stats,
  type SyncScan,
  VarveError,
  WriteBatch,
  type WriteOptions,
} from '../../src/public/index.ts'
import {
  decodeLsmEntry,
  encodeLsmEntry,
  MemTable,
  type MemTableEntry,
  type MemTableToken,
  type MemTableVersion,
} from '../../src/public/memtable.ts'

/** What leaves the engine belongs to the caller, and can be given to whatever wants memory that is not shared. */
type Owned = Uint8Array<ArrayBuffer>

it('a database takes strings and bytes, and gives bytes that the caller owns', async () => {
  expectTypeOf(open).parameter(0).toEqualTypeOf<string>()
  expectTypeOf(open).parameter(1).toEqualTypeOf<Options | undefined>()
  expectTypeOf(open).returns.resolves.toEqualTypeOf<DB>()
  expectTypeOf<Input>().toEqualTypeOf<string | Uint8Array>()
  expectTypeOf<DB['put']>().toEqualTypeOf<(key: Input, value: Input, options?: WriteOptions) => Promise<void>>()
  expectTypeOf<DB['putSync']>().returns.toEqualTypeOf<void>()
  expectTypeOf<DB['get']>().returns.resolves.toEqualTypeOf<Owned | undefined>()
  expectTypeOf<DB['getSync']>().returns.toEqualTypeOf<Owned | undefined>()
  expectTypeOf<DB['getMany']>().parameter(0).toEqualTypeOf<Iterable<Input>>()
  expectTypeOf<DB['getManySync']>().returns.toEqualTypeOf<(Owned | undefined)[]>()
  expectTypeOf<DB['has']>().returns.resolves.toEqualTypeOf<boolean>()
  expectTypeOf<DB['stats']>().returns.toEqualTypeOf<Stats>()
  expectTypeOf<DB>().toExtend<AsyncDisposable>()
  expectTypeOf<NonNullable<WriteOptions['durability']>>().toEqualTypeOf<Durability>()
  expectTypeOf<Durability>().toEqualTypeOf<'buffered' | 'os' | 'disk'>()

  await using db = await open('types', { environment: memoryEnvironment(), workers: 0 })
  await db.put('a', Buffer.from('1'), { durability: 'os' })
  const value: Owned | undefined = await db.get(new Uint8Array([0x61]))
  assert.deepEqual(value, new Uint8Array([0x31]))
  assert.ok(db instanceof DB)
})

it('an option, a member or a kind of value that there is not is refused', async () => {
  const environment = memoryEnvironment()
  // @ts-expect-error another store's name of an option
  await assert.rejects(open('types', { environment, writeBufferSize: 1 }), { code: 'INVALID_ARGUMENT' })
  // @ts-expect-error a level of durability that there is not
  await assert.rejects(open('types', { environment, durability: 'fsync' }), { code: 'INVALID_ARGUMENT' })
  // @ts-expect-error a directory has to be named
  await assert.rejects(open(), { code: 'INVALID_ARGUMENT' })
  await using db = await open('types', { environment, workers: 0 })
  // @ts-expect-error a number is no value
  await assert.rejects(db.put('a', 1), { code: 'INVALID_ARGUMENT' })
  // @ts-expect-error nothing is stored for undefined
  assert.throws(() => db.putSync('a', undefined), { code: 'INVALID_ARGUMENT' })
  // @ts-expect-error an option of reading
  assert.throws(() => db.putSync('a', 'b', { snapshot: undefined }), { code: 'INVALID_ARGUMENT' })
  // @ts-expect-error a bound of a kind that no key has
  assert.throws(() => db.scanSync({ gte: 1 }), { code: 'INVALID_ARGUMENT' })
  // @ts-expect-error a batch is not an array of operations
  await assert.rejects(db.write([{ type: 'put', key: 'a', value: 'b' }]), { code: 'INVALID_ARGUMENT' })
  // @ts-expect-error what may be absent has to be looked at
  assert.throws(() => db.getSync('absent').length, TypeError)
})

it('a scan is an iterable of entries, keys or values, of the kind of loop that it is for', async () => {
  expectTypeOf<DB['scan']>().toEqualTypeOf<(options?: ScanOptions) => Scan<Entry>>()
  expectTypeOf<DB['scanSync']>().returns.toEqualTypeOf<SyncScan<Entry>>()
  expectTypeOf<DB['keys']>().returns.toEqualTypeOf<Scan<Owned>>()
  expectTypeOf<DB['valuesSync']>().returns.toEqualTypeOf<SyncScan<Owned>>()
  expectTypeOf<Scan<Entry>>().toExtend<AsyncIterable<Entry> & AsyncDisposable>()
  expectTypeOf<SyncScan<Entry>>().toExtend<Iterable<Entry> & Disposable>()
  expectTypeOf<Scan<Entry>>().not.toExtend<Iterable<unknown>>()
  expectTypeOf<Entry>().toEqualTypeOf<[key: Owned, value: Owned]>()
  expectTypeOf<DB['cursor']>().returns.toEqualTypeOf<Cursor>()

  await using db = await open('types', { environment: memoryEnvironment(), workers: 0 })
  await db.put('a', '1')
  for await (const [key, value] of db.scan({ gte: 'a', limit: 1 })) {
    expectTypeOf(key).toEqualTypeOf<Owned>()
    assert.equal(key.length, value.length)
  }
  // @ts-expect-error a synchronous loop over an asynchronous scan
  assert.throws(() => [...db.scan()], TypeError)
})

it('a snapshot is closed by using, and is read through options', async () => {
  expectTypeOf<DB['snapshot']>().returns.toEqualTypeOf<Snapshot>()
  expectTypeOf<Snapshot>().toExtend<Disposable>()
  expectTypeOf<ReadOptions['snapshot']>().toEqualTypeOf<Snapshot | undefined>()
  expectTypeOf<DBReader['snapshot']>().returns.toEqualTypeOf<Snapshot>()
  expectTypeOf<DBReader>().not.toHaveProperty('flush')

  await using db = await open('types', { environment: memoryEnvironment(), workers: 0 })
  using before = db.snapshot()
  await db.put('a', '1')
  assert.equal(db.getSync('a', { snapshot: before }), undefined)
  // @ts-expect-error a snapshot is made by a database only
  assert.throws(() => db.getSync('a', { snapshot: {} }), { code: 'INVALID_ARGUMENT' })
})

it('a batch is chained', () => {
  expectTypeOf<WriteBatch['put']>().parameters.toEqualTypeOf<[key: Input, value: Input]>()
  const batch = new WriteBatch().put('a', new Uint8Array(1)).delete('b').deleteRange('c', 'd')
  expectTypeOf(batch).toEqualTypeOf<WriteBatch>()
  // @ts-expect-error a value is missing
  assert.throws(() => batch.put('a'), { code: 'INVALID_ARGUMENT' })
})

it('an error has one of the codes, and damage has its place', () => {
  expectTypeOf<VarveError['code']>().toEqualTypeOf<ErrorCode>()
  expectTypeOf<'LOCKED' | 'CORRUPTION' | 'NOT_SUPPORTED'>().toExtend<ErrorCode>()
  expectTypeOf<'ENOENT'>().not.toExtend<ErrorCode>()
  expectTypeOf<CorruptionError>().toExtend<VarveError>()
  expectTypeOf<CorruptionError['offset']>().toEqualTypeOf<number | undefined>()
  assert.ok(new CorruptionError('it is not so', { file: 'a', offset: 1 }) instanceof VarveError)
})

it('environments are of one kind, wherever their files are', () => {
  expectTypeOf(memoryEnvironment).returns.toEqualTypeOf<Environment>()
  expectTypeOf(nodeEnvironment).returns.toEqualTypeOf<Environment>()
  // @ts-expect-error a path is no address
  assert.throws(() => nodeEnvironment({ worker: './varve-worker.mjs' }), { code: 'INVALID_ARGUMENT' })
})

it('a MemTable tells values from tombstones', () => {
  expectTypeOf<MemTable['get']>().returns.toEqualTypeOf<MemTableVersion | undefined>()
  expectTypeOf<MemTableEntry['key']>().toEqualTypeOf<Owned>()
  expectTypeOf<MemTable['share']>().returns.toEqualTypeOf<MemTableToken>()
  expectTypeOf(MemTable.attach).returns.toEqualTypeOf<MemTable>()
  const table = MemTable.create({ capacityBytes: 4096, representation: 'skiplist' })
  table.put('a', '1')
  const version = table.get('a')
  // @ts-expect-error a tombstone has no value
  const untold = version?.value
  const told = version?.type === 'value' ? version.value : undefined
  expectTypeOf(told).toEqualTypeOf<Owned | undefined>()
  assert.deepEqual(told, untold)
  // @ts-expect-error a representation that there is not
  assert.throws(() => MemTable.create({ representation: 'btree' }), { code: 'INVALID_ARGUMENT' })
})

/** What a caller has who may not have been told. */
type Perhaps<T> = { readonly [K in keyof T]: T[K] | undefined }

it('every option may be undefined, which is as if it were not there', async () => {
  expectTypeOf<Perhaps<Required<Options>>>().toExtend<Options>()
  expectTypeOf<Perhaps<Required<ScanOptions>>>().toExtend<ScanOptions>()
  expectTypeOf<Perhaps<Required<ReadOptions>>>().toExtend<ReadOptions>()
  expectTypeOf<Perhaps<Required<WriteOptions>>>().toExtend<WriteOptions>()
  const unsaid = { readOnly: undefined, writeBufferBytes: undefined, logger: undefined, comparator: undefined }
  const db = await open('data', { ...unsaid, environment: memoryEnvironment() })
  await db.put('a', '1', { durability: undefined })
  await db.flush({ signal: undefined })
  await db.compactRange(undefined, undefined, { signal: undefined })
  await db.checkpoint('copy', { signal: undefined, flush: undefined })
  assert.equal(db.getSync('a', { snapshot: undefined })?.length, 1)
  const scan = { gte: undefined, prefix: undefined, reverse: undefined, limit: undefined, snapshot: undefined }
  assert.equal([...db.keysSync(scan)].length, 1)
  await db.close()
})

it('an entry of goLSM is encoded from bytes of any kind', () => {
  const value: Uint8Array = new Uint8Array(new SharedArrayBuffer(2))
  const bytes = encodeLsmEntry({ key: 'a', command: 'put', value, timestamp: 1n })
  expectTypeOf(decodeLsmEntry(bytes).value).toEqualTypeOf<Owned | undefined>()
  assert.equal(decodeLsmEntry(bytes).value?.length, 2)
})

/**
 * What is refused: directories that are no database, options, arguments, and every call after close. A refusal has a code,
 * says of a write that it was not written, and changes nothing.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { restore } from '../../src/admin/restore.ts'
import { verify } from '../../src/admin/verify.ts'
import { ClosedError, type ErrorCode, VarveError } from '../../src/base/errors.ts'
import { MAX_KEY_BYTES } from '../../src/base/limits.ts'
import { WriteBatch } from '../../src/batch/write-batch.ts'
import type { DB } from '../../src/db/db.ts'
import { open } from '../../src/db/open.ts'
import type { Options } from '../../src/db/options.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import {
  type Directory,
  directoryOf,
  entriesOf,
  environmentOf,
  fingerprint,
  leftBy,
  openIn,
  tryOpen,
} from './directories.ts'

function code(error: unknown): ErrorCode | string {
  return error instanceof VarveError ? error.code : String(error)
}

function fresh(): Promise<DB> {
  return openIn(new MemoryEnvironment())
}

const text = (value: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(value)

// Directories.

const directories: [what: string, files: Record<string, string>, options: Options, code: ErrorCode][] = [
  ['somebody else’s files', { 'notes.txt': 'mine' }, {}, 'INVALID_ARGUMENT'],
  ['nothing, with createIfMissing off', {}, { createIfMissing: false }, 'NOT_FOUND'],
  ['nothing, for reading only', {}, { readOnly: true }, 'NOT_FOUND'],
]
for (const [what, files, options, expected] of directories) {
  test(`an opening of a directory with ${what} is refused`, async () => {
    const directory: Directory = new Map(Object.entries(files).map(([name, content]) => [name, text(content)]))
    assert.equal(code(await tryOpen(directory, options)), expected)
  })
}

test('an opening of a place that is not there makes nothing if it is not to be created', async () => {
  const memory = new MemoryEnvironment()
  await assert.rejects(openIn(memory, { createIfMissing: false }), { code: 'NOT_FOUND' })
  assert.equal(memory.files.status('/db'), undefined)
})

test('a database that exists is refused if it must not', async () => {
  const left = await leftBy((db) => db.put('a', '1'))
  assert.equal(code(await tryOpen(left, { errorIfExists: true })), 'ALREADY_EXISTS')
})

test('a directory that is a file is refused', async () => {
  const memory = new MemoryEnvironment()
  memory.write('/db', text('a file'))
  await assert.rejects(openIn(memory), { code: 'INVALID_ARGUMENT' })
  assert.equal(Buffer.from(memory.readAll('/db')).toString(), 'a file')
})

test('foreign files beside a database are left alone', async () => {
  const left = await leftBy((db) => db.put('a', '1'))
  const memory = environmentOf(new Map([...left, ['notes.txt', text('mine')], ['x.log', text('mine')]]))
  const db = await openIn(memory)
  await db.close()
  const after = directoryOf(memory)
  assert.deepEqual([after.has('notes.txt'), after.has('x.log')], [true, true])
})

test('orphans that a crash left behind are removed', async () => {
  const left = await leftBy((db) => db.put('a', '1'))
  const orphans = ['000090.ldb', '000091.dbtmp', 'MANIFEST-000001'].map((name) => [name, text('orphan')] as const)
  const memory = environmentOf(new Map([...left, ...orphans]))
  const db = await openIn(memory)
  for (const [name] of orphans) assert.equal(directoryOf(memory).has(name), false, name)
  assert.ok(db.stats().manifestNumber > 91, 'no number is used again')
})

test('a database is refused under another order of keys', async () => {
  const left = await leftBy((db) => db.put('a', '1'))
  const comparator = { name: 'test.Reverse', compare: (a: Uint8Array, b: Uint8Array) => Buffer.compare(b, a) }
  assert.equal(code(await tryOpen(left, { comparator })), 'INVALID_ARGUMENT')
  const reversed = await leftBy((db) => db.put('a', '1'), { comparator })
  assert.equal(code(await tryOpen(reversed)), 'INVALID_ARGUMENT')
  const db = await openIn(environmentOf(reversed), { comparator })
  await db.put('b', '2')
  assert.deepEqual(entriesOf(db), ['b=2', 'a=1'])
})

test('a database that is open is locked, and opens again once it is closed', async () => {
  const memory = new MemoryEnvironment()
  const db = await openIn(memory)
  await db.put('a', '1')
  await assert.rejects(openIn(memory), { code: 'LOCKED' })
  await assert.rejects(openIn(memory, { recovery: 'salvage' }), { code: 'LOCKED' })
  assert.deepEqual(entriesOf(db), ['a=1'])
  await db.close()
  assert.deepEqual(entriesOf(await openIn(memory)), ['a=1'])
})

test('a reader takes no lock, sees what the logs hold, and writes nothing', async () => {
  const memory = new MemoryEnvironment()
  const writer = await openIn(memory)
  await writer.put('a', '1')
  const before = fingerprint(directoryOf(memory))
  const reader = await openIn(memory, { readOnly: true })
  assert.deepEqual(entriesOf(reader), ['a=1'])
  assert.equal(Buffer.from(reader.getSync('a')!).toString(), '1')
  await assert.rejects(reader.put('b', '2'), { code: 'READ_ONLY', outcome: 'not-written' })
  assert.throws(() => reader.deleteSync('a'), { code: 'READ_ONLY', outcome: 'not-written' })
  await assert.rejects(reader.write(new WriteBatch()), { code: 'READ_ONLY' })
  await assert.rejects(reader.flush(), { code: 'READ_ONLY' })
  await reader.close()
  assert.equal(fingerprint(directoryOf(memory)), before)
  await writer.put('b', '2')
  assert.deepEqual(entriesOf(writer), ['a=1', 'b=2'])
})

// Options.

const badOptions: [name: string, value: unknown][] = [
  ['writeBufferSize', 1 << 20],
  ['__proto__x', 1],
  ['writeBufferBytes', 4095],
  ['writeBufferBytes', 2 ** 30 + 1],
  ['writeBufferBytes', '64mb'],
  ['writeBufferBytes', Number.NaN],
  ['writeBufferBytes', 20000.5],
  ['maxImmutableMemTables', 0],
  ['blockBytes', 0],
  ['restartInterval', 0],
  ['bloomBitsPerKey', -1],
  ['bloomBitsPerKey', []],
  ['bloomBitsPerKey', [10, 65]],
  ['bloomBitsPerKey', [1, 2, 3, 4, 5, 6, 7, 8]],
  ['compression', 'lz4'],
  ['compression', true],
  ['memtable', 'hash'],
  ['memtable', 'vector'],
  ['memtableChecksums', 1],
  ['durability', 'sync'],
  ['recovery', 'repair'],
  ['createIfMissing', 1],
  ['readOnly', 'yes'],
  ['workers', 3],
  ['maxFileBytes', 4095],
  ['level0CompactionTrigger', 0],
  ['level0SlowdownTrigger', 3],
  ['level0StopTrigger', 11],
  ['levelBytes', 1],
  ['seekCompaction', 1],
  ['mergeAtRest', 'yes'],
  ['stallTimeoutMs', 0],
  ['walBufferMs', -1],
  ['comparator', 'reverse'],
  ['comparator', { name: 'leveldb.Other', compare: () => 0 }],
  ['comparator', { name: '', compare: () => 0 }],
  ['comparator', { name: 'x', compare: 1 }],
  ['environment', {}],
  ['durability', Object.create(null)],
  ['workers', Symbol('two')],
]
for (const [name, value] of badOptions) {
  test(`the option ${name} = ${JSON.stringify(value) ?? String(value)} is refused, and nothing is made`, async () => {
    const memory = new MemoryEnvironment()
    await assert.rejects(open('/db', { environment: memory, workers: 0, [name]: value }), { code: 'INVALID_ARGUMENT' })
    assert.deepEqual(memory.paths(), [])
  })
}

test('what is given as a directory, and is no path, is named by the refusal', async () => {
  const url = new URL('file:///data')
  const db = await fresh()
  const environment = new MemoryEnvironment()
  for (const refused of [
    open(url as never),
    verify(url as never),
    restore([], url as never),
    db.checkpoint(url as never),
  ])
    await assert.rejects(refused, { code: 'INVALID_ARGUMENT', message: /must be a path, .*, not URL$/ })
  await assert.rejects(open('', { environment }), { message: /not ""$/ })
  await db.close()
})

for (const directory of ['', 'a\0b', 7, undefined, null]) {
  test(`the directory ${JSON.stringify(directory)} is refused`, async () => {
    await assert.rejects(open(directory as string, { environment: new MemoryEnvironment() }), {
      code: 'INVALID_ARGUMENT',
    })
  })
}

test('options that are not an object are refused', async () => {
  await assert.rejects(open('/db', 'fast' as Options), { code: 'INVALID_ARGUMENT' })
  await assert.rejects(open('/db', null as unknown as Options), { code: 'INVALID_ARGUMENT' })
})

test('options are taken wherever an object has them, and read once', async () => {
  class Configuration {
    reads = 0
    get writeBufferBytes(): number {
      this.reads++
      return 8192
    }
  }
  const options = new Configuration()
  await assert.rejects(
    open('/db', options as Options),
    /^InvalidArgumentError: open has no option reads, only createIfMissing, .*, environment$/,
  )
  Object.defineProperty(options, 'reads', { enumerable: false })
  const environment = new MemoryEnvironment()
  const db = await open('/db', Object.assign(options, { environment }))
  assert.equal(db.stats().writeBufferBytes, 8192)
  assert.equal(options.reads, 1)
  await db.close()
})

// Arguments.

function detached(): Uint8Array {
  const bytes = new Uint8Array(3)
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
  return bytes
}

const k = 'key' as const
const calls: [what: string, call: (db: DB) => unknown][] = [
  ['put of a number', (db) => db.put(1 as never, 'v')],
  ['put of null', (db) => db.put(k, null as never)],
  ['put of nothing', (db) => db.put(k, undefined as never)],
  ['put of a detached value', (db) => db.put(k, detached())],
  ['put of a detached key', (db) => db.put(detached(), 'v')],
  ['put of a lone surrogate', (db) => db.put('\ud800', 'v')],
  ['put of a key that is too long', (db) => db.put('x'.repeat(MAX_KEY_BYTES + 1), 'v')],
  ['put with an unknown durability', (db) => db.put(k, 'v', { durability: 'fsync' as never })],
  ['put with an unknown option', (db) => db.put(k, 'v', { sync: true } as never)],
  ['put with options that are a string', (db) => db.put(k, 'v', 'disk' as never)],
  ['delete of an array', (db) => db.delete([1] as never)],
  ['write of an array', (db) => db.write([] as never)],
  ['write of nothing', (db) => db.write(undefined as never)],
  ['get of a number', (db) => db.get(1 as never)],
  ['get of a detached key', (db) => db.get(detached())],
  ['get with an unknown option', (db) => db.get(k, { fillCache: false } as never)],
  ['get with what is no snapshot', (db) => db.get(k, { snapshot: 3 as never })],
  ['has of null', (db) => db.has(null as never)],
  ['getMany of a string', (db) => db.getMany('abc')],
  ['getMany of a number among keys', (db) => db.getMany(['a', 1 as never])],
  ['getMany of nothing', (db) => db.getMany(undefined as never)],
  ['scan with options that are null', (db) => db.scan(null as never)],
  ['keysSync with options that are null', (db) => db.keysSync(null as never)],
  ['scan with an unknown option', (db) => db.scan({ start: 'a' } as never)],
  ['scan with two lower bounds', (db) => db.scan({ gt: 'a', gte: 'b' })],
  ['scan with two upper bounds', (db) => db.scanSync({ lt: 'a', lte: 'b' })],
  ['scan with a prefix that is a number', (db) => db.scan({ prefix: 1 as never })],
  ['scan with a bound that is a number', (db) => db.keys({ gt: 1 as never })],
  ...(['gte', 'gt', 'lte', 'lt', 'prefix'] as const).map((bound): [string, (db: DB) => unknown] => [
    `scan with ${bound} = null`,
    (db) => db.scan({ [bound]: null } as never),
  ]),
  ['scan with a limit that is a symbol', (db) => db.scan({ limit: Symbol('all') as never })],
  ['scan with a detached bound', (db) => db.values({ gt: detached() })],
  ['scan with a limit of −1', (db) => db.keysSync({ limit: -1 })],
  ['scan with a limit of 1.5', (db) => db.valuesSync({ limit: 1.5 })],
  ['scan with reverse = 1', (db) => db.scan({ reverse: 1 as never })],
  ['scan with what is no snapshot', (db) => db.scan({ snapshot: {} as never })],
  ['flush with an unknown option', (db) => db.flush({ wait: true } as never)],
  ['flush with what is no signal', (db) => db.flush({ signal: {} as never })],
  ['compactRange with what is no signal', (db) => db.compactRange('a', 'z', { signal: 'stop' as never })],
  ['checkpoint with what is no signal', (db) => db.checkpoint('/copy', { signal: null as never })],
  ['backup with what is no signal', (db) => db.backup({ signal: new AbortController() as never })],
  ['approximateSizes of nothing', (db) => db.approximateSizes(undefined as never)],
  ['approximateSizes of null among ranges', (db) => db.approximateSizes([null as never])],
  ['a listener for an event that there is not', (db) => db.on('compact' as never, () => {})],
  ['a listener that is no function', (db) => db.on('flush', undefined as never)],
]
for (const [what, call] of calls) {
  test(`${what} is refused, and the database goes on`, async () => {
    const db = await fresh()
    await db.put('a', '1')
    const before = db.stats()
    await assert.rejects(async () => call(db), { code: 'INVALID_ARGUMENT' })
    assert.deepEqual({ ...db.stats(), logs: [] }, { ...before, logs: [] })
    await db.put('b', '2')
    assert.deepEqual(entriesOf(db), ['a=1', 'b=2'])
    await db.close()
  })
}

const writes: [what: string, call: (db: DB) => unknown][] = [
  ['putSync', (db) => db.putSync(1 as never, 'v')],
  ['deleteSync', (db) => db.deleteSync(null as never)],
  ['writeSync', (db) => db.writeSync({} as never)],
]
for (const [what, call] of writes) {
  test(`${what} throws what it refuses, and says that it was not written`, async () => {
    const db = await fresh()
    assert.throws(() => call(db), { code: 'INVALID_ARGUMENT', outcome: 'not-written' })
    await db.close()
  })
}

test('whoever gives an option that there is not is told which there are', async () => {
  const db = await fresh()
  const isTold = async (call: () => unknown, message: RegExp): Promise<void> =>
    assert.rejects(async () => call(), { code: 'INVALID_ARGUMENT', message })
  await isTold(() => db.put('a', '1', { sync: true } as never), /^a write has no option sync, only durability$/)
  await isTold(() => db.get('a', { fillCache: true } as never), /^a read has no option fillCache, only snapshot$/)
  await isTold(() => db.scan({ start: 'a' } as never), /^scan has no option start, only prefix, gte, /)
  await db.close()
})

test('a batch of more ops than a MemTable can hold is refused, and nothing that is written beside it', async () => {
  const db = await fresh()
  const batch = new WriteBatch()
  for (let i = 0; i < 420_000; i++) batch.deleteRange('b', 'c')
  const all = await Promise.allSettled([db.put('a', '1'), db.write(batch), db.put('b', '2')])
  assert.deepEqual(
    all.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : undefined)),
    [undefined, 'INVALID_ARGUMENT', undefined],
  )
  assert.deepEqual(entriesOf(db), ['a=1', 'b=2'])
  await db.close()
})

test('arguments are copied before the call returns', async () => {
  const db = await fresh()
  const key = text('key')
  const value = text('value')
  const batch = new WriteBatch().put('x', '1')
  const all = [db.put(key, value), db.write(batch)]
  key.fill(0)
  value.fill(0)
  batch.clear().put('y', '2')
  all.push(db.write(batch))
  await Promise.all(all)
  assert.deepEqual(entriesOf(db), ['key=value', 'x=1', 'y=2'])
  await db.write(batch.put('z', '3'))
  assert.deepEqual(entriesOf(db), ['key=value', 'x=1', 'y=2', 'z=3'])
  await db.close()
})

test('keys that are made one after another in the same memory are different keys', async () => {
  const db = await fresh()
  for (const key of ['a', 'b', 'c']) await db.put(key, key)
  function* keys(): Generator<Uint8Array> {
    const key = new Uint8Array(1)
    for (const byte of text('abc')) yield key.fill(byte)
  }
  assert.equal(Buffer.concat((await db.getMany(keys())) as Uint8Array[]).toString(), 'abc')
  await db.close()
})

test('what a read returns is the caller’s to change', async () => {
  const db = await fresh()
  await db.put('a', '1')
  for (const flush of [false, true]) {
    if (flush) await db.flush()
    db.getSync('a')!.fill(0)
    for (const [key, value] of db.scanSync()) {
      key.fill(0)
      value.fill(0)
    }
    assert.deepEqual(entriesOf(db), ['a=1'])
  }
  await db.close()
})

// After close.

const afterClose: [what: string, call: (db: DB) => unknown][] = [
  ['put', (db) => db.put('a', '1')],
  ['putSync', (db) => db.putSync('a', '1')],
  ['delete', (db) => db.delete('a')],
  ['deleteSync', (db) => db.deleteSync('a')],
  ['write', (db) => db.write(new WriteBatch())],
  ['writeSync', (db) => db.writeSync(new WriteBatch())],
  ['get', (db) => db.get('a')],
  ['getSync', (db) => db.getSync('a')],
  ['has', (db) => db.has('a')],
  ['hasSync', (db) => db.hasSync('a')],
  ['getMany', (db) => db.getMany(['a'])],
  ['getManySync', (db) => db.getManySync(['a'])],
  ['scan', (db) => db.scan()],
  ['scanSync', (db) => db.scanSync()],
  ['keys', (db) => db.keys()],
  ['keysSync', (db) => db.keysSync()],
  ['values', (db) => db.values()],
  ['valuesSync', (db) => db.valuesSync()],
  ['snapshot', (db) => db.snapshot()],
  ['flush', (db) => db.flush()],
]
for (const [what, call] of afterClose) {
  test(`${what} after close is refused, at once and later`, async () => {
    const db = await fresh()
    await db.put('a', '1')
    const closing = db.close()
    await assert.rejects(async () => call(db), { code: 'CLOSED' })
    await closing
    await assert.rejects(async () => call(db), { code: 'CLOSED' })
    assert.equal(db.isOpen, false)
  })
}

test('stats are told while a database closes, and refused after that', async () => {
  const db = await fresh()
  await db.put('a', '1')
  const closing = db.close()
  assert.equal(db.stats().lastSequence, 1)
  await closing
  assert.throws(() => db.stats(), { code: 'CLOSED' })
})

test('closing ends scans and snapshots, and closing again is the same closing', async () => {
  const db = await fresh()
  await db.put('a', '1')
  await db.put('b', '2')
  const scan = db.scan()
  const sync = db.scanSync()
  const snapshot = db.snapshot()
  await scan.next()
  sync.next()
  const closing = db.close()
  assert.equal(db.close(), closing)
  await closing
  await assert.rejects(scan.next(), ClosedError)
  assert.throws(() => sync.next(), ClosedError)
  scan.close()
  sync.close()
  snapshot.close()
  await db[Symbol.asyncDispose]()
})

test('writes that are queued when the database is closed are completed', async () => {
  const memory = new MemoryEnvironment()
  const db = await openIn(memory)
  const queued = [
    db.put('a', '1'),
    db.put('b', '2', { durability: 'disk' }),
    db.put('c', '3', { durability: 'buffered' }),
  ]
  await db.close()
  assert.deepEqual(
    (await Promise.allSettled(queued)).map(({ status }) => status),
    Array(3).fill('fulfilled'),
  )
  assert.deepEqual(entriesOf(await openIn(memory)), ['a=1', 'b=2', 'c=3'])
})

test('a snapshot of another database, or a closed one, is refused', async () => {
  const [one, other] = [await fresh(), await fresh()]
  const snapshot = one.snapshot()
  await assert.rejects(other.get('a', { snapshot }), { code: 'CLOSED' })
  assert.throws(() => other.scan({ snapshot }), { code: 'CLOSED' })
  snapshot.close()
  snapshot.close()
  assert.throws(() => one.getSync('a', { snapshot }), { code: 'CLOSED' })
  await Promise.all([one.close(), other.close()])
})

test('a signal that has fired ends a flush and a compaction before they begin, also where there is nothing to do', async () => {
  const db = await fresh()
  const signal = AbortSignal.abort()
  const isRefused = async (): Promise<void> => {
    await assert.rejects(db.flush({ signal }), { code: 'ABORTED' })
    await assert.rejects(db.compactRange('a', 'z', { signal }), { code: 'ABORTED' })
    await assert.rejects(db.compactRange('z', 'a', { signal }), { code: 'ABORTED' })
  }
  await isRefused()
  await db.put('a', '1')
  await isRefused()
  const { active, immutables, flushes } = db.stats()
  assert.deepEqual([active.entries, immutables.length, flushes], [1, 0, 0])
  await db.close()
})

test('a flush that is aborted says so, and the database goes on', async () => {
  const db = await fresh()
  await db.put('a', '1')
  await assert.rejects(db.flush({ signal: AbortSignal.abort() }), { code: 'ABORTED' })
  await db.flush()
  assert.equal(db.stats().tables.length, 1)
  await db.close()
})

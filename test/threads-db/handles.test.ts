/**
 * Tests of what is refused: handles that are none, that were used, or are of another order of keys; writes that the database
 * refuses; calls after either side has closed. And of the halves of a sequence.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { DB } from '../../src/db/db.ts'
import { open } from '../../src/db/open.ts'
import type { Options } from '../../src/db/options.ts'
import { attach } from '../../src/db/threads/attach.ts'
import type { ShareHandle } from '../../src/db/threads/share-handle.ts'
import * as Layout from '../../src/db/threads/share-layout.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { ClosedError, InvalidArgumentError, ReadOnlyError, WriteBatch } from '../../src/public/index.ts'

const reversed = { name: 'test.reversed', compare: (a: Uint8Array, b: Uint8Array): number => -Buffer.compare(a, b) }

async function openIn(t: TestContext, options: Options = {}, prepare?: (db: DB) => Promise<void>): Promise<DB> {
  const directory = mkdtempSync(join(tmpdir(), 'varve-handles-'))
  if (prepare !== undefined) {
    const first = await open(directory)
    await prepare(first)
    await first.close()
  }
  const db = await open(directory, { workers: 0, ...options })
  t.after(async () => {
    await db.close()
    rmSync(directory, { recursive: true, force: true })
  })
  return db
}

test('what is no handle, or has been used, or is of another order, is refused', async (t) => {
  const db = await openIn(t)
  for (const bad of [undefined, {}, 'handle', { ...db.share(), control: new ArrayBuffer(128) }]) {
    await assert.rejects(attach(bad as ShareHandle), InvalidArgumentError)
  }
  await assert.rejects(attach({ ...db.share(), port: {} as ShareHandle['port'] }), /transferred/)
  await assert.rejects(attach(db.share(), { comparator: reversed }), /ordered by leveldb.BytewiseComparator/)
  await assert.rejects(attach(db.share(), { comparator: null } as object), InvalidArgumentError)
  await assert.rejects(
    attach(db.share(), { blockBytes: 1 } as object),
    /attach has no option blockBytes, only .*blockCacheBytes/,
  )
  await assert.rejects(attach(db.share(), { maxOpenFiles: 1 }), /maxOpenFiles/)
  const handle = db.share()
  const reader = await attach(handle)
  await assert.rejects(attach(handle), /used already/)
  await reader.close()
  await assert.rejects(attach(handle), /used already/)
})

test('an environment without threads that see its files shares nothing', async () => {
  const db = await open('/db', { environment: new MemoryEnvironment() })
  assert.throws(() => db.share(), { code: 'NOT_SUPPORTED' })
  await db.close()
})

test('a database with an order of its own is read in that order', async (t) => {
  const db = await openIn(t, { comparator: reversed })
  for (const key of ['a', 'b', 'c']) await db.put(key, key)
  await db.flush()
  await db.put('d', 'd')
  await using reader = await attach(db.share(), { comparator: reversed })
  assert.equal(Buffer.concat([...reader.keysSync()]).toString(), 'dcba')
  await reader.deleteRange('c', 'a')
  assert.equal(Buffer.concat([...reader.keysSync()]).toString(), 'da')
  await assert.rejects(reader.deleteRange('a', 'c'), InvalidArgumentError)
})

test('every way of reading shows what the owner shows, range deletes too', async (t) => {
  const db = await openIn(t)
  await using reader = await attach(db.share())
  await db.write(new WriteBatch().put('a', '1').put('b', '2').put('c', '3').put('d', '4'))
  await db.flush()
  await reader.write(new WriteBatch().deleteRange('b', 'd').put('e', '5'))
  const text = (values: Iterable<Uint8Array | undefined>): string =>
    Array.from(values, (v) => `${v && Buffer.from(v)}`).join()
  assert.equal(text(await reader.getMany(['a', 'b', 'c', 'd', 'e'])), '1,undefined,undefined,4,5')
  assert.deepEqual([await reader.has('a'), reader.hasSync('b')], [true, false])
  const keys: Uint8Array[] = []
  for await (const key of reader.keys({ gt: 'a', reverse: true })) keys.push(key)
  assert.equal(text(keys), 'e,d')
  assert.equal(text([...reader.valuesSync({ limit: 2 })]), '1,4')
  assert.throws(() => reader.getSync('a', { snapshot: db.snapshot() }), ClosedError)
})

test('a write that the database refuses is refused with the error that it would have there', async (t) => {
  const db = await openIn(t, { readOnly: true }, (first) => first.put('a', '1'))
  await using reader = await attach(db.share())
  assert.equal(Buffer.from(reader.getSync('a') ?? []).toString(), '1')
  await assert.rejects(
    reader.put('b', '2'),
    (error) => error instanceof ReadOnlyError && error.outcome === 'not-written',
  )
  await assert.rejects(reader.put('b', '2', { durability: 'never' as 'os' }), InvalidArgumentError)
  await assert.rejects(reader.write('b' as unknown as WriteBatch), InvalidArgumentError)
})

test('when the owner closes, calls are refused, scans end, and a write is done or is said not to be', async (t) => {
  const db = await openIn(t)
  await db.put('a', '1')
  await db.put('b', '2')
  const reader = await attach(db.share())
  const unused = db.share()
  const scan = reader.scan()
  await scan.next()
  const write = reader.put('c', '3')
  const closing = db.close()
  assert.equal(reader.isOpen, false)
  assert.throws(() => reader.getSync('a'), ClosedError)
  assert.throws(() => reader.snapshot(), ClosedError)
  await closing
  await assert.rejects(write, (error) => error instanceof ClosedError && error.outcome === 'not-written')
  await assert.rejects(scan.next(), ClosedError)
  await assert.rejects(reader.put('d', '4'), ClosedError)
  await assert.rejects(attach(unused), ClosedError)
  await reader.close()
})

test('a reader that closes waits for its writes, and leaves the database open', async (t) => {
  const db = await openIn(t)
  const reader = await attach(db.share())
  const snapshot = reader.snapshot()
  const write = reader.put('a', '1')
  await reader.close()
  await write
  assert.throws(() => reader.getSync('a'), ClosedError)
  assert.throws(() => reader.getSync('a', { snapshot }), ClosedError)
  await assert.rejects(reader.put('a', '2'), ClosedError)
  assert.equal(Buffer.from(db.getSync('a') ?? []).toString(), '1')
})

test('a reader that is open lets its thread end, but not before its writes are answered', async (t) => {
  const db = await openIn(t)
  const keeping = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'MessagePort').length
  const before = keeping()
  const reader = await attach(db.share())
  assert.equal(keeping(), before)
  const first = reader.put('a', '1')
  const second = reader.put('b', '2')
  assert.equal(keeping(), before + 1)
  await Promise.all([first, second])
  assert.equal(keeping(), before)
  await reader.close()
  assert.equal(keeping(), before)
})

test('a sequence comes back as it was stored, across the end of its low half', () => {
  const control = new Int32Array(new SharedArrayBuffer(Layout.CONTROL_BYTES))
  for (const sequence of [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 5, 2 ** 52, 2 ** 53 - 1]) {
    Layout.storeSequence(control, sequence)
    assert.equal(Layout.loadSequence(control), sequence)
  }
})

/**
 * Scans of a prefix, alone and within bounds: what they give is what begins so, and lies within. And the range that a prefix is.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { prefixRange } from '../../src/base/prefix-range.ts'
import { WriteBatch } from '../../src/batch/write-batch.ts'
import type { DB } from '../../src/db/db.ts'
import { open } from '../../src/db/open.ts'
import type { ScanOptions } from '../../src/db/read/scan-options.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { MemTable } from '../../src/memtable/memtable.ts'

/** Bytes at the ends of what there is, and some between, so that keys begin alike. */
const key = fc
  .array(fc.constantFrom(0, 1, 0x61, 0x62, 0xfe, 0xff), { maxLength: 4 })
  .map((bytes) => Uint8Array.from(bytes))

function openInMemory(): Promise<DB> {
  return open('/db', { environment: new MemoryEnvironment(), workers: 0 })
}

function fits(candidate: Uint8Array, { prefix, gte, gt, lte, lt }: ScanOptions): boolean {
  const compare = (bound: string | Uint8Array): number => Buffer.compare(candidate, Buffer.from(bound))
  return (
    (prefix === undefined || Buffer.from(prefix).equals(candidate.subarray(0, prefix.length))) &&
    (gte === undefined || compare(gte) >= 0) &&
    (gt === undefined || compare(gt) > 0) &&
    (lte === undefined || compare(lte) <= 0) &&
    (lt === undefined || compare(lt) < 0)
  )
}

test('a scan of a prefix gives the keys that begin so and lie within its bounds, both ways', async () => {
  const lower = fc.oneof(
    fc.constant({}),
    key.map((gte) => ({ gte })),
    key.map((gt) => ({ gt })),
  )
  const upper = fc.oneof(
    fc.constant({}),
    key.map((lte) => ({ lte })),
    key.map((lt) => ({ lt })),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(key, { minLength: 20, size: 'large' }),
      key,
      lower,
      upper,
      async (keys, prefix, from, to) => {
        const db = await openInMemory()
        for (const one of keys) db.putSync(one, '')
        const range = { prefix, ...from, ...to }
        const distinct = [...new Map(keys.map((one) => [String(one), one])).values()]
        const wanted = distinct.filter((one) => fits(one, range)).sort(Buffer.compare)
        assert.deepEqual([...db.keysSync(range)], wanted)
        assert.deepEqual([...db.keysSync({ ...range, reverse: true })], wanted.reverse())
        await db.close()
      },
    ),
    { numRuns: 200 },
  )
})

test('the pages of a prefix are its keys, each once', async () => {
  const db = await openInMemory()
  for (let i = 0; i < 100; i++) for (const head of ['use', 'user:', 'user;']) db.putSync(`${head}${i}`, '')
  const pages: string[][] = []
  for (let last = ''; ; ) {
    const page = [...db.keysSync({ prefix: 'user:', gt: last, limit: 30 })].map((one) => Buffer.from(one).toString())
    if (page.length === 0) break
    pages.push(page)
    last = page[page.length - 1]
  }
  const wanted = Array.from({ length: 100 }, (_, i) => `user:${i}`).sort()
  assert.deepEqual(pages.flat(), wanted)
  assert.deepEqual(
    pages.map(({ length }) => length),
    [30, 30, 30, 10],
  )
  await db.close()
})

test('a cursor moves within a prefix', async () => {
  const db = await openInMemory()
  for (const one of ['a', 'b1', 'b2', 'c']) db.putSync(one, '')
  const cursor = db.cursor({ prefix: 'b' })
  cursor.seek('a')
  assert.equal(Buffer.from(cursor.key).toString(), 'b1')
  cursor.close()
  await db.close()
})

test('a scan keeps its range when the Buffer that it was told by is used again', async () => {
  const db = await openInMemory()
  for (const one of ['a1', 'a2', 'a3', 'b1']) db.putSync(one, '')
  const bytes = Buffer.from('a1')
  const scans = [{ lte: bytes }, { prefix: bytes.subarray(0, 1), lt: bytes }, { prefix: bytes }]
  const found = scans
    .map((range) => db.keysSync(range))
    .map((scan, i) => {
      if (i === 0) bytes.fill('b')
      return [...scan].map((one) => Buffer.from(one).toString())
    })
  assert.deepEqual(found, [['a1'], [], ['a1']])
  await db.close()
})

test('an order of the user’s own has no prefixes', async () => {
  const db = await open('/db', {
    environment: new MemoryEnvironment(),
    comparator: { name: 'test.backwards', compare: (a, b) => Buffer.compare(b, a) },
  })
  assert.throws(() => db.scanSync({ prefix: 'a' }), { code: 'NOT_SUPPORTED', message: /prefix/ })
  await db.close()
})

test('the range of a prefix holds the keys that begin with it, and no other', () => {
  const prefix = key.filter((bytes) => bytes.some((byte) => byte !== 0xff))
  fc.assert(
    fc.property(prefix, fc.array(key), (begin, keys) => {
      const [start, end] = prefixRange(begin)
      const isWithin = (one: Uint8Array): boolean => Buffer.compare(start, one) <= 0 && Buffer.compare(one, end) < 0
      for (const one of keys) assert.equal(isWithin(one), fits(one, { prefix: begin }))
    }),
    { numRuns: 1000 },
  )
})

test('the range of a prefix goes wherever two ends do', async () => {
  const db = await openInMemory()
  for (const one of ['use', 'user:1', 'user:2', 'user;']) db.putSync(one, 'x'.repeat(1000))
  await db.flush()
  await db.compactRange(...prefixRange('user:'))
  assert.equal(await db.approximateSize(...prefixRange('user:')), await db.approximateSize('user:', 'user;'))
  const table = MemTable.create({ capacityBytes: 1 << 16 })
  table.put('user:1', '')
  table.deleteRange(...prefixRange('user:'))
  assert.equal(table.get('user:1')?.type, 'tombstone')
  await db.write(new WriteBatch().deleteRange(...prefixRange('user:1')))
  assert.equal(await db.has('user:1'), false)
  await db.deleteRange(...prefixRange('user:'))
  assert.deepEqual(
    [...db.keysSync()].map((one) => Buffer.from(one).toString()),
    ['use', 'user;'],
  )
  await db.close()
})

test('a prefix that no key comes after has no range, nor has what is no key', () => {
  for (const none of ['', new Uint8Array(), Uint8Array.of(0xff, 0xff), 7, undefined, '\ud800']) {
    assert.throws(() => prefixRange(none as string), { code: 'INVALID_ARGUMENT' })
  }
  const given = Uint8Array.of(1)
  prefixRange(given)[0][0] = 9
  assert.deepEqual(given, Uint8Array.of(1), 'the ends are memory of their own')
})

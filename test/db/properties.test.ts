/**
 * LevelDB's properties and approximate sizes.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { openIn } from './directories.ts'

test('the properties have LevelDB’s shapes', async () => {
  const db = await openIn(new MemoryEnvironment())
  await db.put('a', '1')
  await db.put(new Uint8Array([0x62, 0x00, 0xff]), '2')
  await db.flush()
  await db.compactRange()
  await db.delete('a')
  await db.flush()
  assert.equal(db.property('leveldb.num-files-at-level0'), '1')
  assert.equal(db.property('leveldb.num-files-at-level1'), '1')
  assert.equal(db.property('leveldb.num-files-at-level6'), '0')
  assert.match(
    db.property('leveldb.sstables') ?? '',
    /^--- level 0 ---\n \d+:\d+\['a' @ 3 : 0 \.\. 'a' @ 3 : 0\]\n--- level 1 ---\n \d+:\d+\['a' @ 1 : 1 \.\. 'b\\x00\\xff' @ 2 : 1\]\n--- level 2 ---\n/,
  )
  const lines = (db.property('leveldb.stats') ?? '').split('\n')
  assert.deepEqual(lines.slice(0, 3), [
    '                               Compactions',
    'Level  Files Size(MB) Time(sec) Read(MB) Write(MB)',
    '--------------------------------------------------',
  ])
  assert.deepEqual(lines.slice(3), [
    '  0        1        0         0        0         0',
    '  1        1        0         0        0         0',
    '',
  ])
  await db.put('c', '.'.repeat(1000))
  assert.ok(Number(db.property('leveldb.approximate-memory-usage')) > 1000)
  await db.close()
})

for (const name of [
  '',
  'leveldb.',
  'leveldb.num-files-at-level',
  'leveldb.num-files-at-level7',
  'leveldb.num-files-at-level-1',
  'rocksdb.stats',
  7,
]) {
  test(`'${name}' is no property`, async () => {
    const db = await openIn(new MemoryEnvironment())
    assert.equal(db.property(name as string), undefined)
    await db.close()
  })
}

test('sizes are those of the blocks in between, in every level, and of tables alone', async () => {
  const db = await openIn(new MemoryEnvironment(), { writeBufferBytes: 2 ** 22, compression: 'none' })
  for (let i = 0; i < 1000; i++) await db.put(`k${String(i).padStart(4, '0')}`, '.'.repeat(1000))
  assert.equal(await db.approximateSize('', 'z'), 0)
  await db.flush()
  const whole = db.stats().tables[0].bytes
  assert.equal(await db.approximateSize('', 'z'), whole)
  const [first, rest, none, backwards] = await db.approximateSizes([
    { start: 'k0000', end: 'k0100' },
    { start: 'k0100', end: 'k1000' },
    { start: 'k1', end: 'z' },
    { start: 'k0900', end: 'k0100' },
  ])
  assert.ok(Math.abs(first - 100_000) < 10_000, `${first}`)
  assert.equal(first + rest, whole)
  assert.deepEqual([none, backwards], [0, 0])
  for (let i = 0; i < 100; i++) await db.put(`k${String(i).padStart(4, '0')}`, '.'.repeat(1000))
  await db.flush()
  assert.ok((await db.approximateSize('k0000', 'k0100')) > 190_000)
  await db.close()
})

test('the size of a narrow range is found with as few comparisons as a search takes, however many tables there are', async () => {
  let comparisons = 0
  const comparator = {
    name: 'counted',
    compare: (a: Uint8Array, b: Uint8Array): number => {
      comparisons++
      return Buffer.compare(a, b)
    },
  }
  const db = await openIn(new MemoryEnvironment(), { maxFileBytes: 4096, compression: 'none', comparator })
  for (let i = 0; i < 2000; i++) await db.put(`k${String(i).padStart(4, '0')}`, '.'.repeat(1000))
  await db.compactRange()
  const { tables } = db.stats()
  assert.ok(tables.length > 100, `${tables.length} tables`)
  comparisons = 0
  assert.ok((await db.approximateSize('k0500', 'k0510')) > 0)
  assert.ok(comparisons < tables.length / 2, `${comparisons} comparisons`)
  await db.close()
})

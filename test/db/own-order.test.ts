/**
 * Orders of keys of the caller's own. A key that they cannot place is refused before it is in the log, from where no opening could
 * replay it. Keys that they find equal are one key, whatever their bytes.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WriteBatch } from '../../src/batch/write-batch.ts'
import type { DB } from '../../src/db/db.ts'
import type { Options } from '../../src/db/options.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { entriesOf, openIn } from './directories.ts'

/** As of a program whose keys are numbers of 4 bytes. */
const byNumber = {
  name: 'test.ByNumber',
  compare: (a: Uint8Array, b: Uint8Array) => numberOf(a) - numberOf(b),
}

function numberOf({ buffer, byteOffset, byteLength }: Uint8Array): number {
  return new DataView(buffer, byteOffset, byteLength).getUint32(0)
}

const calls: [what: string, call: (db: DB) => unknown][] = [
  ['put', (db) => db.put('abc', '')],
  ['putSync', (db) => db.putSync('abc', '')],
  ['delete', (db) => db.delete('abc')],
  ['deleteRange from it', (db) => db.deleteRange('abc', 'abcd')],
  ['deleteRange to it', (db) => db.deleteRangeSync('abcd', 'abc')],
  ['a batch with a put', (db) => db.write(new WriteBatch().put('abcd', '').put('abc', ''))],
  ['a batch with a delete', (db) => db.writeSync(new WriteBatch().delete('abc'))],
  ['a batch with a range', (db) => db.write(new WriteBatch().deleteRange('abcd', 'abc'))],
  ['a compaction from it', (db) => db.compactRange('abc')],
  ['a compaction to it', (db) => db.compactRange(undefined, 'abc')],
  ['the size from it', (db) => db.approximateSize('abc', 'abcd')],
  ['the sizes to it', (db) => db.approximateSizes([{ start: 'abcd', end: 'abc' }])],
]
for (const [what, call] of calls) {
  test(`${what} of a key for which the order throws is refused, and the database opens again`, async () => {
    const memory = new MemoryEnvironment()
    const options: Options = { comparator: byNumber }
    const db = await openIn(memory, options)
    await db.put('\0\0\0b', '2')
    await assert.rejects(async () => call(db), { code: 'INVALID_ARGUMENT', outcome: 'not-written' })
    await db.put('\0\0\0a', '1')
    await db.close()
    const again = await openIn(memory, options)
    assert.deepEqual(entriesOf(again), ['\0\0\0a=1', '\0\0\0b=2'])
    await again.close()
  })
}

for (const [what, compare, message] of [
  ['NaN', () => Number.NaN, /test\.Wrong must return a number, not NaN/],
  [
    'whether one is less',
    (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) < 0,
    /test\.Wrong must return a number, not false/,
  ],
  ['1', () => 1, /must return 0 for a key and itself/],
] as const) {
  test(`an order that answers ${what} is refused with the first key`, async () => {
    const db = await openIn(new MemoryEnvironment(), {
      comparator: { name: 'test.Wrong', compare: compare as () => number },
    })
    await assert.rejects(db.put('a', '1'), { code: 'INVALID_ARGUMENT', message })
    await db.close()
  })
}

test('an order that answers nothing for some keys fails what asks it for them, and nothing is lost once it is mended', async () => {
  const environment = new MemoryEnvironment()
  const compare = (a: Uint8Array, b: Uint8Array): number => Buffer.compare(a, b)
  // As where somebody has forgotten a branch.
  const forgetful = (a: Uint8Array, b: Uint8Array): number => (compare(a, b) <= 0 ? compare(a, b) : undefined) as number
  const forgetting: Options = { comparator: { name: 'test.Forgetful', compare: forgetful } }
  const message = /test\.Forgetful must return a number, not undefined/
  const db = await openIn(environment, forgetting)
  await db.put('b', '1')
  await assert.rejects(db.get('a'), { code: 'INVALID_ARGUMENT', message })
  await assert.rejects(db.put('a', '2'), { outcome: 'indeterminate', message })
  await assert.rejects(db.put('c', '3'), { code: 'READ_ONLY', message })
  await db.close()
  await assert.rejects(openIn(environment, forgetting), { code: 'INVALID_ARGUMENT', message })
  const mended = await openIn(environment, { comparator: { name: 'test.Forgetful', compare } })
  assert.deepEqual(entriesOf(mended), ['a=2', 'b=1'])
  await mended.close()
})

/** As of a program to which upper and lower case are the same. */
const byLetters = {
  name: 'test.ByLetters',
  compare: (a: Uint8Array, b: Uint8Array) => Buffer.compare(lowerCase(a), lowerCase(b)),
}

function lowerCase(key: Uint8Array): Uint8Array {
  return Buffer.from(Buffer.from(key).toString().toLowerCase())
}

test('a key that is written and read in different bytes, which the order finds equal, is found in tables', async () => {
  const db = await openIn(new MemoryEnvironment(), { comparator: byLetters })
  await db.put('c', 'old')
  await db.flush()
  await db.put('C', 'new')
  await db.flush()
  const read = (): string[] => [...db.getManySync(['c', 'C']), db.getSync('c')].map(String)
  const news = Array.from({ length: 3 }, () => Buffer.from('new').join())
  assert.deepEqual(read(), news)
  await db.compactRange()
  assert.deepEqual(read(), news)
  await db.close()
})

test("filters of an order of the caller's own are there if asked for, and an opening that does not ask reads none", async () => {
  const environment = new MemoryEnvironment()
  const asked = await openIn(environment, { comparator: byLetters, bloomBitsPerKey: 10 })
  await asked.put('c', 'old')
  await asked.flush()
  await asked.put('C', 'new')
  await asked.flush()
  // That is what was asked for: the filter knows nothing of letters.
  assert.equal(Buffer.from(asked.getSync('c') ?? []).toString(), 'old')
  await asked.close()
  const again = await openIn(environment, { comparator: byLetters })
  assert.equal(Buffer.from(again.getSync('c') ?? []).toString(), 'new')
  await again.close()
})

test('a range whose ends the order finds equal holds no key, in a batch as in a call', async () => {
  const db = await openIn(new MemoryEnvironment(), { comparator: byLetters })
  await db.put('a', '1')
  await db.deleteRange('a', 'A')
  await db.write(new WriteBatch().deleteRange('a', 'A').put('b', '2'))
  assert.deepEqual(entriesOf(db), ['a=1', 'b=2'])
  await db.close()
})

/**
 * Range deletes through the whole engine: arguments, recovery, snapshots and open scans across a flush, and tables that are
 * dropped whole or damaged.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CorruptionError, VarveError } from '../../src/base/errors.ts'
import { Prng } from '../../src/base/prng.ts'
import * as Batch from '../../src/batch/batch-format.ts'
import { WriteBatch } from '../../src/batch/write-batch.ts'
import type { DB } from '../../src/db/db.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { LogWriter } from '../../src/log/log-writer.ts'
import { MemoryWritableFile } from '../support/memory-file.ts'
import { directoryOf, entriesOf, environmentOf, flipped, leftBy, openIn, tryOpen, withFile } from './directories.ts'

function keys(db: DB): string {
  return Array.from(db.keysSync(), (key) => Buffer.from(key).toString()).join(' ')
}

function tablesOf(memory: MemoryEnvironment): string[] {
  return [...directoryOf(memory).keys()].filter((name) => name.endsWith('.ldb'))
}

// Arguments.

test('a range that ends before it starts is refused, alone and in a batch, and nothing is written', async () => {
  const db = await openIn(new MemoryEnvironment())
  db.putSync('b', '1')
  const refusal = { code: 'INVALID_ARGUMENT', outcome: 'not-written' }
  assert.throws(() => db.deleteRangeSync('c', 'a'), refusal)
  await assert.rejects(db.deleteRange('c', 'a'), refusal)
  assert.throws(() => db.writeSync(new WriteBatch().delete('b').deleteRange('c', 'a')), refusal)
  assert.throws(() => db.deleteRangeSync('a', 1 as never), refusal)
  assert.throws(() => db.deleteRangeSync(undefined as never, 'a'), refusal)
  assert.equal(db.stats().lastSequence, 1)
  assert.equal(keys(db), 'b')
  await db.close()
  await assert.rejects(db.deleteRange('a', 'b'), { code: 'CLOSED' })
})

test('an empty range writes nothing, but what was asked of the log is done', async () => {
  const memory = new MemoryEnvironment()
  const db = await openIn(memory)
  db.putSync('a', '1')
  const [{ bytes }] = db.stats().logs
  await db.deleteRange('a', 'a')
  db.writeSync(new WriteBatch().deleteRange('a', 'a'))
  assert.deepEqual([db.stats().logs[0].bytes, db.stats().lastSequence], [bytes, 1])
  await db.deleteRange('a', 'a', { durability: 'disk' })
  const survivor = await openIn(memory.crashImage(0, new Prng(1)))
  assert.deepEqual(entriesOf(survivor), ['a=1'])
})

test('the order of the database says where a range starts', async () => {
  const comparator = { name: 'test.Reverse', compare: (a: Uint8Array, b: Uint8Array) => Buffer.compare(b, a) }
  const memory = new MemoryEnvironment()
  const db = await openIn(memory, { comparator })
  for (const key of ['a', 'b', 'c', 'd']) db.putSync(key, key)
  assert.throws(() => db.deleteRangeSync('a', 'd'), { code: 'INVALID_ARGUMENT' })
  assert.throws(() => db.writeSync(new WriteBatch().deleteRange('a', 'd')), { code: 'INVALID_ARGUMENT' })
  await db.flush()
  db.writeSync(new WriteBatch().deleteRange('c', 'a'))
  assert.equal(keys(db), 'd a')
  const killed = await openIn(memory.processCrashImage(), { comparator })
  assert.equal(keys(killed), 'd a')
  await db.close()
  const again = await openIn(memory, { comparator })
  assert.equal(keys(again), 'd a')
})

test('a batch of more range deletes than the write buffer holds is taken, and replayed', async () => {
  const memory = new MemoryEnvironment()
  const db = await openIn(memory)
  const batch = new WriteBatch()
  for (let i = 0; i < 3000; i++) {
    const key = `k${String(i).padStart(5, '0')}`
    batch.put(key, '').put(`${key}x`, '').deleteRange(key, `${key}a`)
  }
  db.writeSync(batch)
  const expected = entriesOf(db)
  assert.equal(expected.length, 3000)
  const replayed = await openIn(memory.processCrashImage())
  assert.deepEqual(entriesOf(replayed), expected)
  await db.close()
  assert.deepEqual(entriesOf(await openIn(memory)), expected)
})

// Compactions.

test('a compaction takes range tombstones in memory over its range, though there be nothing else in memory', async () => {
  for (const [begin, end, isTaken] of [
    [undefined, undefined, true],
    ['a', 'b', false],
    ['a', 'd', true],
    ['f', 'g', true],
    ['h', 'i', false],
    [undefined, 'd', true],
    ['d', undefined, true],
    ['h', undefined, false],
  ] as const) {
    const db = await openIn(new MemoryEnvironment())
    for (const key of ['b', 'd', 'f', 'i']) db.putSync(key, '1')
    await db.flush()
    db.deleteRangeSync('d', 'h')
    await db.compactRange(begin, end)
    const { active, flushes } = db.stats()
    assert.deepEqual([flushes, active.rangeTombstones], isTaken ? [2, 0] : [1, 1], `${begin} to ${end}`)
    assert.equal(keys(db), 'b i')
    await db.close()
  }
})

// Recovery.

/** Flushes fail, so that all is in logs, one for each of the runs of writes. */
async function unflushed(memory: MemoryEnvironment, runs: readonly ((db: DB) => void)[]): Promise<MemoryEnvironment> {
  const createWritable = memory.files.createWritable.bind(memory.files)
  const db = await openIn(memory, { maxImmutableMemTables: 10 })
  memory.files.createWritable = (path) => {
    if (path.endsWith('.ldb')) throw new VarveError('IO_ERROR', 'no tables today')
    return createWritable(path)
  }
  for (const run of runs) {
    run(db)
    // Fills the MemTable, and is put again by each run.
    db.putSync('~', 'z'.repeat(17_000))
  }
  return memory.processCrashImage()
}

test('range deletes are replayed onto tables that were found, and onto those of the same recovery', async () => {
  const memory = new MemoryEnvironment()
  const first = await openIn(memory)
  for (const key of ['a', 'b', 'c', 'd', 'e']) first.putSync(key, 'found')
  await first.close()
  const image = await unflushed(memory, [
    (db) => db.putSync('c2', 'first'),
    (db) => db.deleteRangeSync('b', 'd'),
    (db) => db.putSync('c', 'third'),
    (db) => db.deleteRangeSync('c2', 'e'),
  ])
  const readOnly = await openIn(environmentOf(directoryOf(image)), { readOnly: true })
  assert.equal(keys(readOnly), 'a c e ~')
  const db = await openIn(image)
  assert.equal(keys(db), 'a c e ~')
  assert.equal(db.recoveryInfo.entries, 8)
  assert.equal(db.getSync('c') && Buffer.from(db.getSync('c') as Uint8Array).toString(), 'third')
  await db.close()
  assert.equal(keys(await openIn(image)), 'a c e ~')
})

test('a recovery drops tables that a range delete covers, found or just written, and removes their files', async () => {
  const memory = new MemoryEnvironment()
  const first = await openIn(memory)
  for (const key of ['a', 'b']) first.putSync(key, 'found')
  await first.close()
  assert.equal(tablesOf(memory).length, 1)
  const image = await unflushed(memory, [(db) => db.putSync('c', 'replayed'), (db) => db.deleteRangeSync('', '~~')])
  const db = await openIn(image)
  assert.equal(keys(db), '~')
  // The one table that is left is the last one of the three that were written or found.
  assert.equal(db.stats().tables.length, 1)
  assert.equal(tablesOf(image).length, 1)
  assert.equal(db.recoveryInfo.tablesWritten, 2)
  await db.close()
  assert.equal(keys(await openIn(image)), '~')
})

test('a log of nothing but range deletes that cover nothing makes no table', async () => {
  const left = await leftBy((db) => db.deleteRangeSync('a', 'b'))
  const memory = environmentOf(left)
  const db = await openIn(memory)
  const { entries, tablesWritten, lastSequence } = db.recoveryInfo
  assert.deepEqual({ entries, tablesWritten, lastSequence }, { entries: 1, tablesWritten: 0, lastSequence: 1 })
  assert.deepEqual(tablesOf(memory), [])
  db.putSync('a', '1')
  await db.close()
  assert.deepEqual(entriesOf(await openIn(memory)), ['a=1'])
})

function batchAt(sequence: number, batch: WriteBatch): Uint8Array {
  const bytes = batch.encoded().slice()
  Batch.writeHeader(bytes, 0, sequence, batch.count)
  return bytes
}

const GOOD = batchAt(1, new WriteBatch().put('a', '1').put('c', '1'))
const LAST = batchAt(4, new WriteBatch().put('z', '1'))
const malformed: [what: string, record: Uint8Array, reason: RegExp][] = [
  ['without its end', batchAt(3, new WriteBatch().deleteRange('a', 'b')).slice(0, -2), /cut short/],
  ['that ends before it starts', batchAt(3, new WriteBatch().deleteRange('b', 'a')), /does not start before its end/],
  [
    'that ends where it starts',
    Uint8Array.from(Buffer.from('0300000000000000' + '01000000' + '0f01610161', 'hex')),
    /does not start before its end/,
  ],
]
for (const [what, record, reason] of malformed) {
  test(`a range delete ${what} is where a log stops, and damage if the log goes on`, async () => {
    const left = await leftBy(() => {})
    const log = (records: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => {
      const file = new MemoryWritableFile()
      const writer = new LogWriter(file)
      for (const bytes of records) writer.add(bytes, 0, bytes.length)
      writer.flush()
      return file.contents()
    }
    const cut = await tryOpen(withFile(left, '000001.log', log([GOOD, record])))
    assert.ok(!(cut instanceof VarveError), String(cut))
    assert.deepEqual(entriesOf(cut), ['a=1', 'c=1'])
    assert.match(cut.recoveryInfo.discarded[0].reason, reason)
    const damaged = await tryOpen(withFile(left, '000001.log', log([GOOD, record, LAST])))
    assert.ok(damaged instanceof CorruptionError, String(damaged))
    assert.match(damaged.message, reason)
    assert.equal(damaged.offset, 7 + GOOD.length)
  })
}

// Layers.

test('a snapshot older than a range delete keeps what it sees, before and after the flush, and tables with it', async () => {
  const memory = new MemoryEnvironment()
  const db = await openIn(memory)
  for (const key of ['a', 'b', 'c']) db.putSync(key, '1')
  await db.flush()
  const snapshot = db.snapshot()
  db.deleteRangeSync('', 'z')
  const seen = (): string => Array.from(db.keysSync({ snapshot }), (key) => Buffer.from(key).toString()).join(' ')
  assert.deepEqual([seen(), keys(db)], ['a b c', ''])
  await db.flush()
  assert.deepEqual([seen(), keys(db), db.hasSync('b', { snapshot }), db.hasSync('b')], ['a b c', '', true, false])
  // Not dropped, but expanded.
  assert.equal(db.stats().tables.length, 2)
  snapshot.close()
  db.deleteRangeSync('', 'z')
  await db.flush()
  assert.equal(db.stats().tables.length, 0)
  assert.deepEqual(tablesOf(memory), [])
  await db.close()
  assert.equal(keys(await openIn(memory)), '')
})

test('an open scan goes on in tables that a range delete has dropped, and their files go when it ends', async () => {
  const memory = new MemoryEnvironment()
  const db = await openIn(memory)
  const all = Array.from({ length: 300 }, (_, i) => `k${String(i).padStart(3, '0')}`)
  for (const key of all) db.putSync(key, 'v'.repeat(100))
  await db.flush()
  const count = tablesOf(memory).length
  assert.ok(count > 1)
  const scan = db.scanSync()
  const found = [Buffer.from(scan.next().value?.[0] ?? []).toString()]
  db.deleteRangeSync('k', 'l')
  await db.flush()
  assert.deepEqual([db.stats().tables.length, keys(db)], [0, ''])
  assert.equal(tablesOf(memory).length, count)
  for (const [key] of scan) found.push(Buffer.from(key).toString())
  assert.deepEqual(found, all)
  // A read removes nothing itself.
  await Promise.resolve()
  assert.deepEqual(tablesOf(memory), [])
  await db.close()
})

test('a damaged table below fails the flush of a range delete, which stays in the log until it can be read', async () => {
  const memory = new MemoryEnvironment()
  const db = await openIn(memory)
  for (const key of ['a', 'b', 'c']) db.putSync(key, '1')
  await db.flush()
  const [name] = tablesOf(memory)
  const whole = memory.readAll(`/db/${name}`)
  memory.write(`/db/${name}`, flipped(whole, 3))
  db.deleteRangeSync('b', 'z')
  await assert.rejects(db.flush(), CorruptionError)
  assert.equal(db.hasSync('b'), false)
  await db.close()
  const left = directoryOf(memory)
  const refusal = await tryOpen(left)
  assert.ok(refusal instanceof CorruptionError)
  assert.equal(refusal.file, `/db/${name}`)
  const readOnly = await tryOpen(left, { readOnly: true })
  assert.ok(!(readOnly instanceof VarveError) && !readOnly.hasSync('b'))
  const mended = await tryOpen(withFile(left, name, whole))
  assert.ok(!(mended instanceof VarveError))
  assert.deepEqual(entriesOf(mended), ['a=1'])
})

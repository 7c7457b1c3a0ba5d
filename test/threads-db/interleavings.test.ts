/**
 * Every place at which the owner of a database can come in between the steps of a reader, and the other way round. The steps are
 * the accesses to shared words: Atomics is replaced by one that lets something happen before the n-th of them, for each n until
 * the operation has no n-th step; and, as a reader goes on to newer layers, before every two of them. Both sides are on one
 * thread, on files in memory that are gone once they are removed. All words that these steps are accesses of are Atomics', and so in
 * one total order: there are no weaker ones to explore. Of a MemTable's own words there are (test/threads).
 *
 * A turn of the owner writes enough for a rotation, a flush and a compaction, all before it returns. All keys of a batch have
 * its number as value.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setImmediate as eventLoop } from 'node:timers/promises'
import type { DB } from '../../src/db/db.ts'
import { open } from '../../src/db/open.ts'
import type { Options } from '../../src/db/options.ts'
import { attach } from '../../src/db/threads/attach.ts'
import type { DBReader } from '../../src/db/threads/db-reader.ts'
import { CONTROL_BYTES, READER_BYTES } from '../../src/db/threads/share-layout.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { nodePorts } from '../../src/env/node-port.ts'
import { type Snapshot, WriteBatch } from '../../src/public/index.ts'

/** In two halves of the order, so that they come to lie in different tables. */
const KEYS = ['a0', 'a1', 'z0', 'z1']
const FILLER = 'f'.repeat(2000)
const ATOMICS = ['load', 'store', 'exchange', 'compareExchange'] as const

interface Shared {
  readonly memory: MemoryEnvironment
  readonly db: DB
  readonly reader: DBReader
  /** Number of the last batch. */
  written: number
  isOwnersTurn: boolean
}

async function shared(t: TestContext, options: Options = {}): Promise<Shared> {
  const memory = Object.assign(new MemoryEnvironment(), { ports: nodePorts })
  const small = { writeBufferBytes: 16384, maxFileBytes: 4096, level0CompactionTrigger: 1, levelBytes: 4096 }
  const db = await open('/db', { environment: memory, workers: 0, ...small, ...options })
  t.after(() => db.close())
  const reader = await attach(db.share(), { environment: memory, stallTimeoutMs: 20 })
  const it = { memory, db, reader, written: 0, isOwnersTurn: false }
  ownersTurn(it)
  return it
}

function writeBatch(it: Shared): void {
  it.written++
  const batch = new WriteBatch()
  for (const key of KEYS) batch.put(key, String(it.written))
  it.db.writeSync(batch)
}

/** Rotations, so many flushes and compactions, in between batches. */
function ownersTurn(it: Shared, flushes: number = 2): void {
  const before = it.db.stats().flushes
  it.isOwnersTurn = true
  for (let i = 0; it.db.stats().flushes < before + flushes; i++) {
    writeBatch(it)
    it.db.putSync(`m${i}`, FILLER)
  }
  writeBatch(it)
  it.isOwnersTurn = false
}

/** Run `operation`; before each of those accesses to shared words, `intrusion`. @returns how often there was one */
function intruded<T>(
  places: readonly number[],
  operation: () => T,
  intrusion: () => void,
  counts: (words: Int32Array) => boolean = () => true,
): { readonly hits: number; readonly result: T } {
  const real = new Map<string, unknown>()
  let place = 0
  let hits = 0
  let isInside = false
  const step = (words: Int32Array): void => {
    if (isInside || !counts(words) || !places.includes(place++)) return
    hits++
    isInside = true
    intrusion()
    isInside = false
  }
  const table = Atomics as unknown as Record<string, (...args: unknown[]) => unknown>
  for (const name of ATOMICS) {
    const access = table[name]
    real.set(name, access)
    table[name] = (...args) => {
      step(args[0] as Int32Array)
      return access(...args)
    }
  }
  try {
    return { result: operation(), hits }
  } finally {
    Object.assign(Atomics, Object.fromEntries(real))
  }
}

function numbers(values: readonly (Uint8Array | undefined)[]): number[] {
  return values.map((value) => Number(Buffer.from(value ?? [])))
}

/** All of one batch, and which. */
function batchOf(values: readonly (Uint8Array | undefined)[]): number {
  const all = numbers(values)
  assert.equal(all.length, KEYS.length)
  assert.equal(new Set(all).size, 1, `parts of batches ${all}`)
  return all[0]
}

function scanned(it: Shared, options: { snapshot: Snapshot }): Uint8Array[] {
  return [...it.reader.valuesSync({ ...options, lt: 'b' }), ...it.reader.valuesSync({ ...options, gte: 'z' })]
}

type Read = (it: Shared) => number

/** What is read, as a batch number. */
const READS: Readonly<Record<string, Read>> = {
  'a get': ({ reader }) => numbers([reader.getSync('z0')])[0],
  'a getMany': ({ reader }) => batchOf(reader.getManySync(KEYS)),
  'a scan': ({ reader }) => {
    const values = [...reader.scanSync()].filter(([key]) => key[0] !== 0x6d).map(([, value]) => value)
    return batchOf(values)
  },
}

/** Takes a snapshot, whose batch does not change whatever the owner does. */
function takeAndRead(it: Shared): number {
  const snapshot = it.reader.snapshot()
  const before = batchOf(it.reader.getManySync(KEYS, { snapshot }))
  ownersTurn(it)
  assert.equal(batchOf(it.reader.getManySync(KEYS, { snapshot })), before)
  assert.equal(batchOf(scanned(it, { snapshot })), before)
  snapshot.close()
  return before
}

for (const [name, read] of Object.entries({ ...READS, 'a snapshot and reads at it': takeAndRead })) {
  test(`whenever the owner rotates, flushes and compacts during ${name}, it is of one batch, and not older than the last one`, async (t) => {
    const it = await shared(t)
    let steps = 0
    for (let hit = true; hit; steps++) {
      const acknowledged = it.written
      const run = intruded(
        [steps],
        () => read(it),
        () => ownersTurn(it),
        () => !it.isOwnersTurn,
      )
      assert.ok(run.result >= acknowledged, `read ${run.result} after ${acknowledged} was acknowledged`)
      assert.ok(run.result <= it.written)
      hit = run.hits > 0
      await eventLoop()
    }
    t.diagnostic(`${steps} places`)
    assert.ok(steps > 4)
  })
}

for (const [name, read] of Object.entries(READS)) {
  test(`wherever in the owner’s turn ${name} comes in, it is of one batch, and not older than the last one`, async (t) => {
    const it = await shared(t)
    let steps = 0
    // A turn has hundreds of steps, most of them of one kind.
    for (let hit = true; hit; steps += 1 + (steps >> 4)) {
      const turn = (): void => ownersTurn(it)
      const reading = (): void => {
        // The batch under way is not acknowledged yet.
        const acknowledged = it.written - 1
        assert.ok(read(it) >= acknowledged)
      }
      hit = intruded([steps], turn, reading).hits > 0
      await eventLoop()
    }
    assert.ok(steps > 20)
  })
}

test('whenever the owner rotates, flushes and compacts twice as a reader goes on to newer layers, what it takes is still there', async (t) => {
  const it = await shared(t)
  let pairs = 0
  for (let first = 0, isFirst = true; isFirst; first++) {
    isFirst = false
    // Further on, what is taken is one change like the other.
    for (let second = first + 1, isBoth = true; isBoth; second += 1 + ((second - first) >> 1)) {
      // A few changes are in its port.
      ownersTurn(it, 1)
      const acknowledged = it.written
      const { hits, result } = intruded(
        [first, second],
        () => READS['a get'](it),
        () => ownersTurn(it),
        (words) => words.buffer.byteLength === READER_BYTES || words.buffer.byteLength === CONTROL_BYTES,
      )
      assert.ok(result >= acknowledged && result <= it.written, `read ${result} of ${acknowledged} to ${it.written}`)
      isBoth = hits === 2
      if (hits > 0) isFirst = true
      pairs++
      await eventLoop()
    }
  }
  t.diagnostic(`${pairs} pairs of places`)
  assert.ok(pairs > 50)
})

test('wherever in the owner’s turn a snapshot is taken, it keeps its batch until it is closed', async (t) => {
  const it = await shared(t)
  let steps = 0
  for (let hit = true; hit; steps += 1 + (steps >> 4)) {
    const snapshots: { snapshot: Snapshot; batch: number }[] = []
    const take = (): void => {
      const snapshot = it.reader.snapshot()
      snapshots.push({ snapshot, batch: batchOf(it.reader.getManySync(KEYS, { snapshot })) })
    }
    hit = intruded([steps], () => ownersTurn(it), take).hits > 0
    ownersTurn(it)
    for (const { snapshot, batch } of snapshots) {
      assert.equal(batchOf(it.reader.getManySync(KEYS, { snapshot })), batch)
      assert.equal(batchOf(scanned(it, { snapshot })), batch)
      snapshot.close()
    }
    await eventLoop()
  }
  assert.ok(steps > 20)
})

test('a scan that has begun goes on through compactions, and the tables that only it had go when it ends', async (t) => {
  const it = await shared(t)
  const scan = it.reader.scanSync()
  const first = scan.next().value?.[1]
  for (let i = 0; i < 3; i++) ownersTurn(it)
  await eventLoop()
  const tables = (): number => it.memory.paths().filter((path) => /\.(ldb|sst)$/.test(path)).length
  assert.ok(tables() > it.db.stats().tables.length)
  const rest = [...scan].filter(([key]) => key[0] !== 0x6d).map(([, value]) => value)
  batchOf([first, ...rest])
  await eventLoop()
  await eventLoop()
  assert.equal(tables(), it.db.stats().tables.length)
})

test('a reader that leaves too much in its port is answered when it asks, and refused if nobody answers', async (t) => {
  const it = await shared(t, { writeBufferBytes: 32 * 1024 * 1024 })
  const writeAndFlush = async (): Promise<void> => {
    writeBatch(it)
    await it.db.flush()
  }
  // Its event loop is this one: nothing is taken while promises alone go on.
  for (let i = 0; i < 8; i++) await writeAndFlush()
  // The thread that would have to answer is waiting for the answer.
  assert.throws(() => it.reader.getSync('a0'), { code: 'STALLED' })
  // The owner sees the question also when layers change, and not only as an event.
  await writeAndFlush()
  assert.equal(batchOf(it.reader.getManySync(KEYS)), it.written)
  for (let i = 0; i < 8; i++) await writeAndFlush()
  await eventLoop()
  await eventLoop()
  assert.equal(batchOf(it.reader.getManySync(KEYS)), it.written)
})

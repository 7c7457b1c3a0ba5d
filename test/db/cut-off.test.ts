/**
 * Calls that V8 ends in their midst, without a `catch` or `finally`, as at Ctrl-C in Node's REPL: here by the timeout of a vm script, while
 * a file call, or the comparator, hangs. The program goes on, with the same database: nothing that was acknowledged is lost, what is read
 * is right, nobody waits in vain.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mock, test } from 'node:test'
import vm from 'node:vm'
import { MessagePort } from 'node:worker_threads'
import { VarveError } from '../../src/base/errors.ts'
import { WriteBatch } from '../../src/batch/write-batch.ts'
import type { DB } from '../../src/db/db.ts'
import { open } from '../../src/db/open.ts'
import type { Options } from '../../src/db/options.ts'
import { attach } from '../../src/db/threads/attach.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { FaultEnvironment } from '../support/fault-env.ts'
import { DIRECTORY, entriesOf } from './directories.ts'

const TIMEOUT_MS = 5
const OPTIONS: Options = {
  workers: 0,
  writeBufferBytes: 16384,
  level0CompactionTrigger: 2,
  level0SlowdownTrigger: 4,
  level0StopTrigger: 6,
  maxFileBytes: 8192,
  levelBytes: 16384,
  compression: 'none',
}

/** Call `work`. @returns whether it was cut off, since it hangs */
function isCutOff(work: () => void, timeout: number = TIMEOUT_MS): boolean {
  Object.assign(globalThis, { work })
  try {
    vm.runInThisContext('work()', { timeout })
    return false
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return true
    throw error
  }
}

function hang(): never {
  for (;;);
}

/** A database whose file calls, or comparisons, hang once when told. */
class Hanging {
  readonly memory: MemoryEnvironment
  readonly environment: FaultEnvironment
  /** Calls until one hangs. */
  left = Number.POSITIVE_INFINITY
  /** Since it was told. A busy machine may cut a call off somewhere else. */
  hasHung = false

  constructor(memory: MemoryEnvironment = new MemoryEnvironment()) {
    this.memory = memory
    this.environment = new FaultEnvironment(memory, { directory: DIRECTORY, countReads: true })
    this.environment.setFaults(() => {
      this.step()
      return undefined
    })
  }

  readonly comparator = {
    name: 'hanging',
    compare: (a: Uint8Array, b: Uint8Array): number => {
      this.step()
      return Buffer.compare(a, b)
    },
  }

  step(): void {
    if (this.left-- > 0) return
    this.left = Number.POSITIVE_INFINITY
    this.hasHung = true
    hang()
  }

  open(options: Options = {}): Promise<DB> {
    return open(DIRECTORY, { ...OPTIONS, ...options, environment: this.environment })
  }
}

/** Numbered writes, of which the program knows how many are acknowledged. */
class Life {
  readonly db: DB
  acknowledged = 0
  /** Outlives the process. */
  kept = 0
  begun = 0

  constructor(db: DB) {
    this.db = db
  }

  /** Several MemTables, tables and compactions. */
  writeAll(): void {
    for (let i = 0; i < 24; i++) this.writeSync(i)
  }

  writeSync(i: number): void {
    const durability = i % 3 === 1 ? 'disk' : i % 5 === 2 ? 'buffered' : 'os'
    const number = ++this.begun
    const batch = new WriteBatch().put('last', String(number)).put(`own${number}`, '.'.repeat(2500))
    if (i % 7 === 3) batch.deleteRange('own1', 'own11')
    this.db.writeSync(batch, { durability })
    this.acknowledged = number
    if (durability !== 'buffered') this.kept = number
  }

  /** @returns what the database holds after so many writes */
  static after(count: number): string[] {
    const state = new Map<string, string>()
    for (let number = 1; number <= count; number++) {
      state.set('last', String(number)).set(`own${number}`, '.'.repeat(2500))
      if ((number - 1) % 7 === 3) for (const key of state.keys()) if (key >= 'own1' && key < 'own11') state.delete(key)
    }
    return [...state].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}=${value}`)
  }

  /** What is found is what some number of writes leaves, `least` or more. */
  check(found: readonly string[], least: number, where: string): void {
    const last = Number(found.find((entry) => entry.startsWith('last='))?.slice(5) ?? 0)
    assert.ok(last >= least && last <= this.begun, `${where}: ${last}, not ${least} to ${this.begun}`)
    assert.deepEqual(found, Life.after(last), where)
  }
}

/** All writes that are tried now are taken, or all are refused; each is answered. */
async function writesAgain(life: Life): Promise<boolean> {
  const { db } = life
  const promise = db.put('later', '1').then(
    () => true,
    (error) => error,
  )
  let isTaken = true
  try {
    db.deleteSync('later')
  } catch (error) {
    assert.ok(error instanceof VarveError && error.code === 'READ_ONLY', String(error))
    isTaken = false
  }
  const outcome = await promise
  if (isTaken) assert.equal(outcome, true)
  else assert.match(String(outcome), /cut off in its midst/)
  return isTaken
}

async function closed(db: DB): Promise<void> {
  await db.close().catch((error) => assert.match(String(error), /cut off in its midst/))
}

for (const what of ['file call', 'comparison'] as const) {
  test(`a write is cut off at a ${what}, and then the program goes on, is killed, or closes and opens`, async () => {
    let ends = 0
    for (let at = 0, isCut = true; isCut; at += what === 'comparison' ? 17 : at < 100 ? 1 : 3) {
      const hanging = new Hanging()
      const options = what === 'file call' ? {} : { comparator: hanging.comparator }
      const life = new Life(await hanging.open(options))
      const { db } = life
      const told: Error[] = []
      db.on('error', ({ error }) => told.push(error))
      hanging.left = at
      isCut = isCutOff(() => life.writeAll())
      hanging.left = Number.POSITIVE_INFINITY
      const where = `${what} ${at}`
      life.check(entriesOf(db), life.acknowledged, `${where}, at once`)
      const killed = await open(DIRECTORY, { ...OPTIONS, ...options, environment: hanging.memory.processCrashImage() })
      life.check(entriesOf(killed), life.kept, `${where}, killed`)
      await killed.close()
      const isWritable = await writesAgain(life)
      if (!isWritable) ends++
      assert.equal(told.length, isWritable ? 0 : 1, where)
      life.check(entriesOf(db), life.acknowledged, `${where}, later`)
      await closed(db)
      assert.equal(hanging.memory.files.locks.size, 0, where)
      const reopened = await hanging.open(options)
      life.check(entriesOf(reopened), isWritable ? life.acknowledged : life.kept, `${where}, reopened`)
      await reopened.close()
    }
    assert.ok(ends > 20, `writing ended ${ends} times`)
  })
}

/** Keys in several tables of several levels, in a frozen MemTable and in the active one; a cache that is too small for them. */
async function filled(hanging: Hanging, options: Options): Promise<{ db: DB; entries: string[] }> {
  const db = await hanging.open({ blockCacheBytes: 6000, maxOpenFiles: 16, ...options })
  const entries: string[] = []
  for (let i = 0; i < 300; i++) {
    const key = `key${String(i).padStart(4, '0')}`
    const value = `${i}`.padEnd(100, '.')
    entries.push(`${key}=${value}`)
    db.putSync(key, value)
    if (i === 200) await db.compactRange()
  }
  return { db, entries }
}

const KEY = (i: number): string => `key${String(i).padStart(4, '0')}`

const READS: readonly [name: string, read: (db: DB) => void][] = [
  [
    'getSync',
    (db) => {
      for (const i of [7, 150, 290]) db.getSync(KEY(i))
    },
  ],
  ['getManySync', (db) => void db.getManySync([KEY(9), KEY(160), KEY(280)])],
  ['scanSync', (db) => void [...db.scanSync({ gte: KEY(100), limit: 30 })]],
  [
    'a cursor',
    (db) => {
      const cursor = db.cursor({ reverse: true })
      for (const i of [5, 250, 120]) if (cursor.seek(KEY(i))) cursor.next()
      cursor.close()
    },
  ],
  ['explainSync', (db) => void db.explainSync(KEY(42))],
  [
    'a snapshot',
    (db) => {
      const snapshot = db.snapshot()
      db.getSync(KEY(77), { snapshot })
      snapshot.close()
    },
  ],
]

for (const what of ['file call', 'comparison'] as const) {
  test(`a read is cut off at every ${what}: what is read and written then is right, and scans that were open say that they ended`, async () => {
    const hanging = new Hanging()
    const { db, entries } = await filled(hanging, what === 'file call' ? {} : { comparator: hanging.comparator })
    let cuts = 0
    for (const [name, read] of READS) {
      for (let at = 0, isCut = true; isCut; at += what === 'file call' ? 1 : 5) {
        const where = `${name} at ${what} ${at}`
        const scan = db.scanSync()
        scan.next()
        hanging.left = at
        hanging.hasHung = false
        isCut = isCutOff(() => read(db))
        hanging.left = Number.POSITIVE_INFINITY
        if (hanging.hasHung) {
          cuts++
          assert.throws(() => scan.next(), { code: 'ABORTED', message: /cut off/ }, where)
        }
        scan.close()
        db.putSync(KEY(299), `${299}`.padEnd(100, '.'))
        assert.deepEqual(entriesOf(db), entries, where)
        if (hanging.hasHung || !isCut) assert.equal(db.stats().openScans, 0, where)
      }
    }
    assert.ok(cuts > 2, `${cuts} cuts`)
    await db.close()
    assert.equal(hanging.memory.files.locks.size, 0)
    const reopened = await hanging.open(what === 'file call' ? {} : { comparator: hanging.comparator })
    assert.deepEqual(entriesOf(reopened), entries)
    await reopened.close()
  })
}

test('a read of a thread that attached is cut off at every comparison: it goes on reading, and what it has open ends', async () => {
  const hanging = new Hanging()
  const { comparator } = hanging
  const directory = mkdtempSync(join(tmpdir(), 'varve-cut-off-'))
  const db = await open(directory, { ...OPTIONS, comparator })
  const entries = Array.from({ length: 300 }, (_, i) => `${KEY(i)}=${'.'.repeat(100)}`)
  for (let i = 0; i < 300; i++) db.putSync(KEY(i), '.'.repeat(100))
  await db.flush()
  const reader = await attach(db.share(), { comparator, blockCacheBytes: 6000 })
  let cuts = 0
  for (let at = 0, isCut = true; isCut; at += 3) {
    const scan = reader.scanSync()
    scan.next()
    hanging.left = at
    hanging.hasHung = false
    isCut = isCutOff(() => {
      for (const i of [7, 150, 290]) reader.getSync(KEY(i))
      for (const _ of reader.scanSync({ gte: KEY(100), limit: 30 }));
    })
    hanging.left = Number.POSITIVE_INFINITY
    if (hanging.hasHung) {
      cuts++
      assert.throws(() => scan.next(), { code: 'ABORTED', message: /cut off/ })
    }
    scan.close()
    const found = Array.from(reader.scanSync(), ([key, value]) => `${Buffer.from(key)}=${Buffer.from(value)}`)
    assert.deepEqual(found, entries, `at ${at}`)
  }
  assert.ok(cuts > 10, `${cuts} cuts`)
  await reader.put(KEY(0), 'new')
  assert.equal(Buffer.from(reader.getSync(KEY(0)) ?? []).toString(), 'new')
  await reader.close()
  await db.close()
  rmSync(directory, { recursive: true })
})

test('a scan is cut off while it begins: nothing is kept for it', async () => {
  const hanging = new Hanging()
  let cuts = 0
  for (let at = 0, isCut = true; isCut; at++) {
    // A table of level 0, which a scan opens at once.
    const db = await hanging.open({ level0CompactionTrigger: 50, level0SlowdownTrigger: 60, level0StopTrigger: 70 })
    db.putSync('key', String(at))
    await db.flush()
    hanging.left = at
    hanging.hasHung = false
    isCut = isCutOff(() => db.scanSync().close())
    hanging.left = Number.POSITIVE_INFINITY
    if (hanging.hasHung) cuts++
    db.hasSync('key')
    if (hanging.hasHung || !isCut) assert.equal(db.stats().openScans, 0, `file call ${at}`)
    await db.close()
  }
  assert.ok(cuts > 0)
})

test('after a read that was cut off, what happens in the background is told, though nobody reads', async () => {
  const hanging = new Hanging()
  const { db } = await filled(hanging, { blockCacheBytes: 0 })
  let flushes = 0
  db.on('flush', () => flushes++)
  hanging.left = 0
  assert.ok(isCutOff(() => db.getSync(KEY(7))))
  await db.flush()
  assert.equal(flushes, 1)
  await db.close()
})

test('a write of a thread that attached is cut off before it is sent: its reader closes all the same', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'varve-cut-off-'))
  const db = await open(directory)
  const reader = await attach(db.share())
  const post = mock.method(MessagePort.prototype, 'postMessage', hang)
  assert.ok(isCutOff(() => void reader.put('a', '1')))
  post.mock.restore()
  await reader.close()
  await db.close()
  rmSync(directory, { recursive: true })
})

test('writers that wait for a group that is cut off are told, and so is whoever flushes', async () => {
  const hanging = new Hanging()
  const db = await hanging.open()
  const outcomes = ['a', 'b'].map((key) => db.put(key, '1').catch((error: VarveError) => error.outcome))
  const flushed = db.flush().catch((error: VarveError) => error.code)
  hanging.left = 0
  assert.ok(isCutOff(() => db.putSync('c', '1')))
  outcomes.push(db.put('d', '1').catch((error: VarveError) => error.outcome))
  assert.deepEqual(await Promise.all(outcomes), ['indeterminate', 'indeterminate', 'not-written'])
  assert.equal(await flushed, 'READ_ONLY')
  assert.equal(db.getSync('a'), undefined)
  await closed(db)
})

test('a listener that is cut off is called after the change that it is told of, which stays whole', async () => {
  const hanging = new Hanging()
  const life = new Life(await hanging.open())
  let calls = 0
  const stop = life.db.on('flush', () => {
    calls++
    hang()
  })
  for (let i = 0; i < 24; i++) isCutOff(() => life.writeSync(i), 100)
  stop()
  assert.ok(calls > 1, `${calls} calls`)
  assert.equal(life.begun, 24)
  assert.ok(await writesAgain(life))
  life.check(entriesOf(life.db), 24, 'at once')
  await life.db.close()
})

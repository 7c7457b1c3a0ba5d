/**
 * Compactions on worker threads, on the real file system: while a synchronous loop writes, and over many openings.
 */
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { type DB, type Options, open } from '../../src/public/index.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const SMALL: Options = {
  writeBufferBytes: 64 * 1024,
  maxFileBytes: 16 * 1024,
  levelBytes: 64 * 1024,
  level0CompactionTrigger: 2,
  level0SlowdownTrigger: 3,
  level0StopTrigger: 6,
  maxImmutableMemTables: 2,
  compression: 'none',
}

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'varve-compaction-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

function tables(directory: string): number {
  return readdirSync(directory).filter((name) => name.endsWith('.ldb')).length
}

function key(i: number): string {
  return `key${String((i * 7919) % 2000).padStart(5, '0')}`
}

for (const workers of [0, 1, 2]) {
  test(`a synchronous loop of puts is held back until compactions keep up, with ${workers} workers`, async (t) => {
    const directory = temporaryDirectory(t)
    const db = await open(directory, { ...SMALL, workers })
    let most = 0
    for (let i = 0; i < 8000; i++) {
      db.putSync(key(i), `${i}`.padEnd(100, '.'))
      if (i % 100 === 0) most = Math.max(most, db.stats().levels[0].tables)
    }
    // Two that were frozen already may follow after the stop, and one that is being flushed.
    assert.ok(most <= 6 + 3, `${most} tables in level 0`)
    const { compactions, delayedMs, stalledMs } = db.stats()
    // How many depends on the threads; that they were enough is what the bound above says.
    assert.ok(compactions > 0, `${compactions} compactions`)
    // Threads may keep up; without them compactions advance only while writes wait.
    if (workers === 0) assert.ok(delayedMs + stalledMs > 0, 'writes were held back')
    check(db)
    await db.compactRange()
    check(db)
    await db.close()
    const found = tables(directory)
    const again = await open(directory, SMALL)
    assert.equal(found, again.stats().tables.length)
    check(again)
    await again.close()
  })
}

/** The newest of each key. */
function check(db: DB): void {
  let count = 0
  for (const [, value] of db.scanSync()) {
    assert.ok(Number.parseInt(Buffer.from(value).toString(), 10) >= 6000)
    count++
  }
  assert.equal(count, 2000)
}

test('a database that is closed while it compacts leaves no file that it does not know', async (t) => {
  const directory = temporaryDirectory(t)
  for (let round = 0; round < 5; round++) {
    const db = await open(directory, SMALL)
    for (let i = 0; i < 2000; i++) db.putSync(key(i), `${round}`.padEnd(100, '.'))
    await db.close()
    const reader = await open(directory, { readOnly: true })
    assert.equal(tables(directory), reader.stats().tables.length)
    assert.equal(reader.stats().immutables.length, 0)
    await reader.close()
  }
})

async function cycle(directory: string, options: Options, i: number): Promise<void> {
  const db = await open(directory, options)
  for (let k = 0; k < 5; k++) db.putSync(`key${(i * 5 + k) % 100}`, `${i}`.padEnd(1000, '.'))
  db.getSync('key1')
  await db.close()
}

test('openings and closings leave no descriptor open', { skip: process.platform !== 'linux' }, async (t) => {
  const directory = temporaryDirectory(t)
  const descriptors = (): number => readdirSync('/proc/self/fd').length
  await cycle(directory, { ...SMALL, workers: 0 }, 0)
  const before = descriptors()
  for (let i = 1; i < 40; i++) await cycle(directory, { ...SMALL, workers: 0 }, i)
  assert.equal(descriptors(), before)
})

test('a thousand openings and closings leave memory and files where they were', async () => {
  const environment = new MemoryEnvironment()
  const options: Options = { ...SMALL, workers: 0, environment }
  const heapMib = async (): Promise<number> => {
    // In memory nothing waits for the event loop, whose turns the executors have asked for.
    await new Promise((resolve) => setImmediate(resolve))
    collectGarbage()
    return process.memoryUsage().heapUsed / 2 ** 20
  }
  for (let i = 0; i < 100; i++) await cycle('/db', options, i)
  const before = await heapMib()
  for (let i = 100; i < 1100; i++) await cycle('/db', options, i)
  const grown = (await heapMib()) - before
  assert.ok(grown < 4, `${grown} MiB more`)
  assert.deepEqual([environment.files.openCount, environment.files.locks.size, environment.timerCount], [0, 0, 0])
  // Nobody waits for a compaction, and yet there are few tables.
  const tableCount = environment.paths().filter((path) => path.endsWith('.ldb')).length
  assert.ok(tableCount < 30, `${tableCount} tables`)
})

test('what happens is published on diagnostics channels', async (t) => {
  const directory = temporaryDirectory(t)
  const heard: string[] = []
  const listeners = ['flush', 'compaction'].map((name) => {
    const listener = (message: unknown): void => {
      const { directory: where, phase } = message as { directory: string; phase?: string }
      assert.equal(where, directory)
      heard.push(phase === undefined ? name : `${name} ${phase}`)
    }
    subscribe(`varve:${name}`, listener)
    return () => unsubscribe(`varve:${name}`, listener)
  })
  const db = await open(directory, { workers: 0 })
  await db.put('a', '1')
  await db.compactRange()
  await db.close()
  for (const end of listeners) end()
  assert.deepEqual(heard, ['flush', 'compaction begin', 'compaction end'])
})

/**
 * Tables that a worker has written come opened: reads open their files and read no index or filter; what follows if one cannot be
 * opened, or is not as it was written; and where nobody else could open them.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DB } from '../../src/db/db.ts'
import type { Options } from '../../src/db/options.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import type { FaultPredicate } from '../support/fault-call.ts'
import { ActorEnvironment } from '../worker/actor-worker.ts'
import { DIRECTORY, openIn } from './directories.ts'

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function key(i: number): string {
  return `k${String(i).padStart(6, '0')}`
}

const COUNT = 3000
const SMALL: Options = { writeBufferBytes: 2 ** 20, maxFileBytes: 8192, compression: 'none', workers: 2 }

class Scene {
  readonly memory: MemoryEnvironment = new MemoryEnvironment()
  readonly environment: ActorEnvironment = new ActorEnvironment(this.memory, DIRECTORY)
  /** What it tells of failures. */
  readonly errors: (readonly [work: string, code: string | undefined, retryMs: number | undefined])[] = []
  db!: DB

  async open(options: Options = {}): Promise<this> {
    this.db = await openIn(this.memory, { ...SMALL, environment: this.environment, ...options })
    this.db.on('background-error', ({ work, error, retryMs }) => {
      this.errors.push([work, (error as { code?: string }).code, retryMs])
      // The pause before the next try.
      setImmediate(() => this.memory.runTimers(this.memory.clock.monotonicMs() + 60_000))
    })
    this.db.on('error', ({ error }) => this.errors.push(['database', (error as { code?: string }).code, undefined]))
    return this
  }

  async write(value: string): Promise<void> {
    for (let i = 0; i < COUNT; i++) this.db.putSync(key(i), value.repeat(10))
    await this.db.flush()
  }

  /** Some twenty tables of level 1, and two that overlap them in level 0. */
  async load(): Promise<this> {
    await this.write('first')
    await this.db.compactRange()
    for (const value of ['second', 'third']) await this.write(value)
    return this
  }

  /** Ask every table for something, in one turn. */
  read(value: string = 'third'): void {
    for (let i = 0; i < COUNT; i += 5)
      assert.equal(Buffer.from(this.db.getSync(key(i)) ?? []).toString(), value.repeat(10))
  }

  get numbers(): number[] {
    return this.db
      .stats()
      .tables.map(({ number }) => number)
      .sort((a, b) => a - b)
  }

  /** The numbers of the tables that these calls open. */
  opened(calls: readonly string[]): number[] {
    const opens = calls.filter((call) => /^open .*\.ldb$/.test(call))
    return opens.map((call) => Number.parseInt(call.slice(5), 10)).sort((a, b) => a - b)
  }

  /** The numbers of the tables whose end these calls read: where index and filter are. */
  readEnds(calls: readonly string[]): number[] {
    const sizes = new Map(this.db.stats().tables.map(({ number, bytes }) => [number, bytes]))
    const ends = calls.map((call) => /^read (\d+)\.ldb (\d+) (\d+)$/.exec(call)?.slice(1).map(Number) ?? [])
    return ends.filter(([number, offset, bytes]) => sizes.get(number) === offset + bytes).map(([number]) => number)
  }

  async close(): Promise<void> {
    await this.db.close()
    assert.deepEqual([this.memory.files.openCount, this.memory.files.locks.size], [0, 0])
  }
}

test('the first reads after a flush open a file each, and read data blocks alone', async () => {
  const scene = await new Scene().open()
  await scene.write('first')
  await scene.write('second')
  const { environment, numbers } = scene
  assert.deepEqual(scene.opened(environment.worker.takeCalls()), numbers)
  assert.deepEqual(scene.opened(environment.takeCalls()), [])
  scene.read('second')
  const calls = environment.takeCalls()
  assert.deepEqual([scene.opened(calls), scene.readEnds(calls)], [numbers.slice(-1), []])
  assert.ok(calls.some((call) => call.startsWith('read')))
  await scene.close()
})

test('after a compaction, so do the first reads of all its outputs', async () => {
  const scene = await (await new Scene().open()).load()
  const { db, environment } = scene
  environment.takeCalls()
  environment.worker.takeCalls()
  await db.compactRange()
  const { numbers } = scene
  assert.ok(numbers.length > 10, `${numbers.length} outputs`)
  const inJobs = environment.worker.takeCalls()
  assert.deepEqual(scene.readEnds(inJobs), numbers)
  assert.deepEqual(scene.opened(environment.takeCalls()), [], 'nobody reads: no file is opened')
  const { open, bytes } = db.stats().tableCache
  assert.ok(open === 0 && bytes > 100 * numbers.length, `${open} tables, ${bytes} bytes`)
  scene.read()
  const calls = environment.takeCalls()
  assert.deepEqual([scene.opened(calls), scene.readEnds(calls)], [numbers, []])
  assert.equal(db.stats().tableCache.open, numbers.length)
  await scene.close()
})

test('a table that goes takes with it what was known of it, open or not', async () => {
  const scene = await (await new Scene().open()).load()
  const { db } = scene
  assert.ok(db.stats().tableCache.bytes > 0)
  db.deleteRangeSync(key(0), key(COUNT))
  await db.flush()
  await db.compactRange()
  assert.deepEqual([scene.numbers, db.stats().tableCache], [[], { open: 0, bytes: 0, misses: 0 }])
  await scene.close()
})

test('what the inputs of a compaction take is room for what is known of its outputs, though not all at once', async () => {
  const tableCacheBytes = 2 ** 20
  const scene = await new Scene().open({
    tableCacheBytes,
    blockBytes: 1,
    writeBufferBytes: 2 ** 22,
    maxFileBytes: 65_536,
  })
  const { db, environment } = scene
  const sizes: number[] = []
  for (const value of ['first', 'second']) {
    for (let i = 0; i < 8000; i++) db.putSync(key(i), value.repeat(10))
    await db.flush()
    sizes.push(db.stats().tableCache.bytes)
  }
  const leftBytes = tableCacheBytes - sizes[1]
  assert.ok(sizes[0] > leftBytes + tableCacheBytes / 8, `${sizes}`)
  await db.compactRange()
  const { bytes } = db.stats().tableCache
  assert.ok(
    bytes > leftBytes && bytes <= leftBytes + tableCacheBytes / 8,
    `${bytes} bytes where ${leftBytes} were left`,
  )
  environment.takeCalls()
  for (let i = 0; i < 8000; i += 5) db.getSync(key(i))
  const { length } = scene.readEnds(environment.takeCalls())
  assert.ok(length > 0 && length < scene.numbers.length, `${length} of ${scene.numbers.length}`)
  await scene.close()
})

test('without threads, tables are opened by the reads that need them', async () => {
  const scene = await (await new Scene().open({ workers: 0 })).load()
  const { db, environment } = scene
  environment.takeCalls()
  await db.compactRange()
  const { numbers } = scene
  assert.equal(
    scene.opened(environment.takeCalls()).some((number) => numbers.includes(number)),
    false,
  )
  assert.deepEqual(db.stats().tableCache, { open: 0, bytes: 0, misses: 0 })
  scene.read()
  const calls = environment.takeCalls()
  assert.deepEqual([scene.opened(calls), scene.readEnds(calls).sort((a, b) => a - b)], [numbers, numbers])
  await scene.close()
})

/** Whether a call is of a table that is newer than all of these. */
function ofNewer(path: string, numbers: readonly number[]): boolean {
  return /\.ldb$/.test(path) && Number.parseInt(path, 10) > Math.max(...numbers)
}

for (const op of ['open', 'read', 'close'] as const) {
  test(`an error in the ${op} of a table that was just written is nobody's: reads open it themselves`, async () => {
    const scene = await (await new Scene().open()).load()
    const { db, environment } = scene
    const inputs = scene.numbers
    const closed = new Set<string>()
    environment.worker.setFaults((call) => {
      // Of two closings of a table the second one is that of its opening.
      const isMeant = op !== 'close' || closed.has(call.path)
      if (call.op === 'close') closed.add(call.path)
      return call.op === op && isMeant && ofNewer(call.path, inputs) ? { code: 'EIO' } : undefined
    })
    await db.compactRange()
    assert.deepEqual([scene.errors, db.stats().tableCache], [[], { open: 0, bytes: 0, misses: 0 }])
    const { numbers } = scene
    assert.equal(
      inputs.some((number) => numbers.includes(number)),
      false,
    )
    environment.takeCalls()
    scene.read()
    assert.deepEqual(
      scene.readEnds(environment.takeCalls()).sort((a, b) => a - b),
      numbers,
    )
    await scene.close()
  })
}

test('an error in the open of a table that is expected is that of the read that needs it, and the next one opens it whole', async () => {
  const scene = await new Scene().open()
  await scene.write('first')
  const { environment, db } = scene
  environment.setFaults(({ op, path }) => (op === 'open' && path.endsWith('.ldb') ? { code: 'EMFILE' } : undefined))
  assert.throws(() => scene.read('first'), { code: 'IO_ERROR' })
  assert.deepEqual(db.stats().tableCache, { open: 0, bytes: 0, misses: 1 })
  environment.setFaults(undefined)
  scene.read('first')
  assert.deepEqual(scene.errors, [])
  await scene.close()
})

/** Damage so many of the tables that the worker is going to open, each once, before it does; at so many bytes from the end. */
function damage({ memory, environment }: Scene, count: number, fromEnd: number): number[] {
  const damaged: number[] = []
  const faults: FaultPredicate = ({ op, path }) => {
    const number = Number.parseInt(path, 10)
    if (op !== 'open' || !path.endsWith('.ldb') || damaged.length === count || !isNew(path)) return undefined
    const bytes = memory.readAll(`${DIRECTORY}/${path}`)
    bytes[bytes.length - fromEnd] ^= 1
    memory.write(`${DIRECTORY}/${path}`, bytes)
    damaged.push(number)
    return undefined
  }
  const before = memory.paths()
  const isNew = (path: string): boolean => !before.includes(`${DIRECTORY}/${path}`)
  environment.worker.setFaults(faults)
  return damaged
}

/** In the index block. */
const INDEX = 60

test('a flushed table that does not read back is removed, and written anew', async () => {
  const scene = await new Scene().open()
  const damaged = damage(scene, 2, INDEX)
  await assert.rejects(scene.write('first'), { code: 'CORRUPTION' })
  while (scene.db.stats().flushes === 0) await turn()
  assert.deepEqual(scene.errors, [
    ['flush', 'CORRUPTION', 100],
    ['flush', 'CORRUPTION', 1000],
  ])
  assert.equal(damaged.length, 2)
  const tables = scene.memory.paths().filter((path) => path.endsWith('.ldb'))
  assert.deepEqual(
    tables.map((path) => Number.parseInt(path.slice(DIRECTORY.length + 1), 10)),
    scene.numbers,
  )
  scene.read('first')
  await scene.close()
})

test('an output that does not read back is written anew, and no input is taken for damaged', async () => {
  const scene = await (await new Scene().open()).load()
  const damaged = damage(scene, 1, INDEX)
  const outputs: number[] = []
  scene.db.on('compaction', ({ phase, outputs: count }) => phase === 'end' && outputs.push(count))
  await assert.rejects(scene.db.compactRange(), { code: 'CORRUPTION' })
  await scene.db.compactRange()
  assert.deepEqual(scene.errors, [['compaction', 'CORRUPTION', 100]], 'it is going to be tried again')
  const { numbers } = scene
  assert.deepEqual([outputs, numbers.includes(damaged[0])], [[numbers.length], false])
  scene.read()
  await scene.close()
  assert.equal(scene.memory.paths().filter((path) => path.endsWith('.ldb')).length, numbers.length)
})

test('a table whose filter alone does not read back is installed, read without it, and told of', async () => {
  const scene = await new Scene().open()
  // Before the footer lie index and metaindex, which this table has few bytes of: of the filter, the middle.
  const filterBytes = (COUNT * 10) / 8
  const damaged = damage(scene, 1, Math.floor(filterBytes))
  const told: number[] = []
  scene.db.on('damaged-filter', ({ table }) => told.push(table))
  await scene.write('first')
  assert.deepEqual([scene.errors, scene.numbers], [[], damaged])
  scene.environment.takeCalls()
  scene.read('first')
  assert.deepEqual(scene.readEnds(scene.environment.takeCalls()), [])
  await turn()
  assert.deepEqual(told, damaged)
  await scene.close()
})

test('a compaction that is refused by the MANIFEST leaves nothing behind that was known of its outputs', async () => {
  const scene = await (await new Scene().open()).load()
  const { db, environment } = scene
  const before = db.stats().tableCache
  environment.setFaults(({ op, path }) =>
    op === 'append' && path.startsWith('MANIFEST') ? { code: 'EIO' } : undefined,
  )
  await assert.rejects(db.compactRange(), { code: 'READ_ONLY' })
  assert.deepEqual(db.stats().tableCache, before)
  await db.close().catch(() => {})
})

for (const isStop of [false, true]) {
  test(`a synchronous writer that is ${isStop ? 'stopped' : 'slowed down'} gets its compaction without a turn of the event loop`, async () => {
    const pressure = isStop
      ? { level0CompactionTrigger: 3, level0SlowdownTrigger: 4, level0StopTrigger: 4 }
      : { level0CompactionTrigger: 3, level0SlowdownTrigger: 3, level0StopTrigger: 40 }
    const { db } = await (await new Scene().open({ ...pressure, workers: 0, stallTimeoutMs: 1000 })).load()
    for (const _ of db.scanSync());
    const { compactions } = db.stats()
    assert.equal(db.stats().levels[0].tables, 2)
    for (let i = 0; db.stats().compactions === compactions; i++) {
      assert.ok(i < 30_000, 'no compaction is installed')
      db.putSync(key(i % COUNT), 'v'.repeat(1000))
      if (i % 1000 === 0) for (const _ of db.keysSync());
    }
    await db.close()
  })
}

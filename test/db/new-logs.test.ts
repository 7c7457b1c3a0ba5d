/**
 * What follows where the next log cannot be begun, or made durable, for want of a file: nothing has happened then, so that nothing
 * ends but the attempt. And where the sync of its name has failed, which ends writing.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { VarveError } from '../../src/base/errors.ts'
import { Prng } from '../../src/base/prng.ts'
import type { DB } from '../../src/db/db.ts'
import type { Options } from '../../src/db/options.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import type { FaultCode } from '../support/fault-call.ts'
import { FaultEnvironment } from '../support/fault-env.ts'
import { DIRECTORY, directoryOf, environmentOf, openIn } from './directories.ts'

const SMALL: Options = { writeBufferBytes: 4096, workers: 0, mergeAtRest: false }
const VALUE = 'v'.repeat(500)

/** A database in which creating logs fails while a code is set. */
class Scene {
  readonly memory: MemoryEnvironment = new MemoryEnvironment()
  readonly environment: FaultEnvironment = new FaultEnvironment(this.memory, { directory: DIRECTORY })
  readonly acknowledged: string[] = []
  db!: DB

  async open(): Promise<this> {
    this.db = await openIn(this.memory, { ...SMALL, environment: this.environment })
    return this
  }

  /** @param leavesFile whether an empty file is there all the same, as some network file systems do */
  fail(code: FaultCode, leavesFile: boolean): void {
    this.environment.setFaults(({ op, path }) => {
      if (op !== 'create' || !path.endsWith('.log')) return undefined
      if (leavesFile) this.memory.write(`${DIRECTORY}/${path}`, new Uint8Array())
      return { code }
    })
  }

  heal(): void {
    this.environment.setFaults(undefined)
  }

  /** @returns the first error */
  async write(count: number, isSync: boolean): Promise<VarveError | undefined> {
    let first: VarveError | undefined
    for (let i = 0; i < count; i++) {
      const key = `k${String(this.acknowledged.length).padStart(4, '0')}`
      try {
        if (isSync) this.db.putSync(key, VALUE)
        else await this.db.put(key, VALUE, { durability: i % 2 === 0 ? 'os' : 'disk' })
        this.acknowledged.push(key)
      } catch (error) {
        first ??= error as VarveError
      }
    }
    return first
  }

  keys(): string[] {
    return keysOf(this.db)
  }
}

function keysOf(db: DB): string[] {
  return Array.from(db.keysSync(), (key) => Buffer.from(key).toString())
}

const failures: [code: FaultCode, leavesFile: boolean, isSync: boolean][] = [
  ['EMFILE', false, false],
  ['EMFILE', false, true],
  ['EROFS', false, false],
  ['EIO', true, false],
  ['EIO', true, true],
]
for (const [code, leavesFile, isSync] of failures) {
  const how = `${isSync ? 'putSync' : 'put'}, ${code}${leavesFile ? ' and an empty file' : ''}`
  test(`writes for which no log can be created are refused, and taken once one can: ${how}`, async () => {
    const scene = await new Scene().open()
    assert.equal(await scene.write(3, isSync), undefined)
    scene.fail(code, leavesFile)
    const error = await scene.write(20, isSync)
    assert.deepEqual(
      [error?.code, error?.outcome, (error?.cause as VarveError | undefined)?.code],
      ['STALLED', 'not-written', 'IO_ERROR'],
    )
    assert.match(error?.message ?? '', new RegExp(`cannot create .*\\.log: .*\\(${code}\\)`))
    assert.equal(scene.db.stats().poisonedBy, undefined)
    assert.deepEqual(scene.keys(), scene.acknowledged)
    scene.heal()
    assert.equal(await scene.write(20, isSync), undefined)
    assert.deepEqual(scene.keys(), scene.acknowledged)
    // As after kill -9.
    const again = await openIn(environmentOf(directoryOf(scene.memory)))
    assert.deepEqual(keysOf(again), scene.acknowledged)
    await again.close()
    await scene.db.close()
  })
}

test('a flush for which no log can be created says so, and writes go on', async () => {
  const scene = await new Scene().open()
  await scene.write(2, false)
  scene.fail('EMFILE', false)
  await assert.rejects(scene.db.flush(), { code: 'IO_ERROR', message: /^cannot create .*EMFILE/ })
  assert.equal(await scene.write(2, false), undefined)
  scene.heal()
  await scene.db.flush()
  assert.equal(scene.db.stats().tables.length, 1)
  assert.deepEqual(scene.keys(), scene.acknowledged)
  await scene.db.close()
})

test('a wait for room is over when what waits is refused, since there is no log', async () => {
  const scene = await new Scene().open()
  const { db, environment, memory } = scene
  const phases: string[] = []
  db.on('stall', ({ phase }) => phases.push(phase))
  environment.setFaults(({ op, path }) => (op === 'create' && path.endsWith('.ldb') ? { code: 'EMFILE' } : undefined))
  let last: Promise<VarveError | undefined> = Promise.resolve(undefined)
  for (let i = 0; phases.length === 0; i++) {
    last = db.put(`k${i}`, VALUE, { durability: 'disk' }).then(
      () => undefined,
      (error: VarveError) => error,
    )
    await new Promise((resolve) => setImmediate(resolve))
  }
  scene.fail('EMFILE', false)
  // The next try of the flush succeeds, so that there is room.
  memory.runTimers(memory.clock.micros / 1000 + 10_000)
  assert.equal((await last)?.code, 'STALLED')
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(phases, ['begin', 'end'])
  scene.heal()
  await db.close()
})

test('MemTables for which there are no logs take no memory each', async () => {
  const scene = await new Scene().open()
  scene.fail('EMFILE', false)
  const Shared = globalThis.SharedArrayBuffer
  let made = 0
  globalThis.SharedArrayBuffer = class {
    constructor(bytes: number) {
      made++
      // biome-ignore lint/correctness/noConstructorReturn: it stands in for the host's
      return new Shared(bytes)
    }
  } as never
  try {
    await scene.write(50, true)
  } finally {
    globalThis.SharedArrayBuffer = Shared
  }
  assert.ok(made < 5, `${made} buffers`)
  scene.heal()
  await scene.db.close()
})

/** A database whose log has no durable name, and can have none, with 'a' in the log before it and 'b' in that log, of `before` bytes. */
async function unnamedLog(code: FaultCode, isSync: boolean) {
  const scene = await new Scene().open()
  const { db, environment } = scene
  // The first log is named by the MANIFEST. A flush would make the name of the next one durable.
  await db.put('a', VALUE)
  environment.setFaults(({ op, path }) => (op === 'create' && path.endsWith('.ldb') ? { code: 'EIO' } : undefined))
  await assert.rejects(db.flush(), { code: 'IO_ERROR' })
  await db.put('b', VALUE)
  environment.setFaults(({ op }) => (op === 'sync-dir' ? { code } : undefined))
  const disk = { durability: 'disk' } as const
  const write = async (key: string): Promise<void> =>
    isSync ? db.putSync(key, VALUE, disk) : await db.put(key, VALUE, disk)
  return { scene, db, before: db.stats().logs[1].bytes, write }
}

for (const isSync of [false, true]) {
  const how = isSync ? 'putSync' : 'put'
  test(`writes whose log’s name cannot be made durable for want of descriptors are refused: ${how}`, async () => {
    const { scene, db, before, write } = await unnamedLog('EMFILE', isSync)
    const refused = { code: 'STALLED', outcome: 'not-written', message: /too many files open \(EMFILE\)/ }
    await assert.rejects(write('c'), refused)
    await assert.rejects(write('d'), refused)
    assert.deepEqual([db.stats().poisonedBy, db.stats().logs[1].bytes], [undefined, before])
    await db.put('e', VALUE)
    scene.heal()
    await write('f')
    assert.deepEqual(scene.keys(), ['a', 'b', 'e', 'f'])
    const powerLost = scene.memory.crashImage(0, new Prng(1))
    const again = await openIn(powerLost)
    assert.deepEqual(keysOf(again), ['a', 'b', 'e', 'f'])
    await again.close()
    await db.close()
  })
}

for (const isSync of [false, true]) {
  const how = isSync ? 'putSync' : 'put'
  test(`a write before which the log’s name could not be made durable was not written, and says so: ${how}`, async () => {
    const { scene, db, before, write } = await unnamedLog('EIO', isSync)
    // What did not fit into one group with it is refused as well.
    const others = isSync ? [] : Array.from({ length: 20 }, (_, i) => db.put(`d${i}`, VALUE.repeat(20)))
    const refused = { code: 'READ_ONLY', outcome: 'not-written', message: /input\/output error \(EIO\)/ }
    const outcomes = Promise.allSettled(others)
    await assert.rejects(write('c'), refused)
    for (const outcome of await outcomes) {
      assert.equal(outcome.status === 'rejected' && outcome.reason.outcome, 'not-written')
    }
    assert.ok(db.stats().poisonedBy !== undefined)
    assert.equal(db.stats().logs[1].bytes, before)
    await assert.rejects(write('e'), refused)
    scene.heal()
    await db.close().catch(() => {})
    const again = await openIn(scene.memory)
    assert.deepEqual(keysOf(again), ['a', 'b'])
    await again.close()
  })
}

const REFUSALS: [what: string, durability: 'os' | 'disk', isRefused: (op: string, path: string) => boolean][] = [
  ['for which there is no log', 'os', (op, path) => op === 'create' && path.endsWith('.log')],
  ['for which there is no log, at disk', 'disk', (op, path) => op === 'create' && path.endsWith('.log')],
  ['whose log’s name cannot be made durable', 'disk', (op) => op === 'sync-dir'],
]
for (const [what, durability, isRefused] of REFUSALS) {
  test(`whoever tries a write again at once leaves the event loop its turns: one ${what}`, async () => {
    const scene = await new Scene().open()
    const { db, environment } = scene
    for (let i = 0; i < 16; i++) await db.put(`${i}`, VALUE)
    environment.setFaults(({ op, path }) => (isRefused(op, path) ? { code: 'EMFILE' } : undefined))
    assert.ok((await refusalsUntil(db, durability, () => scene.heal())) > 1)
    await db.close()
  })
}

test('whoever tries a write again at once leaves the event loop its turns: one after flushing was given up', async () => {
  const scene = await new Scene().open()
  const { db, environment, memory } = scene
  environment.setFaults(({ op, path }) => (op === 'create' && path.endsWith('.ldb') ? { code: 'EIO' } : undefined))
  let attempts = 0
  db.on('background-error', () => attempts++)
  for (let i = 0; i < 40; i++) {
    db.put(`${i}`, VALUE).catch(() => {})
    await new Promise((resolve) => setImmediate(resolve))
    memory.runTimers(memory.clock.micros / 1000 + 1000)
  }
  assert.equal(attempts, 3)
  const healed = (): void => {
    scene.heal()
    void db.flush()
  }
  assert.ok((await refusalsUntil(db, 'os', healed)) > 1)
  await db.close()
})

/**
 * Write until a write is taken, without a pause.
 * @param heal called when the event loop has turned three times
 * @returns how many were refused
 */
async function refusalsUntil(db: DB, durability: 'os' | 'disk', heal: () => void): Promise<number> {
  let turns = 0
  const turned = (): void => {
    if (++turns === 3) heal()
    else setImmediate(turned)
  }
  setImmediate(turned)
  for (let refusals = 0; ; refusals++) {
    assert.ok(refusals < 100_000, 'the event loop does not turn')
    const error = await db.put('z', VALUE.repeat(10), { durability }).then(
      () => undefined,
      (error: VarveError) => error,
    )
    if (error === undefined) return refusals
    assert.equal(error.code, 'STALLED')
  }
}

test('once a log’s name could not be synced, what a compaction under way has written enters no MANIFEST', async () => {
  // By its own sync of the directory, names may seem durable that are not: the file system has told of its failure once.
  const refused = { code: 'READ_ONLY', outcome: 'not-written' }
  const scene = new Scene()
  const options = { environment: scene.environment, workers: 0, mergeAtRest: false, level0CompactionTrigger: 12 }
  const db = await openIn(scene.memory, { ...options, compression: 'none', maxFileBytes: 65_536 })
  for (let table = 0; table < 6; table++) {
    for (let i = 0; i < 900; i++) db.putSync(`k${String(i).padStart(5, '0')}`, VALUE)
    await db.flush()
  }
  // A log whose name no flush has made durable.
  scene.environment.setFaults(({ op, path }) =>
    op === 'create' && path.endsWith('.ldb') ? { code: 'EIO' } : undefined,
  )
  db.putSync('y', VALUE)
  await assert.rejects(db.flush(), { code: 'IO_ERROR' })
  const { manifestBytes } = db.stats()
  let isFailing = false
  let error: unknown
  scene.environment.setFaults(({ op, path }) => {
    if (op === 'create' && path.endsWith('.ldb') && error === undefined) {
      isFailing = true
      error = assert.throws(() => db.putSync('z', VALUE, { durability: 'disk' }), refused) ?? 'thrown'
      isFailing = false
    }
    return op === 'sync-dir' && isFailing ? { code: 'EIO' } : undefined
  })
  await assert.rejects(db.compactRange('k', 'l'), refused)
  assert.equal(error, 'thrown')
  assert.equal(db.stats().manifestBytes, manifestBytes)
  await assert.rejects(db.close(), { code: 'IO_ERROR' })
  const again = await openIn(scene.memory)
  assert.equal(keysOf(again).filter((key) => key < 'l').length, 900)
  await again.close()
})

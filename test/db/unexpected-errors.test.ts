/**
 * Errors that nobody thought of, in the background: whatever a job, a thread or an installation throws, those who write, flush and
 * close get an answer.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Scheduler } from '../../campaign/sim/scheduler.ts'
import { DIRECTORY, SimEnvironment } from '../../campaign/sim/sim-environment.ts'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { VarveError } from '../../src/base/errors.ts'
import { fileNumber, sequenceNumber } from '../../src/base/types.ts'
import { Health } from '../../src/db/health.ts'
import { Installer } from '../../src/db/installer.ts'
import { open } from '../../src/db/open.ts'
import { FaultEnvironment } from '../../src/env/fault-env.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { readManifest } from '../../src/version/manifest.ts'
import { VersionSet } from '../../src/version/version-set.ts'
import type { JobExecutor } from '../../src/worker/executor.ts'
import { InlineExecutor } from '../../src/worker/inline-executor.ts'

const SMALL = { writeBufferBytes: 16 * 1024, maxImmutableMemTables: 1, stallTimeoutMs: 5000 }
const VALUE = 'v'.repeat(9000)

for (const workers of [0, 1, 2]) {
  test(`a flush that throws what is no error of ours refuses writes, and hangs nobody, with ${workers} workers`, async () => {
    const scheduler = new Scheduler(1)
    const environment = new SimEnvironment(scheduler)
    const db = await scheduler.until(open(DIRECTORY, { ...SMALL, workers, environment }))
    const { files } = environment
    const createWritable = files.createWritable.bind(files)
    let thrown = 0
    files.createWritable = (path) => {
      if (!path.endsWith('.ldb')) return createWritable(path)
      thrown++
      throw new TypeError('a mistake')
    }
    let taken = 0
    const fill = async (): Promise<void> => {
      for (; taken < 20; taken++) await scheduler.until(db.put(`key${taken}`, VALUE))
    }
    await assert.rejects(fill(), { code: 'STALLED', outcome: 'not-written' })
    assert.ok(taken > 2)
    assert.throws(() => db.putSync('another', VALUE), { code: 'STALLED' })
    assert.ok(thrown >= 3)
    await assert.rejects(scheduler.until(db.flush()), /a mistake/)
    files.createWritable = createWritable
    await scheduler.until(db.flush())
    await scheduler.until(db.put('another', VALUE))
    await scheduler.until(db.close())
  })
}

for (const [what, failing, told] of [
  ['told', ['unlock'], /unlock/],
  ['not told in the place of an error that came before', ['append', 'sync', 'unlock'], /cannot (write|sync)/],
] as const) {
  test(`a lock that cannot be released is ${what}, and leaves no timer`, async () => {
    const memory = new MemoryEnvironment()
    const environment = new FaultEnvironment(memory)
    const db = await open('/db', { workers: 0, environment })
    db.putSync('a', '1')
    environment.setFaults(({ op }) => (failing.some((name) => name === op) ? { code: 'EIO' } : undefined))
    await assert.rejects(db.close(), told)
    // A timer would keep the process alive.
    assert.equal(memory.timerCount, 0)
    assert.equal(memory.files.locks.size, 0)
  })
}

function installerOf(): { readonly installer: Installer; readonly health: Health } {
  const environment = new MemoryEnvironment()
  environment.files.makeDirectory('/db')
  const versions = new VersionSet(environment.files, '/db', bytewiseComparator, undefined)
  versions.startManifest({ logNumber: fileNumber(1), lastSequence: sequenceNumber(0) })
  const health = new Health(() => {})
  return { installer: new Installer(versions, new InlineExecutor(environment, bytewiseComparator), health), health }
}

const mistake = (): never => {
  throw new TypeError('a mistake')
}

for (const [what, edit, follow] of [
  ['made', mistake, () => {}],
  ['followed', () => ({}), mistake],
] as const) {
  test(`an edit that cannot be ${what} poisons the database, and all who wait are told`, () => {
    const { installer, health } = installerOf()
    const heard: (Error | undefined)[] = []
    installer.install(
      () => ({}),
      () => {},
      (error) => heard.push(error),
    )
    assert.ok(!health.isPoisoned)
    installer.install(edit, follow, (error) => {
      heard.push(error)
      // Asked for in between: it waits, and is told all the same.
      installer.install(
        () => ({}),
        () => {},
        (later) => heard.push(later),
      )
    })
    assert.ok(health.isPoisoned)
    assert.equal(heard.length, 3)
    assert.equal(heard[0], undefined)
    assert.ok(heard[1] instanceof TypeError)
    assert.ok(heard[2] instanceof VarveError)
  })
}

test('what is finished leaves no edit in the MANIFEST that is not current', () => {
  const environment = new MemoryEnvironment()
  environment.files.makeDirectory('/db')
  const versions = new VersionSet(environment.files, '/db', bytewiseComparator, undefined)
  versions.startManifest({ logNumber: fileNumber(1), lastSequence: sequenceNumber(0) })
  // Whose thread does not answer.
  const executor: JobExecutor = {
    start: () => {},
    poll: () => false,
    startNoThread: () => {},
    waitSync: () => {},
    close: () => Promise.resolve(),
  }
  const installer = new Installer(versions, executor, new Health(() => {}))
  const heard: number[] = []
  for (const number of [7, 8]) {
    installer.install(
      () => ({ logNumber: fileNumber(number) }),
      () => {},
      () => heard.push(number),
    )
  }
  installer.finish()
  assert.deepEqual(heard, [7, 8])
  assert.equal(readManifest(environment.files, versions.manifestPath).edits.at(-1)?.logNumber, versions.logNumber)
})

test('an installation whose listener throws does not hold up the next one', () => {
  const { installer } = installerOf()
  const heard: string[] = []
  assert.throws(() => {
    installer.install(
      () => ({}),
      () => {},
      () => {
        installer.install(
          () => ({}),
          () => {},
          () => heard.push('the next one'),
        )
        throw new TypeError('a mistake')
      },
    )
  }, /a mistake/)
  assert.deepEqual(heard, ['the next one'])
})

/** Groups of their own each. */
const LARGE = ['a', 'b', 'c'].map((key) => [key, 'v'.repeat(1_500_000)] as const)

async function outcomesOf(writes: readonly Promise<void>[]): Promise<string[]> {
  const settled = await Promise.allSettled(writes)
  return settled.map((result) => (result.status === 'fulfilled' ? 'written' : result.reason.outcome))
}

test('an event that cannot be published leaves no write unsettled after the log has failed', async () => {
  const environment = new FaultEnvironment(new MemoryEnvironment())
  const told: unknown[] = []
  environment.publish = mistake
  environment.soon = (task) => {
    setImmediate(() => {
      try {
        task()
      } catch (error) {
        told.push(error)
      }
    })
  }
  const db = await open('/db', { workers: 0, environment })
  await db.put('before', '1')
  environment.setFaults(({ op }) => (op === 'append' ? { code: 'EIO' } : undefined))
  const writes = LARGE.map(([key, value]) => db.put(key, value))
  assert.deepEqual(await outcomesOf(writes), ['indeterminate', 'not-written', 'not-written'])
  assert.throws(() => db.putSync('after', '1'), { code: 'READ_ONLY' })
  await new Promise((resolve) => setImmediate(resolve))
  assert.ok(told.some((error) => error instanceof TypeError))
  // What was written before the failure is not durable.
  await assert.rejects(db.close(), { code: 'IO_ERROR' })
})

test('a clock that throws leaves no write unsettled, and none is taken afterwards', async () => {
  const memory = new MemoryEnvironment()
  const db = await open('/db', { workers: 0, environment: memory })
  const { monotonicMs } = memory.clock
  memory.clock.monotonicMs = mistake
  const writes = LARGE.map(([key, value]) => db.put(key, value))
  assert.deepEqual(await outcomesOf(writes), ['written', 'not-written', 'not-written'])
  memory.clock.monotonicMs = monotonicMs
  await assert.rejects(db.put('after', '1'), { code: 'READ_ONLY' })
  assert.throws(() => db.putSync('after', '1'), { code: 'READ_ONLY' })
  await db.close()
})

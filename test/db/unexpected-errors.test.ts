/**
 * Errors that nobody thought of, in the background: whatever a job, a thread or an installation throws, those who write, flush and
 * close get an answer.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Scheduler } from '../../campaign/sim/scheduler.ts'
import { DIRECTORY, SimEnvironment } from '../../campaign/sim/sim-environment.ts'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { IOError, VarveError } from '../../src/base/errors.ts'
import { fileNumber, sequenceNumber } from '../../src/base/types.ts'
import { Installer } from '../../src/db/background/installer.ts'
import { open } from '../../src/db/open.ts'
import { DatabaseDirectory } from '../../src/db/opening/database-directory.ts'
import { Health } from '../../src/db/reports/health.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { runSyncJob } from '../../src/jobs/chores.ts'
import { readCurrent, readManifest } from '../../src/version/manifest.ts'
import { VersionSet } from '../../src/version/version-set.ts'
import { type JobExecutor, ThreadEndedError } from '../../src/worker/executor.ts'
import { InlineExecutor } from '../../src/worker/inline-executor.ts'
import { FaultEnvironment } from '../support/fault-env.ts'

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
  const versions = new VersionSet(environment.files, '/db', bytewiseComparator, undefined, 1e9)
  versions.startManifest({ logNumber: fileNumber(1), lastSequence: sequenceNumber(0) })
  const health = new Health(() => {})
  return {
    installer: new Installer(
      versions,
      new DatabaseDirectory(environment.files, '/db'),
      new InlineExecutor(environment, bytewiseComparator),
      health,
      () => {},
    ),
    health,
  }
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

/** @param start hears of each job and its outcome */
function executorOf(start: (outcome: (error: Error | undefined) => void) => void): JobExecutor {
  return {
    start: (_, outcome) => start((error) => outcome(error, undefined)),
    poll: () => false,
    startNoThread: () => {},
    waitSync: () => {},
    close: () => Promise.resolve(),
  }
}

/** An installer whose executor is the test, over files that may fail. */
function installerBy(
  start: (outcome: (error: Error | undefined) => void) => void,
  manifestBytes: number = 1e9,
): {
  readonly environment: FaultEnvironment
  readonly versions: VersionSet
  readonly installer: Installer
  readonly health: Health
  /** MANIFESTs that are no longer needed. */
  readonly replaced: number[]
} {
  const environment = new FaultEnvironment(new MemoryEnvironment(), { directory: '/db' })
  environment.files.makeDirectory('/db')
  const versions = new VersionSet(environment.files, '/db', bytewiseComparator, undefined, manifestBytes)
  versions.startManifest({ logNumber: fileNumber(1), lastSequence: sequenceNumber(0) })
  environment.takeCalls()
  const health = new Health(() => {})
  const replaced: number[] = []
  const installer = new Installer(
    versions,
    new DatabaseDirectory(environment.files, '/db'),
    executorOf(start),
    health,
    (number) => replaced.push(number),
  )
  return { environment, versions, installer, health, replaced }
}

const EIO = Object.assign(new Error('EIO'), { code: 'EIO' })

for (const [what, outcome, syncs, fails] of [
  ['is durable is current', undefined, 0, false],
  ['was lost with its thread is made durable here, and is current', new Error('the thread has died'), 1, false],
  [
    'was lost with a thread that had no memory is made durable here, and is current',
    new ThreadEndedError('ended', {
      cause: Object.assign(new Error('heap limit'), { code: 'ERR_WORKER_OUT_OF_MEMORY' }),
    }),
    1,
    false,
  ],
  [
    'was lost with a thread whose program could not be read is made durable here, and is current',
    new ThreadEndedError('ended', { cause: EIO }),
    1,
    false,
  ],
  [
    'no descriptor was left for, on its thread, is made durable here, and is current',
    new IOError('cannot open', { cause: Object.assign(new Error('EMFILE'), { code: 'EMFILE' }) }),
    1,
    false,
  ],
  ['could not be made durable poisons the database', new IOError('cannot sync', { cause: EIO }), 0, true],
  [
    'was lost with its thread, and cannot be made durable here either, poisons the database',
    new Error('died'),
    1,
    true,
  ],
] as const) {
  test(`an edit that ${what}`, () => {
    const { environment, versions, installer, health } = installerBy((outcomeIs) => outcomeIs(outcome))
    if (fails) environment.setFaults(({ op }) => (op === 'sync' ? { code: 'EIO' } : undefined))
    const heard: unknown[] = []
    let followed = 0
    installer.install(
      () => ({ logNumber: fileNumber(7) }),
      () => followed++,
      (error) => heard.push(error),
    )
    assert.equal(environment.calls.filter((call) => call.startsWith('sync')).length, syncs)
    assert.deepEqual([heard.length, heard[0] !== undefined, health.isPoisoned], [1, fails, fails])
    assert.deepEqual([followed, versions.logNumber], fails ? [0, 1] : [1, 7])
  })
}

test('a MANIFEST whose place another one takes is told of once CURRENT names that one, also at the end', () => {
  const outcomes: ((error: Error | undefined) => void)[] = []
  const { environment, versions, installer, health, replaced } = installerBy((outcome) => outcomes.push(outcome), 1)
  const first = versions.manifestNumber
  const heard: (Error | undefined)[] = []
  let installations = 0
  const install = (): void => {
    installations++
    installer.install(
      () => ({ logNumber: versions.newFileNumber() }),
      () => assert.deepEqual(replaced, []),
      (error) => heard.push(error),
    )
  }
  while (versions.editSync.step !== 'switch') {
    if (versions.editSync.step === 'sync') install()
    const { files } = environment
    if (versions.editSync.step === 'prepare') runSyncJob({ kind: 'sync', ...versions.editSync }, environment)
    assert.equal(readCurrent(files, '/db'), first)
    outcomes.pop()?.(undefined)
  }
  assert.deepEqual([versions.manifestNumber, replaced], [first, []])
  // The job is under way still.
  installer.finish()
  const { manifestNumber } = versions
  assert.ok(manifestNumber > first)
  assert.deepEqual([readCurrent(environment.files, '/db'), replaced], [manifestNumber, [first]])
  outcomes.pop()?.(new IOError('cannot sync', { cause: EIO }))
  assert.ok(!health.isPoisoned && versions.takesEdits)
  assert.deepEqual(heard, new Array(installations).fill(undefined))
})

test('an edit is not current before it is durable, the next is made of what is then, and a late answer changes nothing', () => {
  const outcomes: ((error: Error | undefined) => void)[] = []
  const { versions, installer, health } = installerBy((outcome) => outcomes.push(outcome))
  const seen: string[] = []
  const install = (number: number): void => {
    installer.install(
      () => {
        seen.push(`${number} made at ${versions.logNumber}`)
        return { logNumber: fileNumber(number) }
      },
      () => seen.push(`${number} followed`),
      (error) => seen.push(`${number} done${error === undefined ? '' : ', failed'}`),
    )
  }
  install(7)
  install(8)
  assert.deepEqual([seen, versions.logNumber], [['7 made at 1'], 1])
  outcomes[0](undefined)
  assert.deepEqual(seen.splice(0), ['7 made at 1', '7 followed', '8 made at 7', '7 done'])
  outcomes[0](EIO)
  assert.deepEqual([seen, versions.logNumber, health.isPoisoned], [[], 7, false])
  installer.finish()
  outcomes[1](EIO)
  assert.deepEqual([seen, versions.logNumber, health.isPoisoned], [['8 followed', '8 done'], 8, false])
  versions.close()
})

test('what is finished leaves no edit in the MANIFEST that is not current', () => {
  const environment = new MemoryEnvironment()
  environment.files.makeDirectory('/db')
  const versions = new VersionSet(environment.files, '/db', bytewiseComparator, undefined, 1e9)
  versions.startManifest({ logNumber: fileNumber(1), lastSequence: sequenceNumber(0) })
  // Whose thread does not answer.
  const installer = new Installer(
    versions,
    new DatabaseDirectory(environment.files, '/db'),
    executorOf(() => {}),
    new Health(() => {}),
    () => {},
  )
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
  assert.equal(readManifest(environment.files, versions.editSync.path).edits.at(-1)?.logNumber, versions.logNumber)
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

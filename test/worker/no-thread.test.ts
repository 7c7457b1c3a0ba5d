/**
 * Tests of threads that cannot be had: that cannot be started, or that end, or stay, before they have come to a job. On threads that do
 * what the test says and a clock that it moves, and on real ones whose program is not what it should be.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { WorkerThread } from '../../src/base/environment.ts'
import { IOError } from '../../src/base/errors.ts'
import type { DB } from '../../src/db/db.ts'
import { open } from '../../src/db/open.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { nodeEnvironment } from '../../src/env/node-env.ts'
import { DirectorySyncs } from '../../src/worker/directory-syncs.ts'
import type { JobExecutor } from '../../src/worker/executor.ts'
import { type AnswerMessage, BELL, type Job, type JobResult, type RunMessage, STOP } from '../../src/worker/messages.ts'
import { WorkerExecutor } from '../../src/worker/worker-executor.ts'

const FLUSH = { kind: 'flush' } as Job
const COMPACTION = { kind: 'compact' } as Job
const nothing = (): void => {}

/** Begins when told to, if at all. */
class TestThread implements WorkerThread {
  readonly jobs: number[] = []
  readonly inbox: AnswerMessage[] = []
  /** Under which it announces its syncs. */
  number = -1
  signals: SharedArrayBuffer = new SharedArrayBuffer(0)
  hasBegun = false
  isCalledOff = false
  exit: (error: Error | undefined) => void = nothing
  readonly onMessage: () => void = nothing
  readonly keepAlive: () => void = nothing

  post(message: unknown): void {
    const { id, thread, signals } = message as RunMessage
    this.jobs.push(id)
    this.number = thread
    this.signals = signals
  }

  onExit(handler: (error: Error | undefined) => void): void {
    this.exit = handler
  }

  receiveNow(): unknown {
    return this.inbox.shift()
  }

  callOff(): boolean {
    this.isCalledOff = !this.hasBegun
    return this.isCalledOff
  }

  terminate(): Promise<unknown> {
    return Promise.resolve()
  }

  answer(): void {
    assert.ok(!this.isCalledOff)
    this.hasBegun = true
    this.inbox.push({ type: 'done', id: this.jobs.shift()!, result: {} as JobResult })
  }
}

class TestThreads extends MemoryEnvironment {
  readonly executor: WorkerExecutor
  readonly threads: TestThread[] = []
  readonly syncs: DirectorySyncs = new DirectorySyncs(this)
  /** Why no thread can be started. */
  refusal: Error | undefined = undefined
  /** Why a job fails that is done inline. */
  failure: Error | undefined = undefined
  /** What happens, in its order. */
  readonly log: string[] = []

  constructor(lanes: number) {
    super()
    const inline: JobExecutor = {
      start: (job, outcome) => {
        this.log.push(`${job.kind} inline`)
        outcome(this.failure, {} as never)
      },
      poll: () => false,
      startNoThread: nothing,
      waitSync: nothing,
      close: () => Promise.resolve(),
    }
    const noThread = (error: Error, retryMs: number): void => {
      this.log.push(`${error.message}, again after ${retryMs}`)
    }
    this.executor = new WorkerExecutor(this, inline, lanes, noThread, this.syncs)
  }

  override startWorker(): WorkerThread {
    if (this.refusal !== undefined) throw this.refusal
    const thread = new TestThread()
    this.threads.push(thread)
    return thread
  }

  run(job: Job): void {
    this.executor.start(job, (error) => this.log.push(error?.message ?? 'done'))
  }

  pass(durationMs: number): void {
    this.runTimers(this.clock.monotonicMs() + durationMs)
  }
}

test('a thread that ends before it has begun leaves its jobs to the calling thread, which tells once', () => {
  const world = new TestThreads(2)
  world.run(FLUSH)
  world.run({ kind: 'sync' } as Job)
  world.threads[0].exit(new Error('EMFILE'))
  assert.equal(world.timerCount, 0)
  const told = 'a worker thread could not begin: EMFILE, again after 30000'
  assert.deepEqual(world.log.splice(0), ['flush inline', 'done', 'sync inline', 'done', told])
  world.run(COMPACTION)
  world.pass(29_000)
  world.run(FLUSH)
  assert.deepEqual([world.log.splice(0), world.threads.length], [['compact inline', 'done', 'flush inline', 'done'], 1])
  // The next one fails as well, which is known; then one begins, and the next failure is another one.
  world.pass(1000)
  world.run(FLUSH)
  world.threads[1].exit(new Error('EMFILE'))
  assert.deepEqual(world.log.splice(0), ['flush inline', 'done'])
  world.pass(30_000)
  world.run(FLUSH)
  world.threads[2].answer()
  world.executor.poll()
  assert.deepEqual(world.log.splice(0), ['done'])
  world.run(COMPACTION)
  world.threads[3].exit(undefined)
  assert.deepEqual(world.log, [
    'compact inline',
    'done',
    'a worker thread could not begin: it ended before it took a job, again after 30000',
  ])
})

test('where no thread can be started, jobs run inline, and what was refused is told once', () => {
  const world = new TestThreads(2)
  world.refusal = new IOError('there is no program')
  world.run(FLUSH)
  world.run(COMPACTION)
  assert.deepEqual(world.log.splice(0), [
    'flush inline',
    'done',
    'there is no program, again after 30000',
    'compact inline',
    'done',
  ])
  world.refusal = undefined
  world.pass(30_000)
  world.run(FLUSH)
  assert.deepEqual([world.log, world.threads.length], [[], 1])
})

test('once a thread has answered, another one is tried at once', () => {
  const world = new TestThreads(2)
  world.run(FLUSH)
  world.refusal = new IOError('there is no room for two')
  world.run(COMPACTION)
  world.refusal = undefined
  world.run(COMPACTION)
  assert.equal(world.threads.length, 1)
  world.threads[0].answer()
  world.executor.poll()
  world.run(COMPACTION)
  assert.equal(world.threads.length, 2)
})

test('two threads announce their syncs under numbers of their own, and one that dies in the midst of one has failed', () => {
  const world = new TestThreads(2)
  world.run(FLUSH)
  world.run(COMPACTION)
  assert.deepEqual(
    world.threads.map(({ number }) => number),
    [0, 1],
  )
  for (const [i, thread] of world.threads.entries()) {
    thread.hasBegun = true
    world.syncs.begin(thread.number)
    thread.exit(undefined)
    assert.equal(world.syncs.failures, i + 1)
  }
})

test('what is done inline, and syncs, counts only once the syncs on the other thread have ended', () => {
  const world = new TestThreads(2)
  let isEnding = false
  world.waitWhile = () => {
    if (isEnding) world.syncs.end(1)
    return !isEnding
  }
  world.run(FLUSH)
  world.syncs.begin(1)
  world.threads[0].exit(new Error('EMFILE'))
  const late = 'a sync of the directory on another thread does not end'
  assert.deepEqual(world.log.splice(0, 2), ['flush inline', late])
  world.log.length = 0
  // Nobody waits on behalf of a job that makes no names, or that has failed anyway.
  world.run({ kind: 'remove' } as Job)
  world.failure = new IOError('EIO')
  world.run(FLUSH)
  world.failure = undefined
  isEnding = true
  world.run(FLUSH)
  assert.deepEqual(world.log, ['remove inline', 'done', 'flush inline', 'EIO', 'flush inline', 'done'])
})

test('one who sleeps until a thread answers wakes when it has not begun for long, and its job is done', () => {
  const world = new TestThreads(1)
  const sleeps: number[] = []
  world.waitWhile = (_words, _index, _value, timeoutMs) => {
    sleeps.push(Math.round(timeoutMs))
    world.pass(timeoutMs)
    return true
  }
  world.run(FLUSH)
  world.executor.waitSync(1000)
  assert.deepEqual(world.log, [])
  world.executor.waitSync(10_000)
  assert.deepEqual(world.log.splice(0), [
    'flush inline',
    'done',
    'a worker thread could not begin: it has not begun after 3000 ms, again after 30000',
  ])
  assert.ok(world.threads[0].isCalledOff)
  assert.deepEqual(sleeps.splice(0), [1000, 2000])
  // One that has begun is waited for however long its job takes.
  world.pass(30_000)
  world.run(FLUSH)
  world.threads[1].hasBegun = true
  world.executor.waitSync(10_000)
  world.executor.waitSync(10_000)
  assert.deepEqual([sleeps, world.log], [[3000, 10_000], []])
  world.threads[1].answer()
  world.executor.waitSync(10_000)
  assert.deepEqual(world.log, ['done'])
})

test('a thread that hangs before it begins is done without, also where nobody sleeps', () => {
  const world = new TestThreads(1)
  world.run(FLUSH)
  world.pass(59_000)
  assert.deepEqual(world.log, [])
  world.pass(1000)
  assert.deepEqual(world.log.splice(0, 2), ['flush inline', 'done'])
  assert.match(world.log[0], /has not begun after 60000 ms/)
  // One that has begun may take its time.
  world.pass(30_000)
  world.run(FLUSH)
  world.run(FLUSH)
  world.threads[1].answer()
  world.executor.poll()
  world.pass(120_000)
  assert.deepEqual([world.log.slice(1), world.threads[1].isCalledOff], [['done'], false])
})

test('who is told that a job has lost its thread, and waits for the next one, gets that by polling', () => {
  const world = new TestThreads(1)
  world.executor.start(FLUSH, () => {
    world.log.push('flushed')
    // As a listener that writes does, until there is room.
    while (!world.log.includes('compacted')) assert.ok(world.executor.poll(), 'nothing comes')
  })
  world.executor.start(COMPACTION, () => world.log.push('compacted'))
  world.threads[0].hasBegun = true
  world.threads[0].exit(new Error('gone'))
  assert.deepEqual(world.log, ['flushed', 'compacted'])
})

test('closing waits for no compaction whose thread has not begun', async () => {
  const world = new TestThreads(2)
  world.waitWhile = () => assert.fail('it waits')
  world.run(COMPACTION)
  await world.executor.close()
  assert.deepEqual([world.log, world.threads[0].isCalledOff, world.timerCount], [[], true, 0])
})

test('closing waits until a compaction has been given up, through the answers to other jobs, and for those alone', async () => {
  const world = new TestThreads(1)
  let left = 2
  world.waitWhile = (words) => {
    assert.equal(Atomics.load(words, STOP), 1)
    assert.ok(left-- > 0, 'it waits for nothing')
    world.threads[0].answer()
    return false
  }
  world.run({ kind: 'remove' } as Job)
  world.run(COMPACTION)
  world.run(FLUSH)
  world.threads[0].hasBegun = true
  await world.executor.close()
  assert.deepEqual([left, world.threads[0].jobs.length], [0, 1])
})

test('closing waits only so long for a compaction', async () => {
  const world = new TestThreads(1)
  let waits = 0
  world.waitWhile = () => waits++ === 0
  world.run(COMPACTION)
  world.threads[0].hasBegun = true
  await world.executor.close()
  assert.equal(waits, 1)
})

test('one who waits does not sleep through an answer that comes right after a look', () => {
  const world = new TestThreads(1)
  world.run(FLUSH)
  const [thread] = world.threads
  let isRung = false
  world.waitWhile = (words, index, value) => {
    assert.notEqual(Atomics.load(words, index), value, 'it would sleep')
    assert.ok(isRung)
    return false
  }
  thread.receiveNow = () => {
    if (!isRung) Atomics.add(new Int32Array(thread.signals), BELL, 1)
    isRung = true
    return undefined
  }
  world.executor.waitSync(1000)
  assert.ok(isRung)
})

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'varve-no-thread-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

const VALUE = 'v'.repeat(3000)
const KEYS = Array.from({ length: 200 }, (_, i) => `key${String(i).padStart(4, '0')}`)

interface Program {
  readonly what: string
  /** What the program is; undefined if it is gone once it has been named. */
  readonly source: string | undefined
  readonly told: RegExp
}

const PROGRAMS: readonly Program[] = [
  {
    what: 'is not there',
    source: undefined,
    told: /^no worker thread can be started: there is no .*worker\.mjs; .*"Bundles"\)$/,
  },
  { what: 'lacks a module', source: `import './absent.js'`, told: /could not begin: Cannot find module .*absent/ },
  { what: 'ends at once', source: 'process.exit(0)', told: /it ended before it took a job/ },
  {
    what: 'has no memory',
    // Fractions: the collector, which comes often until it gives up, has nothing to follow in them.
    source: 'const all = []; for (;;) all.push(new Array(1e6).fill(0.5))',
    told: /could not begin: Worker terminated due to reaching memory limit/,
  },
]

/** What was told of threads, and of nothing else that failed. */
function toldBy(db: DB): string[] {
  const told: string[] = []
  db.on('background-error', ({ work, error }) => told.push(work === 'thread' ? error.message : `${work} failed`))
  return told
}

for (const { what, source, told } of PROGRAMS) {
  test(`with a worker program that ${what}, everything is done on the calling thread, and one event says so`, async (t) => {
    const directory = scratch(t)
    const program = join(directory, 'worker.mjs')
    writeFileSync(program, source ?? '')
    const environment = nodeEnvironment({ worker: pathToFileURL(program) })
    if (source === undefined) rmSync(program)
    const lines: string[] = []
    const line = (_: object, message: string): void => void lines.push(message)
    const logger = { debug: nothing, info: nothing, warn: line, error: line }
    const path = join(directory, 'db')
    const db = await open(path, { environment, logger, writeBufferBytes: 16384, stallTimeoutMs: 600_000 })
    const errors = toldBy(db)
    for (const key of KEYS) await db.put(key, VALUE)
    await db.flush()
    await db.compactRange()
    assert.equal(errors.length, 1, errors.join())
    assert.match(errors[0], told)
    assert.deepEqual(
      lines.filter((message) => !message.startsWith('writes')),
      ['no worker thread: flushes and compactions run on the calling thread'],
    )
    assert.equal(db.property('leveldb.num-files-at-level0'), '0')
    await db.close()
    const again = await open(path, { workers: 0 })
    assert.deepEqual([Array.from(again.keysSync()).length, again.recoveryInfo.entries], [KEYS.length, 0])
    await again.close()
  })
}

test('a loop of putSync that never yields goes on without a thread that cannot begin', async (t) => {
  const directory = scratch(t)
  const program = join(directory, 'worker.mjs')
  writeFileSync(program, `import './absent.js'`)
  const environment = nodeEnvironment({ worker: pathToFileURL(program) })
  const options = { environment, writeBufferBytes: 16384, maxImmutableMemTables: 1, stallTimeoutMs: 600_000 }
  const db = await open(join(directory, 'db'), options)
  const errors = toldBy(db)
  for (const key of KEYS) db.putSync(key, VALUE)
  assert.deepEqual(errors, ['a worker thread could not begin: it has not begun after 3000 ms'])
  assert.equal(Array.from(db.keysSync()).length, KEYS.length)
  await db.close()
})

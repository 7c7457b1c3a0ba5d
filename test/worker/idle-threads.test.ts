/**
 * Tests of threads that have had no job for a while: on threads that do what the test says and a clock that it moves, and with real
 * ones, whose timers come when the test calls them.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { WorkerThread } from '../../src/base/environment.ts'
import { open } from '../../src/db/open.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { nodeEnvironment } from '../../src/env/node-env.ts'
import type { JobExecutor } from '../../src/worker/executor.ts'
import type { AnswerMessage, EndedMessage, Job, JobResult, RunMessage } from '../../src/worker/messages.ts'
import { WorkerExecutor } from '../../src/worker/worker-executor.ts'

/** As src/worker/worker-lane.ts has it. */
const IDLE_MS = 30_000

const FLUSH = { kind: 'flush' } as Job
const COMPACTION = { kind: 'compact' } as Job
const nothing = (): void => {}

/** Answers when told to, ends when told to, and tells of its end although it should not. */
class TestThread implements WorkerThread {
  readonly isPatient: boolean
  readonly jobs: number[] = []
  readonly inbox: (AnswerMessage | EndedMessage)[] = []
  keepsAlive = false
  isTerminated = false
  exit: (error: Error | undefined) => void = nothing
  #handler: (message: unknown) => void = nothing
  readonly end: Promise<unknown>
  finish: () => void = nothing

  constructor(isPatient: boolean) {
    this.isPatient = isPatient
    this.end = new Promise<void>((resolve) => {
      this.finish = resolve
    })
  }

  post(message: unknown): void {
    assert.ok(!this.isTerminated, 'a job for a thread that was ended')
    this.jobs.push((message as RunMessage).id)
  }

  onMessage(handler: (message: unknown) => void): void {
    this.#handler = handler
  }

  onExit(handler: (error: Error | undefined) => void): void {
    this.exit = handler
  }

  receiveNow(): unknown {
    return this.inbox.shift()
  }

  keepAlive(keep: boolean): void {
    this.keepsAlive = keep
  }

  callOff(): boolean {
    return false
  }

  terminate(): Promise<unknown> {
    assert.ok(!this.isTerminated, 'a thread that is ended twice')
    this.isTerminated = true
    return this.end
  }

  /** Answer the oldest job, by an event, or for one who looks. */
  answer(how: 'event' | 'queue' = 'event'): void {
    const message: AnswerMessage = { type: 'done', id: this.jobs.shift()!, result: {} as JobResult }
    if (how === 'event') this.#handler(message)
    else this.inbox.push(message)
  }
}

class TestThreads extends MemoryEnvironment {
  readonly threads: TestThread[] = []
  readonly executor: WorkerExecutor
  /** Jobs that were run on this thread. */
  inline = 0
  readonly outcomes: string[] = []

  constructor(lanes: number) {
    super()
    const fallback: JobExecutor = {
      start: () => void this.inline++,
      poll: () => false,
      startNoThread: nothing,
      waitSync: nothing,
      close: () => Promise.resolve(),
    }
    this.executor = new WorkerExecutor(this, fallback, lanes, assert.fail)
  }

  override startWorker(isPatient: boolean = false): WorkerThread {
    const thread = new TestThread(isPatient)
    this.threads.push(thread)
    return thread
  }

  get last(): TestThread {
    return this.threads.at(-1)!
  }

  run(job: Job): void {
    this.executor.start(job, (error) => this.outcomes.push(error?.message ?? 'done'))
  }

  pass(durationMs: number): void {
    this.runTimers(this.clock.monotonicMs() + durationMs)
  }

  /** What the threads are, in their order. */
  states(): string {
    return this.threads.map(({ isTerminated }) => (isTerminated ? 'ended' : 'there')).join(' ')
  }
}

test('a thread without a job is ended, the other one stays, and the next job has a new one of the same kind', () => {
  const world = new TestThreads(2)
  world.run(FLUSH)
  world.run(COMPACTION)
  world.threads[1].answer()
  world.pass(IDLE_MS)
  assert.equal(world.states(), 'there ended', 'who has a job is not idle')
  world.threads[0].answer()
  world.pass(IDLE_MS)
  assert.deepEqual([world.states(), world.timerCount], ['ended ended', 0])
  world.run(COMPACTION)
  world.last.answer()
  world.run(FLUSH)
  world.last.answer()
  assert.deepEqual(
    [world.threads.map(({ isPatient }) => isPatient), world.outcomes],
    [
      [false, true, true, false],
      ['done', 'done', 'done', 'done'],
    ],
  )
})

const MOMENTS: readonly [what: string, jobMs: number, endMs: number][] = [
  ['no job more', Number.POSITIVE_INFINITY, IDLE_MS],
  ['a job at once', 0, 2 * IDLE_MS],
  ['a job half-way', IDLE_MS / 2, 2 * IDLE_MS],
  ['a job right before the timer', IDLE_MS - 1, 2 * IDLE_MS],
]

for (const [what, jobMs, endMs] of MOMENTS) {
  test(`after ${what}, one thread for all jobs is ended, by a single timer and not before its time`, () => {
    const world = new TestThreads(1)
    world.run(FLUSH)
    world.last.answer()
    if (jobMs < IDLE_MS) {
      world.pass(jobMs)
      for (const job of [COMPACTION, FLUSH]) {
        world.run(job)
        world.last.answer()
        assert.equal(world.timerCount, 1)
      }
    }
    world.runTimers(endMs - 1)
    assert.equal(world.states(), 'there')
    // A look at the clock takes a microsecond.
    world.runTimers(endMs + 1)
    assert.deepEqual([world.states(), world.timerCount, world.last.keepsAlive], ['ended', 0, false])
  })
}

test('a job in the turn of the timer is done: before it on the thread that is there, behind it on a new one', () => {
  for (const isBefore of [true, false]) {
    const world = new TestThreads(1)
    world.run(FLUSH)
    world.last.answer()
    if (isBefore) world.run(FLUSH)
    world.pass(IDLE_MS)
    if (!isBefore) world.run(FLUSH)
    assert.equal(world.states(), isBefore ? 'there' : 'ended there')
    assert.ok(world.last.keepsAlive)
    // It is done when a synchronous writer looks; the thread then has its whole time again.
    world.last.answer('queue')
    world.executor.waitSync(1000)
    assert.deepEqual(world.outcomes, ['done', 'done'])
    world.pass(IDLE_MS - 1)
    assert.equal(world.last.isTerminated, false)
    world.pass(1)
    assert.equal(world.last.isTerminated, true)
  }
})

test('a job that takes long keeps its thread, and the timer is set when it is done', () => {
  const world = new TestThreads(1)
  world.run(FLUSH)
  world.last.answer()
  world.run(COMPACTION)
  world.pass(10 * IDLE_MS)
  assert.deepEqual([world.states(), world.timerCount], ['there', 0])
  world.last.answer()
  world.pass(IDLE_MS)
  assert.deepEqual([world.states(), world.outcomes], ['ended', ['done', 'done']])
})

test('flushes and chores share one of two threads, compactions and samples the other, which lets others go first', () => {
  const world = new TestThreads(2)
  for (const kind of ['flush', 'compact', 'sample', 'sync', 'remove', 'clear']) world.run({ kind } as Job)
  assert.deepEqual(
    world.threads.map(({ isPatient, jobs }) => [isPatient, jobs.length]),
    [
      [false, 4],
      [true, 2],
    ],
  )
})

test('a thread keeps the process alive until the last of its jobs is answered, also one that the answer to another has begun', () => {
  const world = new TestThreads(1)
  world.run(FLUSH)
  world.executor.start(FLUSH, () => world.run(COMPACTION))
  for (let left = 2; left > 0; left--) {
    world.last.answer()
    assert.ok(world.last.keepsAlive)
  }
  world.last.answer()
  assert.equal(world.last.keepsAlive, false)
})

test('the end of a thread that was ended fails no job of the one that took its place', () => {
  const world = new TestThreads(1)
  world.run(FLUSH)
  world.last.answer()
  world.pass(IDLE_MS)
  world.run(FLUSH)
  world.threads[0].exit(new Error('it was ended'))
  assert.deepEqual(world.outcomes, ['done'])
  world.last.answer()
  assert.deepEqual([world.outcomes, world.states()], [['done', 'done'], 'ended there'])
})

test('a thread that dies leaves its timer to the next one, which is not ended early', () => {
  const world = new TestThreads(1)
  world.run(FLUSH)
  world.last.answer()
  world.pass(IDLE_MS - 1)
  world.threads[0].exit(new Error('it has died'))
  world.run(FLUSH)
  world.last.answer()
  world.pass(1)
  assert.deepEqual([world.last.isTerminated, world.timerCount], [false, 1])
  world.last.exit(undefined)
  world.pass(IDLE_MS)
  assert.equal(world.timerCount, 0)
})

test('with no thread to be started, jobs for one that was ended run inline', () => {
  const world = new TestThreads(1)
  world.run(FLUSH)
  world.last.answer()
  world.pass(IDLE_MS)
  world.executor.startNoThread()
  world.run(FLUSH)
  world.executor.waitSync(1000)
  assert.deepEqual([world.inline, world.threads.length], [1, 1])
})

test('closing waits for a thread that is still ending, and for the one that took its place, and leaves no timer', async () => {
  const world = new TestThreads(1)
  world.run(FLUSH)
  world.last.answer()
  world.pass(IDLE_MS)
  world.run(FLUSH)
  world.last.answer()
  let isClosed = false
  const closing = world.executor.close().then(() => {
    isClosed = true
  })
  assert.deepEqual([world.states(), world.timerCount], ['ended ended', 0])
  for (const thread of [...world.threads].reverse()) {
    for (let i = 0; i < 3; i++) await turn()
    assert.equal(isClosed, false)
    thread.finish()
  }
  await closing
})

test('a database whose threads are ended over and over flushes and compacts on new ones, and none is left', {
  timeout: 120_000,
}, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'varve-idle-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const environment = nodeEnvironment()
  const { later, startWorker } = environment
  const timers = new Set<() => void>()
  let threads = 0
  let started = 0
  environment.later = (delayMs, task, keepAlive) => {
    if (delayMs !== IDLE_MS) return later.call(environment, delayMs, task, keepAlive)
    assert.ok(keepAlive !== true)
    timers.add(task)
    return () => timers.delete(task)
  }
  environment.startWorker = (isPatient) => {
    const thread = startWorker.call(environment, isPatient)!
    const terminate = thread.terminate.bind(thread)
    threads++
    started++
    thread.terminate = async () => {
      await terminate()
      threads--
    }
    return thread
  }
  const db = await open(directory, { environment })
  const errors: string[] = []
  db.on('background-error', ({ error }) => errors.push(error.message))
  const rounds = 4
  for (let round = 0; round < rounds; round++) {
    await db.put('key', `value ${round}`)
    await db.flush()
    await db.compactRange()
    // Chores may come behind: a timer that finds one since looks once more.
    while (threads > 0 && !t.signal.aborted) {
      for (const task of timers) {
        timers.delete(task)
        task()
      }
      await turn()
    }
    assert.equal(Buffer.from(db.getSync('key')!).toString(), `value ${round}`)
  }
  assert.deepEqual([errors, started >= 2 * rounds], [[], true])
  await db.close()
  assert.deepEqual([threads, timers.size], [0, 0])
})

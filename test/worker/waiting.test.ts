/**
 * A synchronous wait ends with the first outcome, also if that outcome starts the next job.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WorkerThread } from '../../src/base/environment.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import type { AnswerMessage, Job, JobResult, RunMessage } from '../../src/worker/messages.ts'
import { WorkerExecutor } from '../../src/worker/worker-executor.ts'

/** Answers its first job at once, and no other. */
class OneAnswer extends MemoryEnvironment {
  override startWorker(): WorkerThread | undefined {
    const answers: AnswerMessage[] = []
    const nothing = (): void => {}
    return {
      post: (message) => {
        const { id } = message as RunMessage
        if (id === 1) answers.push({ type: 'done', id, result: {} as JobResult })
      },
      onMessage: nothing,
      onExit: nothing,
      receiveNow: () => answers.shift(),
      keepAlive: nothing,
      callOff: () => false,
      terminate: () => Promise.resolve(),
    } as WorkerThread
  }
}

test('a wait that delivers an outcome does not sleep until the next one', (t) => {
  const environment = new OneAnswer()
  const executor = new WorkerExecutor(
    environment,
    { start: assert.fail, poll: () => false, startNoThread() {}, waitSync() {}, close: () => Promise.resolve() },
    1,
    assert.fail,
  )
  const sleep = t.mock.method(environment, 'waitWhile', () => true)
  let delivered = 0
  executor.start({} as Job, () => {
    delivered++
    executor.start({} as Job, assert.fail)
  })
  executor.waitSync(1000)
  assert.deepEqual([delivered, sleep.mock.callCount()], [1, 0])
  executor.waitSync(1000)
  assert.deepEqual([delivered, sleep.mock.callCount()], [1, 1])
})

/** Answers a job by what it opens, and later by its end. */
class Opening extends MemoryEnvironment {
  readonly inbox: unknown[] = []

  override startWorker(): WorkerThread | undefined {
    const nothing = (): void => {}
    return {
      post: nothing,
      onMessage: nothing,
      onExit: nothing,
      receiveNow: () => this.inbox.shift(),
      keepAlive: nothing,
      callOff: () => false,
      terminate: () => Promise.resolve(),
    } as WorkerThread
  }
}

test('what a job has opened is handed over before its outcome, is none itself, and is no concern of one who has closed', () => {
  const environment = new Opening()
  const fallback = {
    start: assert.fail,
    poll: () => false,
    startNoThread() {},
    waitSync() {},
    close: () => Promise.resolve(),
  }
  const executor = new WorkerExecutor(environment, fallback, 1, assert.fail)
  const heard: string[] = []
  for (const job of ['first', 'second'])
    executor.start(
      {} as Job,
      () => heard.push(job),
      (number) => heard.push(`${job} opens ${number}`),
    )
  environment.inbox.push({ type: 'opened', id: 1, number: 5 }, { type: 'opened', id: 2, number: 6 })
  assert.equal(executor.poll(), false)
  environment.inbox.push({ type: 'opened', id: 1, number: 7 }, { type: 'done', id: 1, result: {} })
  assert.equal(executor.poll(), true)
  assert.deepEqual(heard, ['first opens 5', 'second opens 6', 'first opens 7', 'first'])
  // An outcome has been delivered, and with it all that belongs to the job.
  environment.inbox.push({ type: 'opened', id: 1, number: 8 }, { type: 'opened', id: 2, number: 9 })
  executor.close()
  executor.poll()
  assert.equal(heard.length, 4)
})

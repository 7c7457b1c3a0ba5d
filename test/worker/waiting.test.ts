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
      terminate: () => Promise.resolve(),
    } as WorkerThread
  }
}

test('a wait that delivers an outcome does not sleep until the next one', (t) => {
  const environment = new OneAnswer()
  const executor = new WorkerExecutor(
    environment,
    { start: assert.fail, poll: () => false, waitSync() {}, close: () => Promise.resolve() },
    1,
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

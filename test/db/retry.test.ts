/** When a job that fails is tried again, when it is given up, and who hears of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IOError } from '../../src/base/errors.ts'
import { Retry } from '../../src/db/background/retry.ts'
import type { Emit } from '../../src/db/reports/events.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'

class Job {
  readonly environment: MemoryEnvironment = new MemoryEnvironment()
  /** Of each failure: the attempt and the pause that were told. */
  readonly told: (readonly [attempt: unknown, retryMs: unknown])[] = []
  starts = 0
  readonly retry: Retry

  constructor() {
    const emit = ((_: string, { attempt, retryMs }: Record<string, unknown>) => {
      this.told.push([attempt, retryMs])
    }) as unknown as Emit
    this.retry = new Retry('flush', this.environment, emit, () => this.starts++)
  }

  /** Let time pass. */
  pass(ms: number): void {
    this.environment.runTimers(this.environment.clock.monotonicMs() + ms)
  }
}

function systemError(code: string): IOError {
  return new IOError('cannot write', { cause: Object.assign(new Error(code), { code }) })
}

test('a job that fails is tried three times, after longer and longer pauses, and then given up', () => {
  const job = new Job()
  const { retry } = job
  const error = systemError('EIO')
  assert.deepEqual([retry.isHeld, retry.pauseMs, retry.failure], [false, Number.POSITIVE_INFINITY, undefined])
  for (const [i, pauseMs] of [100, 1000].entries()) {
    retry.failed(error)
    // A look at the clock takes a microsecond.
    assert.deepEqual([retry.isHeld, Math.round(retry.pauseMs), retry.failure], [true, pauseMs, undefined])
    job.pass(pauseMs - 1)
    assert.deepEqual([retry.isHeld, job.starts], [true, i])
    job.pass(1)
    assert.deepEqual([retry.isHeld, job.starts], [false, i + 1])
  }
  retry.failed(error)
  assert.deepEqual([retry.isHeld, retry.pauseMs, retry.failure], [true, Number.POSITIVE_INFINITY, error])
  assert.deepEqual(job.told, [
    [1, 100],
    [2, 1000],
    [3, undefined],
  ])
  assert.deepEqual([retry.failureCount, retry.lastError, job.environment.timerCount], [3, error, 0])
})

for (const code of ['ENOSPC', 'EDQUOT']) {
  test(`while there is ${code}, a job is tried every ten seconds for an hour`, () => {
    const job = new Job()
    for (let attempt = 1; job.retry.failure === undefined; attempt++) {
      assert.ok(attempt <= 360)
      job.retry.failed(systemError(code))
      job.pass(10_000)
    }
    assert.equal(job.told.length, 360)
    assert.ok(job.told.slice(0, -1).every(([, retryMs]) => retryMs === 10_000))
    assert.deepEqual(job.told.at(-1), [360, undefined])
  })
}

for (const code of ['EMFILE', 'ENFILE', 'ENOMEM']) {
  test(`while there is ${code}, a job is tried soon, then less often, for an hour`, () => {
    const job = new Job()
    for (let attempt = 1; job.retry.failure === undefined; attempt++) {
      assert.ok(attempt <= 360)
      job.retry.failed(systemError(code))
      job.pass(10_000)
    }
    const pauses = job.told.map(([, retryMs]) => retryMs)
    assert.deepEqual([pauses.length, pauses.slice(0, 4), pauses.at(-1)], [360, [100, 1000, 10_000, 10_000], undefined])
  })
}

test('while something was short for long, another failure is tried again as well, and the third one ends it', () => {
  const job = new Job()
  for (const code of ['ENOSPC', 'EMFILE', 'ENOSPC', 'EIO', 'ENOSPC', 'EIO', 'ENOSPC', 'EIO']) {
    assert.equal(job.retry.failure, undefined, code)
    job.retry.failed(systemError(code))
    job.pass(10_000)
  }
  assert.notEqual(job.retry.failure, undefined)
  assert.deepEqual(job.told.at(-1), [8, undefined])
  job.retry.tryAgain()
  job.retry.failed(systemError('EIO'))
  assert.deepEqual(job.told.at(-1), [1, 100])
})

test('a job that succeeds has all its attempts before it again', () => {
  const job = new Job()
  for (let i = 0; i < 5; i++) {
    job.retry.failed(systemError('EIO'))
    job.pass(100)
    job.retry.succeeded()
  }
  assert.deepEqual(job.told, Array(5).fill([1, 100]))
  assert.deepEqual([job.retry.isHeld, job.retry.failureCount], [false, 5])
})

test('a thread that sleeps goes on when the pause is over, not before, and once', () => {
  const job = new Job()
  const { clock } = job.environment
  job.retry.wake()
  job.retry.failed(systemError('EIO'))
  job.retry.wake()
  clock.advance(99)
  job.retry.wake()
  assert.deepEqual([job.retry.isHeld, job.starts], [true, 0])
  clock.advance(1)
  job.retry.wake()
  job.retry.wake()
  assert.deepEqual([job.retry.isHeld, job.starts, job.environment.timerCount], [false, 1, 0])
})

test('whoever asks waits for no pause, and begins anew with what was given up', () => {
  const job = new Job()
  job.retry.failed(systemError('EIO'))
  job.retry.tryAgain()
  assert.deepEqual([job.retry.isHeld, job.starts, job.environment.timerCount], [false, 1, 0])
  job.retry.failed(systemError('EIO'))
  job.retry.tryAgain()
  job.retry.failed(systemError('EIO'))
  assert.notEqual(job.retry.failure, undefined)
  job.retry.tryAgain()
  assert.deepEqual([job.retry.isHeld, job.retry.failure, job.starts], [false, undefined, 3])
  job.retry.failed(systemError('EIO'))
  assert.deepEqual(
    job.told.map(([, retryMs]) => retryMs),
    [100, 1000, undefined, 100],
  )
})

test('what trying again does not change is told and holds nothing up; what ends everything is held, and told elsewhere', () => {
  const job = new Job()
  const { retry } = job
  const damage = new IOError('damage')
  retry.refused(damage)
  assert.deepEqual([retry.isHeld, retry.failure, retry.failureCount, retry.lastError], [false, undefined, 1, damage])
  const end = new IOError('the MANIFEST')
  retry.giveUp(end)
  assert.deepEqual([retry.isHeld, retry.failure, retry.failureCount, retry.lastError], [true, end, 2, end])
  assert.deepEqual(job.told, [[1, undefined]])
})

test('closing leaves no timer', () => {
  const job = new Job()
  job.retry.failed(systemError('EIO'))
  job.retry.close()
  assert.equal(job.environment.timerCount, 0)
})

/**
 * The job queue of the examples: its story with a process that is killed, and its promises one by one.
 */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { JobQueue, type QueueOptions } from '../../examples/job-queue/queue.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { type DB, open } from '../../src/public/index.ts'
import { repository } from '../support/paths.ts'
import { printed } from './printed.ts'

const WORKERS = repository('.build', 'examples', 'job-queue', 'workers.js')
const OPTIONS: QueueOptions = { visibilityMs: 3_600_000, attemptsMax: 3, retryMs: 0 }

function openMemory(environment: MemoryEnvironment = new MemoryEnvironment()): Promise<DB> {
  return open('/queue', { environment, workers: 0 })
}

/** Wait until the wall clock has moved on. */
function nextMillisecond(): void {
  for (const start = Date.now(); Date.now() === start; );
}

describe('the example of a job queue', () => {
  it('runs as it says: killed half-way, and finished by the next process', () => {
    assert.deepEqual(printed('job-queue'), [
      'first process: 200 jobs enqueued, at least 60 done, then SIGKILL',
      'second process: the rest, to the end',
      '200 of 200 jobs done, 200 with the right result, none left',
    ])
  })

  it('gives jobs in the order in which they came, each to one worker', async () => {
    const db = await openMemory()
    const queue = new JobQueue(db, OPTIONS)
    const ids = await Promise.all(['a', 'b', 'c'].map((payload) => queue.enqueue(payload)))
    const claims = ids.map(() => queue.claim()!)
    assert.deepEqual(
      claims.map(({ job }) => [job.payload, job.attempts]),
      [
        ['a', 1],
        ['b', 1],
        ['c', 1],
      ],
    )
    assert.equal(queue.claim(), undefined)
    for (const claim of claims) assert.equal(queue.complete(claim, `${claim.job.payload}!`), true)
    assert.deepEqual(
      [...queue.ended('done')],
      ids.map((id, i) => [id, `${'abc'[i]}!`]),
    )
    assert.equal(queue.nextDueMs(), undefined)
    await db.close()
  })

  it('finds a job that sorts before what was claimed, after the clock was set back', async (t) => {
    const db = await openMemory()
    const queue = new JobQueue(db, { ...OPTIONS, visibilityMs: 1000 })
    let now = 1_000_000
    t.mock.method(Date, 'now', () => now)
    await queue.enqueue('a')
    assert.equal(queue.claim()?.job.payload, 'a')
    now -= 500_000
    await queue.enqueue('b')
    assert.equal(queue.nextDueMs(), 0)
    const claim = queue.claim()!
    assert.equal(claim.job.payload, 'b')
    assert.equal(queue.nextDueMs(), 1000)
    now -= 100_000
    assert.equal(queue.fail(claim, 'no'), true)
    assert.deepEqual([queue.nextDueMs(), queue.claim()?.job.payload, queue.claim()], [0, 'b', undefined])
    await db.close()
  })

  it('finds a job that was not yet written when a later one was claimed', async (t) => {
    const db = await openMemory()
    const queue = new JobQueue(db, { ...OPTIONS, retryMs: 10 })
    let now = 1_000_000
    t.mock.method(Date, 'now', () => now)
    await queue.enqueue('tried again')
    assert.equal(queue.fail(queue.claim()!, 'no'), true)
    now += 5
    const enqueued = queue.enqueue('on its way')
    now += 5
    assert.equal(queue.claim()?.job.payload, 'tried again')
    await enqueued
    assert.equal(queue.claim()?.job.payload, 'on its way')
    await db.close()
  })

  it('steps over no tombstones of jobs that are done', async () => {
    const db = await openMemory()
    const queue = new JobQueue(db, OPTIONS)
    for (let i = 0; i < 3; i++) await queue.enqueue(`${i}`)
    const lower: unknown[] = []
    const scanSync = db.scanSync.bind(db)
    db.scanSync = (options) => {
      lower.push(options?.gte)
      return scanSync(options)
    }
    const claims = [queue.claim()!, queue.claim()!, queue.claim()!]
    for (const claim of claims) queue.complete(claim, 'done')
    assert.equal(lower[0], 'due/')
    assert.deepEqual(
      lower.slice(1).map((key) => String(key) > 'due/'),
      [true, true],
    )
    await db.close()
  })

  it('gives a job to somebody else when its time is over, and refuses the result of who was too late', async () => {
    const db = await openMemory()
    const queue = new JobQueue(db, { ...OPTIONS, visibilityMs: 1 })
    const id = await queue.enqueue('slow')
    const late = queue.claim()!
    nextMillisecond()
    nextMillisecond()
    const patient = new JobQueue(db, OPTIONS)
    const next = patient.claim()!
    assert.deepEqual([next.job.id, next.job.attempts], [id, 2])
    assert.equal(queue.complete(late, 'too late'), false)
    assert.equal(queue.fail(late, 'too late'), false)
    assert.equal(patient.complete(next, 'in time'), true)
    assert.equal(patient.complete(next, 'twice'), false)
    assert.deepEqual([...queue.ended('done')], [[id, 'in time']])
    await db.close()
  })

  it('tries a job that fails again, and keeps it apart when it has failed too often', async () => {
    const db = await openMemory()
    const queue = new JobQueue(db, OPTIONS)
    const id = await queue.enqueue('impossible')
    for (let attempt = 1; attempt <= 3; attempt++) {
      const claim = queue.claim()!
      assert.equal(claim.job.attempts, attempt)
      assert.equal(queue.fail(claim, `error ${attempt}`), true)
    }
    assert.equal(queue.claim(), undefined)
    assert.equal(queue.nextDueMs(), undefined)
    assert.deepEqual([...queue.ended('dead')], [[id, 'error 3']])
    await db.close()
  })

  it('gives ids on where the last process stopped', async () => {
    const memory = new MemoryEnvironment()
    const db = await openMemory(memory)
    const first = await new JobQueue(db, OPTIONS).enqueue('a')
    await db.close()
    const again = await openMemory(memory)
    const second = await new JobQueue(again, OPTIONS).enqueue('b')
    assert.ok(second > first)
    await again.close()
  })

  it('loses no job that was acknowledged, whenever SIGKILL comes', async (t) => {
    for (const [jobs, killAfterLines] of [
      [50, 1],
      [50, 49],
      [50, 51],
      [50, 80],
    ] as const) {
      const directory = scratch(t)
      const acknowledged = await killed([directory, String(jobs)], killAfterLines)
      assert.ok(acknowledged.size > 0)
      const rest = spawnSync(process.execPath, [WORKERS, directory], { encoding: 'utf8', timeout: 60_000 })
      assert.equal(rest.status, 0, rest.stderr)
      const db = await open(directory)
      const results = new Map(new JobQueue(db, OPTIONS).ended('done'))
      for (const id of acknowledged) assert.equal(results.get(id), String(Number(id) ** 2), `job ${id}`)
      await db.close()
    }
  })
})

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'varve-job-queue-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Kill a process of workers once it has printed so many lines. @returns the ids of the jobs that it acknowledged */
function killed(args: readonly string[], lines: number): Promise<Set<string>> {
  const child = spawn(process.execPath, [WORKERS, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
    if (text.split('\n').length > lines) child.kill('SIGKILL')
  })
  return new Promise((resolve) => {
    child.on('close', () => resolve(new Set(Array.from(text.matchAll(/^enqueued (\d+)$/gm), ([, id]) => id))))
  })
}

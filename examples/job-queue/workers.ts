/**
 * workers: the process that works on the queue, and that main.ts kills. Opens the queue in the directory that it is given and lets
 * three workers claim jobs until there are none. A job's payload is a number, its result that number's square; now and then a
 * worker fails, as workers do.
 *
 *   node workers.js DIRECTORY [JOBS]   with JOBS, that many are enqueued first, and each is reported once it is acknowledged
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { open } from '../../src/public/index.ts'
import { type Claim, JobQueue } from './queue.ts'

const WORKERS = 3
const LONGEST_NAP_MS = 50

async function square({ job }: Claim): Promise<string> {
  await sleep(1)
  // Every seventh job fails at its first attempt.
  if (Number(job.payload) % 7 === 0 && job.attempts === 1) throw new Error('not in the mood')
  return String(Number(job.payload) ** 2)
}

async function work(queue: JobQueue): Promise<void> {
  for (let dueMs = queue.nextDueMs(); dueMs !== undefined; dueMs = queue.nextDueMs()) {
    const claim = queue.claim()
    if (claim === undefined) {
      await sleep(Math.min(dueMs, LONGEST_NAP_MS))
      continue
    }
    try {
      const result = await square(claim)
      if (!queue.complete(claim, result)) console.log(`late ${claim.job.id}`)
      else console.log(`done ${claim.job.id}`)
    } catch (error) {
      queue.fail(claim, (error as Error).message)
    }
  }
}

const [directory, jobs = '0'] = process.argv.slice(2)
const db = await open(directory)
const queue = new JobQueue(db, { visibilityMs: 500, attemptsMax: 5, retryMs: 10 })
const numbers = Array.from({ length: Number(jobs) }, (_, i) => i + 1)
await Promise.all(numbers.map(async (i) => console.log(`enqueued ${await queue.enqueue(String(i))}`)))
await Promise.all(Array.from({ length: WORKERS }, () => work(queue)))
await db.close()

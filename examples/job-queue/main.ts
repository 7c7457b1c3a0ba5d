/**
 * main: a queue of jobs whose process is killed in the middle of its work, and what the next process makes of it. Ends with
 * status 1 if a job that was acknowledged is lost, or has no right result.
 *
 *   npm run example:job-queue
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { open } from '../../src/public/index.ts'
import { JobQueue } from './queue.ts'

const JOBS = 200
const KILL_AFTER = 60

interface Life {
  readonly enqueued: number
  readonly done: number
  readonly signal: string | null
}

/** Let a process work; kill it once it has done so many jobs. */
async function live(args: readonly string[], killAfter: number): Promise<Life> {
  const program = fileURLToPath(new URL('./workers.js', import.meta.url))
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<string | null>((resolve) => child.on('exit', (_, signal) => resolve(signal)))
  let enqueued = 0
  let done = 0
  for await (const line of createInterface(child.stdout)) {
    if (line.startsWith('enqueued')) enqueued++
    else if (line.startsWith('done') && ++done === killAfter) child.kill('SIGKILL')
  }
  return { enqueued, done, signal: await ended }
}

const directory = mkdtempSync(join(tmpdir(), 'varve-job-queue-'))
try {
  const first = await live([directory, String(JOBS)], KILL_AFTER)
  console.log(`first process: ${first.enqueued} jobs enqueued, at least ${KILL_AFTER} done, then ${first.signal}`)
  const second = await live([directory], Number.POSITIVE_INFINITY)
  console.log(`second process: the rest, ${second.signal ?? 'to the end'}`)

  const db = await open(directory)
  const queue = new JobQueue(db, { visibilityMs: 0, attemptsMax: 0, retryMs: 0 })
  const done = [...queue.ended('done')]
  const right = done.filter(([id, result]) => Number(result) === Number(id) ** 2)
  const left = queue.nextDueMs() === undefined ? 'none left' : 'some left'
  console.log(`${done.length} of ${first.enqueued} jobs done, ${right.length} with the right result, ${left}`)
  await db.close()
  process.exitCode = right.length === first.enqueued && left === 'none left' ? 0 : 1
} finally {
  rmSync(directory, { recursive: true, force: true })
}

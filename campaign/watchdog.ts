/**
 * Watchdog: ends this process where a campaign does not come to its end. What goes round for ever in JavaScript lets no timer of its thread
 * run; so the watch is kept by another one, and ends the process by a signal, which takes no turn of the loop either.
 */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/** A campaign may take so much longer than planned: it ends what it has begun, on a machine that may have much else to do. */
const GRACE_MS = 10 * 60_000

const WATCH = `
  const { workerData: { afterMs, message } } = require('node:worker_threads')
  // A timer of more than 24 days would run at once.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, afterMs)
  require('node:fs').writeSync(2, message)
  process.kill(process.pid, 'SIGKILL')
`

/** @returns once the watch is kept: what to call when the campaign has come to its end */
export async function watch(
  name: string,
  plannedMs: number,
  graceMs: number = GRACE_MS,
): Promise<() => Promise<unknown>> {
  const message = `${name}: hangs, ${Math.round(graceMs / 1000)} s after its time; the process is killed\n`
  const worker = new Worker(WATCH, { eval: true, execArgv: [], workerData: { afterMs: plannedMs + graceMs, message } })
  // Threads and descriptors are what some campaigns count.
  await once(worker, 'online')
  worker.unref()
  return () => worker.terminate()
}

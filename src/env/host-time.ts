/**
 * host-time: the host's clock and timers, in Node.js as in a web page, as they were when varve was loaded. The fake timers of test
 * runners take the place of the global ones, and stand still: whatever the database puts off would never be done. They may have done so
 * before varve was loaded (Jest's `enableGlobally`, a setup file of Vitest); where they replace the globals alone, Node's own modules still have
 * the real ones.
 */
import type { Clock } from '../base/environment.ts'
import { sharedMemory } from '../base/shared-memory.ts'

/** The longest delay of a timer; a longer one fires at once. */
const MAX_DELAY_MS = 2 ** 31 - 1

/** Nobody notifies it. */
const SLEEP = new Int32Array(sharedMemory(4))

type Timers = Pick<typeof globalThis, 'setTimeout' | 'clearTimeout'> & { readonly setImmediate?: typeof setImmediate }

/** A web page has none, or what a bundler has put there. (Names without `node:` are nothing that a bundler would look for.) */
const host: Partial<Pick<NodeJS.Process, 'getBuiltinModule'>> | undefined = globalThis.process
const { performance } = host?.getBuiltinModule?.('perf_hooks') ?? globalThis
const timers: Timers = host?.getBuiltinModule?.('timers') ?? globalThis

const now = performance.now.bind(performance)
const { setTimeout: start, clearTimeout: stop, setImmediate: immediate } = timers

/** The date, too, as it was: what tests put in the place of `Date` often has no `now`, and a write that waits for room tells since when. */
const { now: wallNow } = Date

export const hostClock: Clock = { wallMs: () => wallNow(), monotonicMs: () => now() }

/** As `sleep` of an environment. */
export function hostSleep(durationMs: number): void {
  const limitMs = now() + durationMs
  try {
    Atomics.wait(SLEEP, 0, 0, durationMs)
  } catch {
    // The thread of a web page may not be blocked, other than by work.
    while (now() < limitMs);
  }
}

/** As `later` of an environment. */
export function hostLater(delayMs: number, task: () => void, keepAlive: boolean): () => void {
  // A number in a web page, which nothing keeps alive.
  const timer: NodeJS.Timeout | number = start(task, Math.min(delayMs, MAX_DELAY_MS))
  if (!keepAlive && typeof timer === 'object') timer.unref()
  return () => stop(timer)
}

/** As `soon` of an environment. A web page has no setImmediate, and its setTimeout waits 4 ms and more. */
export function hostSoon(task: () => void): void {
  if (immediate !== undefined) {
    immediate(task)
    return
  }
  const { port1, port2 } = new MessageChannel()
  const turned = (): void => {
    port1.close()
    task()
  }
  // The types of Node's ports lack it.
  Object.assign(port1, { onmessage: turned })
  port2.postMessage(undefined)
}

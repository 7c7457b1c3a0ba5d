/**
 * WebEnvironment: files in memory, and what every host of JavaScript has besides: a clock, timers and random numbers as the
 * web defines them. It runs in a web page and its workers as well as in Node.js, Bun and Deno, without any module of theirs.
 *
 * The files live as long as the environment: a database that was closed can be opened again on the same one. There are no
 * threads, so jobs run on the calling one, and no compressions but varve's own.
 */
import type { Clock, Environment, FileSystem, WorkerThread } from '../base/environment.ts'
import { hostClock, hostLater, hostSleep, hostSoon } from './host-time.ts'
import { MemoryFiles } from './memory-files.ts'
import { MemoryTree } from './memory-tree.ts'

/**
 * An environment whose files are in memory, empty at first: for tests, for what need not last, and for web pages. What is
 * written is as durable as the process. Of one thread; not shared.
 */
export function memoryEnvironment(): Environment {
  return new WebEnvironment()
}

class WebEnvironment implements Environment {
  readonly files: FileSystem = new MemoryFiles(new MemoryTree())
  readonly clock: Clock = hostClock
  readonly #random = new Uint32Array(1)

  random32(): number {
    return crypto.getRandomValues(this.#random)[0]
  }

  later(delayMs: number, task: () => void, keepAlive: boolean = false): () => void {
    return hostLater(delayMs, task, keepAlive)
  }

  /** The web has no such thing. */
  keepFromTransfer(): boolean {
    return false
  }

  sleep(durationMs: number): void {
    hostSleep(durationMs)
  }

  /** There is nobody who could notify. */
  waitWhile(words: Int32Array, index: number, value: number, timeoutMs: number): boolean {
    if (Atomics.load(words, index) !== value) return false
    this.sleep(timeoutMs)
    return true
  }

  soon(task: () => void): void {
    hostSoon(task)
  }

  publish(): void {}

  startWorker(): WorkerThread | undefined {
    return undefined
  }
}

/**
 * MemoryEnvironment: an environment in memory, the same on every run: files that know what is durable, a clock that stands
 * still, timers that run when told, numbers from a seed, and no threads. `crashImage` and `processCrashImage` are what a
 * power loss and a killed process leave of the files, as environments of their own, in which nothing is open or locked.
 */
import type { Clock, Codecs, Environment, WorkerThread } from '../base/environment.ts'
import { Prng } from '../base/prng.ts'
import type { Bytes } from '../base/types.ts'
import { type CrashMode, crashImage } from './crash-image.ts'
import { MemoryFiles } from './memory-files.ts'
import { MemoryTree } from './memory-tree.ts'
import { nodeCodecs } from './node-codecs.ts'

export interface MemoryEnvironmentOptions {
  /** Of random32; 0 by default. */
  readonly seed?: number
}

interface Timer {
  readonly dueMicros: number
  readonly task: () => void
}

/** 2026-01-01, in milliseconds since the epoch: when time begins. */
const START_WALL_MS = 1_767_225_600_000

export class MemoryEnvironment implements Environment {
  readonly files: MemoryFiles
  readonly clock: MemoryClock = new MemoryClock()
  readonly codecs: Codecs = nodeCodecs()
  readonly #seed: number
  readonly #prng: Prng
  #timers: Timer[] = []

  /** @param tree the files to begin with; none by default */
  constructor(options: MemoryEnvironmentOptions = {}, tree: MemoryTree = new MemoryTree()) {
    this.#seed = options.seed ?? 0
    this.#prng = new Prng(this.#seed)
    this.files = new MemoryFiles(tree)
  }

  random32(): number {
    return this.#prng.next32()
  }

  later(delayMs: number, task: () => void): () => void {
    const timer: Timer = { dueMicros: this.clock.micros + Math.round(delayMs * 1000), task }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** There are no other threads. */
  keepFromTransfer(): boolean {
    return true
  }

  /** Time passes at once; timers that come due in it run later, with runTimers. */
  sleep(durationMs: number): void {
    this.clock.advance(durationMs)
  }

  /** There is nobody who could notify. */
  waitWhile(words: Int32Array, index: number, value: number, timeoutMs: number): boolean {
    if (Atomics.load(words, index) !== value) return false
    this.clock.advance(timeoutMs)
    return true
  }

  soon(task: () => void): void {
    setImmediate(task)
  }

  publish(): void {}

  startWorker(): WorkerThread | undefined {
    return undefined
  }

  /** Timers that have neither run nor been cancelled. */
  get timerCount(): number {
    return this.#timers.length
  }

  /** Let time pass up to `untilMs` on the monotonic clock, and run each timer at its time, those that start meanwhile too. */
  runTimers(untilMs: number): void {
    const until = Math.round(untilMs * 1000)
    for (let timer = this.#nextTimer(until); timer !== undefined; timer = this.#nextTimer(until)) {
      this.#timers.splice(this.#timers.indexOf(timer), 1)
      this.clock.advanceTo(timer.dueMicros)
      timer.task()
    }
    this.clock.advanceTo(until)
  }

  /** What a power loss may leave; see {@link CrashMode}. All of it is durable. */
  crashImage(mode: CrashMode, prng: Prng): MemoryEnvironment {
    return this.#successor(crashImage(this.files.tree, mode, prng), prng.next32())
  }

  /** What a killed process leaves: everything it wrote, and what was not durable still is not. */
  processCrashImage(): MemoryEnvironment {
    return this.#successor(this.files.tree.clone(), this.#seed)
  }

  /** The bytes of a file, durable or not, as a copy. */
  readAll(path: string): Uint8Array<ArrayBuffer> {
    return this.files.readAll(path)
  }

  /** Place a file with these bytes, durable; its directories are made. What has the name is replaced. */
  write(path: string, bytes: Bytes): void {
    this.files.write(path, bytes)
  }

  /** The paths of all files, sorted, each in the form `/a/b`. */
  paths(): string[] {
    const { live } = this.files.tree
    return [...live.keys()].filter((path) => live.get(path) !== 'directory').sort()
  }

  /** From now on, no syncLater ends before releaseSyncs. */
  holdSyncs(): void {
    this.files.holdSyncs()
  }

  /** End the held syncs, in their order, and hold no more. */
  releaseSyncs(): void {
    this.files.releaseSyncs()
  }

  #nextTimer(until: number): Timer | undefined {
    let next: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.dueMicros <= until && (next === undefined || timer.dueMicros < next.dueMicros)) next = timer
    }
    return next
  }

  /** Draws nothing from this environment's own numbers: looking at a crash must not change the run. */
  #successor(tree: MemoryTree, seed: number): MemoryEnvironment {
    const successor = new MemoryEnvironment({ seed }, tree)
    successor.clock.advanceTo(this.clock.micros)
    return successor
  }
}

/** A clock that advances when told, and by a microsecond each time it is read. */
class MemoryClock implements Clock {
  #micros = 0

  wallMs(): number {
    return START_WALL_MS + Math.floor(this.#micros++ / 1000)
  }

  monotonicMs(): number {
    return this.#micros++ / 1000
  }

  /** The time in microseconds since the start; looking does not count as a reading. */
  get micros(): number {
    return this.#micros
  }

  advance(milliseconds: number): void {
    this.#micros += Math.round(milliseconds * 1000)
  }

  /** Never goes back. */
  advanceTo(micros: number): void {
    this.#micros = Math.max(this.#micros, micros)
  }
}

/**
 * SimEnvironment: an environment in which everything is decided by a Scheduler: files in memory that know what is durable,
 * whose calls are counted, traced, made to fail, or made the last of a process; syncs that end when they end; timers; and worker
 * threads that are actors.
 *
 * The hook `beforeCall` sees each file-system call of the process before it happens, its worker threads' too: the tree is then
 * what a crash at this moment would find.
 */
import type { Clock, Codecs, Environment, WorkerThread } from '../../src/base/environment.ts'
import { Prng } from '../../src/base/prng.ts'
import { MemoryFiles } from '../../src/env/memory-files.ts'
import { MemoryTree } from '../../src/env/memory-tree.ts'
import { nodeCodecs } from '../../src/env/node-codecs.ts'
import type { Fault, FileCall } from '../../test/support/fault-call.ts'
import { FaultEnvironment } from '../../test/support/fault-env.ts'
import type { Scheduler, Source } from './scheduler.ts'
import { SimWorker } from './sim-worker.ts'

/** Where the database of a simulation is. */
export const DIRECTORY = '/db'

/** A thread that dies does so before one of so many file-system calls. */
const DEATH_CALLS = 30

export interface SimOptions {
  readonly tree?: MemoryTree
  /** Sees each call before it happens, and may make it fail. */
  readonly beforeCall?: (call: FileCall) => Fault | undefined
  readonly stopAt?: number
  readonly countReads?: boolean
  /** One worker thread in so many dies after some file-system calls of its own; none by default. */
  readonly deathOdds?: number
}

export class SimEnvironment extends FaultEnvironment {
  readonly tree: MemoryTree
  readonly memoryFiles: MemoryFiles
  readonly #scheduler: Scheduler
  readonly #deathOdds: number
  readonly #workers: SimWorker[] = []

  constructor(scheduler: Scheduler, options: SimOptions = {}) {
    const host = new SimHost(scheduler, options.tree ?? new MemoryTree())
    super(host, {
      directory: DIRECTORY,
      countReads: options.countReads ?? false,
      stopAt: options.stopAt ?? Number.POSITIVE_INFINITY,
      faultAt: (call) => {
        scheduler.trace.add(this.takeCalls()[0])
        const fault = options.beforeCall?.(call)
        if (fault !== undefined) scheduler.trace.add(fault.code)
        return fault
      },
    })
    this.tree = host.files.tree
    this.memoryFiles = host.files
    this.#scheduler = scheduler
    this.#deathOdds = options.deathOdds ?? 0
  }

  override startWorker(): WorkerThread {
    const { prng } = this.#scheduler
    const dies = this.#deathOdds > 0 && prng.below(this.#deathOdds) === 0
    const worker = new SimWorker(this.#scheduler, this, dies ? prng.below(DEATH_CALLS) : Number.POSITIVE_INFINITY)
    this.#workers.push(worker)
    return worker
  }

  /** Worker threads that have died of themselves. */
  get deaths(): number {
    return this.#workers.filter((worker) => worker.isDead).length
  }
}

/** What the process runs on. */
class SimHost implements Environment {
  readonly files: SimFiles
  readonly clock: Clock
  readonly codecs: Codecs = nodeCodecs()
  readonly #scheduler: Scheduler
  /** Of its own: what a process draws changes nothing in the order of events. */
  readonly #prng: Prng

  constructor(scheduler: Scheduler, tree: MemoryTree) {
    this.#scheduler = scheduler
    this.#prng = new Prng(scheduler.prng.next32())
    this.files = new SimFiles(tree, scheduler)
    // A clock that stood still while it is read would have loops wait for ever.
    this.clock = { wallMs: () => scheduler.wallMs, monotonicMs: () => scheduler.micros++ / 1000 }
  }

  random32(): number {
    return this.#prng.next32()
  }

  later(delayMs: number, task: () => void): () => void {
    return this.#scheduler.later(delayMs, task)
  }

  keepFromTransfer(): boolean {
    return true
  }

  publish(): void {}

  sleep(durationMs: number): void {
    this.#scheduler.block(durationMs, () => false)
  }

  waitWhile(words: Int32Array, index: number, value: number, timeoutMs: number): boolean {
    return this.#scheduler.block(timeoutMs, () => Atomics.load(words, index) !== value)
  }

  soon(task: () => void): void {
    this.#scheduler.soon(task)
  }

  startWorker(): WorkerThread | undefined {
    return undefined
  }
}

/** Syncs off the thread end at a time, and in an order, of the scheduler's. */
class SimFiles extends MemoryFiles {
  readonly #syncs: (() => void)[] = []
  #isHeld = false

  constructor(tree: MemoryTree, scheduler: Scheduler) {
    super(tree)
    const source: Source = {
      name: 'synced',
      isThread: false,
      isReady: () => this.#syncs.length > 0 && !this.#isHeld,
      run: () => this.#syncs.splice(scheduler.prng.below(this.#syncs.length), 1)[0](),
    }
    scheduler.add(source)
  }

  override holdSyncs(): void {
    this.#isHeld = true
  }

  override releaseSyncs(): void {
    this.#isHeld = false
  }

  override whenSyncEnds(task: () => void): Promise<void> {
    return new Promise((resolve) => {
      this.#syncs.push(() => {
        task()
        resolve()
      })
    })
  }
}

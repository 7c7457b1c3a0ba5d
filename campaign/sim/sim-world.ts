/**
 * SimWorld: the world of a model run (test/model/) in a simulation: its crashes happen before any file-system call, and leave
 * whatever a disk may hold.
 */
import { Prng } from '../../src/base/prng.ts'
import { CRASH_MODES, crashImage } from '../../src/env/crash-image.ts'
import type { MemoryTree } from '../../src/env/memory-tree.ts'
import type { CrashKind } from '../../test/model/history.ts'
import type { World } from '../../test/model/world.ts'
import type { Scheduler } from './scheduler.ts'
import { DIRECTORY, SimEnvironment } from './sim-environment.ts'

/** One pause in so many is a long one, in which threads that have nothing to do are ended. */
const LONG_ODDS = 4
const LONG_MS = 70_000

export class SimWorld implements World {
  readonly environment: SimEnvironment
  readonly directory: string = DIRECTORY
  readonly workers: number
  readonly crashes: readonly CrashKind[] = ['process', 'power']
  readonly #scheduler: Scheduler
  #callsLeft = -1
  #task: () => void = () => {}

  constructor(scheduler: Scheduler, workers: number, tree?: MemoryTree) {
    this.#scheduler = scheduler
    this.workers = workers
    const beforeCall = (): undefined => {
      if (this.#callsLeft-- === 0) this.#task()
    }
    this.environment = new SimEnvironment(scheduler, { beforeCall, ...(tree !== undefined && { tree }) })
  }

  crash(kind: CrashKind, seed: number): World {
    const { tree } = this.environment
    const mode = CRASH_MODES[seed % CRASH_MODES.length]
    const image = kind === 'process' ? tree.clone() : crashImage(tree, mode, new Prng(seed))
    return new SimWorld(this.#scheduler, this.workers, image)
  }

  beforeCall(calls: number, task: () => void): void {
    this.#callsLeft = calls
    this.#task = task
  }

  pass(milliseconds: number): Promise<void> {
    const isLong = this.#scheduler.prng.below(LONG_ODDS) === 0
    return new Promise((resolve) => this.#scheduler.later(isLong ? LONG_MS : milliseconds, resolve))
  }

  holdSyncs(): void {
    this.environment.memoryFiles.holdSyncs()
  }

  releaseSyncs(): void {
    this.environment.memoryFiles.releaseSyncs()
  }

  dispose(): void {}
}

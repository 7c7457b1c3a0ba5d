/**
 * World: where a database of the model tests lives, and how it crashes: in memory, where the moment of a crash can be any
 * file-system call and power can be lost; or on the real file system, with a worker thread.
 */
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Environment } from '../../src/base/environment.ts'
import { Prng } from '../../src/base/prng.ts'
import { CRASH_MODES, type CrashMode } from '../../src/env/crash-image.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { nodeEnvironment } from '../../src/env/node-env.ts'
import { FaultEnvironment } from '../support/fault-env.ts'
import type { CrashKind } from './history.ts'

export interface World {
  readonly environment: Environment
  readonly directory: string
  readonly workers: number
  /** Kinds of crash that this world has. */
  readonly crashes: readonly CrashKind[]
  /** What a crash at this moment leaves, as a world of its own. @param seed decides what survives */
  crash(kind: CrashKind, seed: number): World
  /** Call `task` once, just before the file-system call after the next `calls` ones. Not every world can. */
  beforeCall(calls: number, task: () => void): void
  /** Let timers run that are due within so many milliseconds. */
  pass(milliseconds: number): Promise<void>
  holdSyncs(): void
  releaseSyncs(): void
  dispose(): void
}

export class MemoryWorld implements World {
  readonly environment: Environment
  readonly directory = '/db'
  readonly workers = 0
  readonly crashes: readonly CrashKind[] = ['process', 'power']
  readonly #memory: MemoryEnvironment
  #callsLeft = -1
  #task: () => void = () => {}

  readonly #modes: readonly CrashMode[]

  /** @param modes what a loss of power may do; anything by default */
  constructor(modes: readonly CrashMode[] = CRASH_MODES, memory: MemoryEnvironment = new MemoryEnvironment()) {
    this.#modes = modes
    this.#memory = memory
    const faultAt = (): undefined => {
      if (this.#callsLeft-- === 0) this.#task()
    }
    this.environment = new FaultEnvironment(memory, { directory: this.directory, faultAt })
  }

  crash(kind: CrashKind, seed: number): World {
    const mode = this.#modes[seed % this.#modes.length]
    const image = kind === 'process' ? this.#memory.processCrashImage() : this.#memory.crashImage(mode, new Prng(seed))
    return new MemoryWorld(this.#modes, image)
  }

  beforeCall(calls: number, task: () => void): void {
    this.#callsLeft = calls
    this.#task = task
  }

  pass(milliseconds: number): Promise<void> {
    this.#memory.runTimers(this.#memory.clock.monotonicMs() + milliseconds)
    return Promise.resolve()
  }

  holdSyncs(): void {
    this.#memory.holdSyncs()
  }

  releaseSyncs(): void {
    this.#memory.releaseSyncs()
  }

  dispose(): void {}
}

export class NodeWorld implements World {
  readonly environment: Environment = nodeEnvironment()
  readonly directory: string
  readonly workers = 2
  readonly crashes: readonly CrashKind[] = ['process']

  constructor(directory: string = mkdtempSync(join(tmpdir(), 'varve-model-'))) {
    this.directory = directory
  }

  /**
   * The directory as the process left it; the database's thread is here, so nothing but a table can be half written. Its
   * worker may be removing files that nobody needs any more.
   */
  crash(): World {
    const copy = mkdtempSync(join(tmpdir(), 'varve-model-'))
    for (const name of readdirSync(this.directory)) {
      if (name !== 'LOCK') copyIfThere(join(this.directory, name), join(copy, name))
    }
    return new NodeWorld(copy)
  }

  beforeCall(): void {}

  pass(milliseconds: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, milliseconds))
  }

  holdSyncs(): void {}

  releaseSyncs(): void {}

  dispose(): void {
    rmSync(this.directory, { recursive: true, force: true })
  }
}

function copyIfThere(from: string, to: string): void {
  try {
    copyFileSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

/**
 * NodeEnvironment: files, clock, randomness, timers and threads of Node.js. Here and in its neighbours `node-*` is all of
 * the engine that touches the operating system.
 */

import { AsyncResource } from 'node:async_hooks'
import { channel } from 'node:diagnostics_channel'
import { markAsUntransferable } from 'node:worker_threads'
import type { Clock, Codecs, Environment, FileSystem, Ports, WorkerThread } from '../base/environment.ts'
import { InvalidArgumentError } from '../base/errors.ts'
import { checkCallOptions } from '../base/known-options.ts'
import { hostClock, hostLater, hostSleep, hostSoon } from './host-time.ts'
import { nodeCodecs } from './node-codecs.ts'
import { type FileModes, NodeFiles } from './node-files.ts'
import { nodePorts } from './node-port.ts'
import { checkWorkerProgram, startWorkerThread } from './node-worker.ts'

/**
 * Where threads and timers are made: in no request of the program. They would keep the one that was the first to need them (its
 * AsyncLocalStorage) for as long as they live, and what they do for all others would run, and be logged, as a part of it. (A program
 * that imports varve within a request has all of that in this one: there is no way out of it.)
 */
const background = new AsyncResource('varve')

/** Options of `nodeEnvironment`. */
export interface NodeEnvironmentOptions {
  /** Permissions of directories that are made, less the umask; 0o700 by default. */
  readonly directoryMode?: number | undefined
  /** Permissions of files that are made, less the umask; 0o600 by default. */
  readonly fileMode?: number | undefined
  /**
   * The program of varve's worker threads: where a bundler has put the module `varve/worker`. Default: the module's own
   * place beside the engine; if it is not there, as in a bundle of one file, jobs run on the calling thread.
   */
  readonly worker?: URL | undefined
}

/**
 * An environment on the operating system; each thread makes its own.
 * @throws InvalidArgumentError if an option is unknown or not of its form, or there is no file where `worker` says
 */
export function nodeEnvironment(options: NodeEnvironmentOptions = {}): Environment {
  checkOptions(options)
  const { directoryMode = 0o700, fileMode = 0o600, worker } = options
  if (worker !== undefined) checkWorkerProgram(worker)
  return new NodeEnvironment({ directoryMode, fileMode }, worker)
}

const MODES = ['directoryMode', 'fileMode'] as const
const KNOWN: ReadonlySet<string> = new Set([...MODES, 'worker'])
/** A mode in decimal is more than this. */
const MODE_MAX = 0o777

function checkOptions(options: NodeEnvironmentOptions): void {
  checkCallOptions('nodeEnvironment', options, KNOWN)
  for (const name of MODES) {
    const mode = options[name]
    if (mode !== undefined && !(Number.isInteger(mode) && mode >= 0 && mode <= MODE_MAX))
      throw new InvalidArgumentError(`option ${name} must be an integer from 0 to 0o777, not ${String(mode)}`)
  }
}

class NodeEnvironment implements Environment {
  readonly files: FileSystem
  readonly clock: Clock = hostClock
  readonly codecs: Codecs = nodeCodecs()
  readonly ports: Ports = nodePorts
  readonly #modes: FileModes
  readonly #worker: URL | undefined
  readonly #random = new Uint32Array(1)

  constructor(modes: FileModes, worker: URL | undefined) {
    this.#modes = modes
    this.#worker = worker
    this.files = new NodeFiles(modes)
  }

  random32(): number {
    return crypto.getRandomValues(this.#random)[0]
  }

  later(delayMs: number, task: () => void, keepAlive: boolean = false): () => void {
    return background.runInAsyncScope(() => hostLater(delayMs, task, keepAlive))
  }

  keepFromTransfer(buffer: ArrayBuffer): boolean {
    markAsUntransferable(buffer)
    return true
  }

  sleep(durationMs: number): void {
    hostSleep(durationMs)
  }

  waitWhile(words: Int32Array, index: number, value: number, timeoutMs: number): boolean {
    return Atomics.wait(words, index, value, timeoutMs) === 'timed-out'
  }

  soon(task: () => void): void {
    hostSoon(task)
  }

  publish(name: string, detail: object): void {
    const subscribers = channel(name)
    if (subscribers.hasSubscribers) subscribers.publish(detail)
  }

  startWorker(isPatient: boolean = false): WorkerThread | undefined {
    return background.runInAsyncScope(() => startWorkerThread({ modes: this.#modes, isPatient }, this.#worker))
  }
}

/**
 * NodeWorkerThread: a thread of node:worker_threads that runs varve's worker program.
 *
 * Messages go over a port of their own and not over the Worker itself, since only a port can be emptied by hand
 * (receiveMessageOnPort) while the owner's thread sleeps in Atomics.wait and no event gets in.
 *
 * The program finds in its workerData: `port`, its end of the channel, `start`, in which it says that it has begun, and WorkerData.
 *
 * A thread that has not begun yet is not ended in the midst of loading its modules, since Node would not close the files that it was
 * about to open: it is called off, and ends by itself once it has loaded them, without having looked at its port.
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker, type WorkerOptions } from 'node:worker_threads'
import type { WorkerThread } from '../base/environment.ts'
import { InvalidArgumentError, IOError } from '../base/errors.ts'
import { hostLater } from './host-time.ts'
import type { FileModes } from './node-files.ts'
import { callOff, threadStart } from './thread-start.ts'

/** Loading takes a tenth of a second, and on a machine that is very busy one or two. */
const LOADING_MS = 5000

export interface WorkerData {
  /** Permissions of files that it makes. */
  readonly modes: FileModes
  /** To lower its priority (node-priority.ts). */
  readonly isPatient: boolean
}

/**
 * Start varve's worker program.
 * @param program where it is, if not beside this module; by checkWorkerProgram
 * @throws IOError if that cannot be: the program is not there (a bundle without it, or sources that run without being compiled),
 *   threads are not permitted (`node --permission`), or the system has none left
 */
export function startWorkerThread(data: WorkerData, program: URL | undefined = ownProgram()): WorkerThread {
  // A Worker reports a missing program only later, when it has been given jobs.
  if (program === undefined || !existsSync(program)) throw noProgram(program)
  const { port1, port2 } = new MessageChannel()
  const start = threadStart()
  try {
    return new NodeWorkerThread(new Worker(program, workerOptions(port2, start, data)), port1, start)
  } catch (error) {
    port1.close()
    throw new IOError(`no worker thread can be started (${(error as Error).message})`, { cause: error })
  }
}

function noProgram(program: URL | undefined): IOError {
  const file = program?.protocol === 'file:' ? fileURLToPath(program) : program?.href
  const why = file === undefined ? 'a bundle of CommonJS does not know where its program is' : `there is no ${file}`
  const how = 'nodeEnvironment({ worker }) says where a bundler has put varve/worker (docs/runtimes.md, "Bundles")'
  return new IOError(`no worker thread can be started: ${why}; ${how}`, file === undefined ? {} : { file })
}

/**
 * The name is put together, so that no bundler takes the module, without what it imports, for a file to be copied.
 * @returns undefined in a bundle of CommonJS, which does not know where it is
 */
function ownProgram(): URL | undefined {
  const here: string | undefined = import.meta.url
  return here === undefined ? undefined : new URL(['..', 'worker', 'worker-main.js'].join('/'), here)
}

/** @throws InvalidArgumentError unless a worker program may be there */
export function checkWorkerProgram(program: URL): void {
  if (!(program instanceof URL) || program.protocol !== 'file:')
    throw new InvalidArgumentError(`option worker must be the URL of a file, not ${String(program)}`)
  if (!existsSync(program)) throw new InvalidArgumentError(`option worker: there is no file ${program.href}`)
}

/**
 * Jobs leave next to no objects behind, but memory outside the heap, which is not freed before a collection. With a young generation of the
 * usual 48 MiB these come so seldom that a worker holds tens of megabytes that nobody uses: 80 MiB less with 3, at no cost that shows.
 */
const YOUNG_GENERATION_MIB = 3

/** How a worker is started that is given `port` and `start`. No execArgv: the owner's `--input-type` or `--import` are not for it. */
export function workerOptions(port: MessagePort, start: Int32Array, data: object): WorkerOptions {
  const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_GENERATION_MIB }
  return { name: 'varve', workerData: { ...data, port, start }, transferList: [port], execArgv: [], resourceLimits }
}

export class NodeWorkerThread implements WorkerThread {
  readonly #worker: Worker
  readonly #port: MessagePort
  readonly #start: Int32Array
  readonly #exit: Promise<void>
  #keep = false
  #error: Error | undefined = undefined
  #messageHandler: ((message: unknown) => void) | undefined = undefined
  #exitHandler: ((error: Error | undefined) => void) | undefined = undefined
  #ended = false

  /**
   * @param port the owner's end of the channel whose other end the worker has
   * @param start the worker's
   */
  constructor(worker: Worker, port: MessagePort, start: Int32Array) {
    this.#worker = worker
    this.#port = port
    this.#start = start
    worker.on('error', (error) => {
      this.#error = error instanceof Error ? error : new Error(String(error))
    })
    this.#exit = new Promise((resolve) => {
      worker.on('exit', () => {
        this.#exited()
        resolve()
      })
    })
    // An answer that cannot be read would be waited for in vain.
    port.on('messageerror', (error) => {
      this.#error = error
      void worker.terminate()
    })
    this.keepAlive(false)
  }

  post(message: unknown): void {
    this.#port.postMessage(message)
  }

  onMessage(handler: (message: unknown) => void): void {
    if (this.#messageHandler === undefined) this.#port.on('message', (message) => this.#messageHandler?.(message))
    this.#messageHandler = handler
    // Listening makes Node keep the process alive.
    this.keepAlive(this.#keep)
  }

  onExit(handler: (error: Error | undefined) => void): void {
    this.#exitHandler = handler
  }

  receiveNow(): unknown {
    return receiveMessageOnPort(this.#port)?.message
  }

  keepAlive(keep: boolean): void {
    this.#keep = keep
    if (keep) {
      this.#worker.ref()
      this.#port.ref()
    } else {
      this.#worker.unref()
      this.#port.unref()
    }
  }

  callOff(): boolean {
    return callOff(this.#start)
  }

  /** End the thread; neither a message nor its exit is reported any more. */
  terminate(): Promise<unknown> {
    this.#ended = true
    this.#messageHandler = undefined
    this.#port.close()
    return this.callOff() ? this.#loaded() : this.#worker.terminate()
  }

  /** It ends by itself, unless it cannot load. Whoever waits for that is waited for, as by Node's own `terminate`. */
  #loaded(): Promise<unknown> {
    this.#worker.ref()
    this.#worker.on(
      'exit',
      hostLater(LOADING_MS, () => void this.#worker.terminate(), false),
    )
    return this.#exit
  }

  /** Answers may have been posted just before the end, and not been delivered. */
  #exited(): void {
    if (this.#ended) return
    for (let m = receiveMessageOnPort(this.#port); m !== undefined; m = receiveMessageOnPort(this.#port)) {
      this.#messageHandler?.(m.message)
    }
    this.#ended = true
    this.#port.close()
    this.#exitHandler?.(this.#error)
  }
}

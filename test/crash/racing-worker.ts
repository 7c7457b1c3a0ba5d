/**
 * RacingWorkers: worker threads that are none, for the times at which their syncs of the directory can begin, fail and be told of beside
 * whatever the database's thread does. They advance by steps, and may do so in the midst of that thread's calls and waits; so the
 * calls of both overlap as those of threads do, and the same way on every run.
 *
 * A sync of the directory takes several steps: it is announced, takes effect, is counted if it failed, ends; then the job is answered. The rest
 * of its job is done in the first of them, since nobody else can tell. A thread may die in between, which is heard of later.
 */
import { bytewiseComparator } from '../../src/base/comparator.ts'
import type { Clock, WorkerThread } from '../../src/base/environment.ts'
import { type IOError, toWire } from '../../src/base/errors.ts'
import type { Prng } from '../../src/base/prng.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { DirectorySyncs } from '../../src/worker/directory-syncs.ts'
import { JobRunner } from '../../src/worker/job-runner.ts'
import { type AnswerMessage, BELL, type OpenedMessage, type RunMessage } from '../../src/worker/messages.ts'
import { FaultEnvironment, type FaultEnvironmentOptions } from '../support/fault-env.ts'
import { MailboxThread } from '../support/mailbox-thread.ts'

/** Of a thousand steps within a sync. */
const DEATHS = 50
/** Of a hundred moments at which threads may have gone on: by a step, or more. */
const RACES = 60

export interface SyncOutcomes {
  readonly prng: Prng
  /** Why the sync of the directory that begins is going to fail, if it is. */
  failure(directory: string): IOError | undefined
  /** That sync loses names now. */
  loseNames(): void
}

class RacingWorker extends MailboxThread {
  readonly #environment: MemoryEnvironment
  readonly #outcomes: SyncOutcomes
  readonly #runner: JobRunner
  /** What follows of a sync of the directory, and with it of its job. */
  readonly #next: (() => void)[] = []
  #isEnded = false
  #message: RunMessage | undefined = undefined

  constructor(memory: MemoryEnvironment, outcomes: SyncOutcomes) {
    super()
    this.#outcomes = outcomes
    // The same files; the calls of its own.
    this.#environment = new MemoryEnvironment({}, memory.files.tree)
    this.#environment.files.syncDirectory = (directory) => this.#sync(directory)
    this.#runner = new JobRunner(
      this.#environment,
      bytewiseComparator,
      (id, error, result) =>
        this.#post(result === undefined ? { type: 'failed', id, error: toWire(error) } : { type: 'done', id, result }),
      (id, number, outline) => this.#post({ type: 'opened', id, number, outline }),
    )
  }

  /** @returns whether there was anything to do */
  advance(): boolean {
    if (this.#isEnded) return false
    const next = this.#next.shift()
    const message = next === undefined ? this.inbox.shift() : undefined
    if (next !== undefined && this.#outcomes.prng.below(1000) < DEATHS) this.#die()
    else if (next !== undefined) next()
    else if (message !== undefined) {
      this.#message = message
      this.#runner.add(message.id, message.job)
    } else if (this.#runner.hasWork) this.#runner.step()
    else return false
    return true
  }

  override terminate(): Promise<unknown> {
    this.#isEnded = true
    this.messageHandler = () => {}
    this.exitHandler = () => {}
    return Promise.resolve()
  }

  #sync(directory: string): void {
    const { memory, number } = this.#syncs()
    const syncs = new DirectorySyncs(undefined, memory)
    const failure = this.#outcomes.failure(directory)
    const effect = (): void => {
      if (failure === undefined) this.#environment.files.tree.syncDirectory(directory)
      else this.#outcomes.loseNames()
    }
    syncs.begin(number)
    if (this.#outcomes.prng.below(2) === 0) effect()
    else this.#next.push(effect)
    if (failure !== undefined) this.#next.push(() => syncs.failed())
    this.#next.push(() => syncs.end(number))
    if (failure !== undefined) throw failure
  }

  #syncs(): { memory: SharedArrayBuffer; number: number } {
    const { syncs: memory, thread: number } = this.#message as RunMessage
    return { memory, number }
  }

  #post(message: AnswerMessage | OpenedMessage): void {
    const copy = structuredClone(message)
    const post = (): void => {
      this.outbox.push(copy)
      const words = new Int32Array((this.#message as RunMessage).signals)
      Atomics.add(words, BELL, 1)
      setImmediate(() => {
        const first = this.outbox.shift()
        if (first !== undefined) this.messageHandler(first)
      })
    }
    if (this.#next.length === 0) post()
    else this.#next.push(post)
  }

  #die(): void {
    this.#isEnded = true
    setImmediate(() => {
      for (let first = this.outbox.shift(); first !== undefined; first = this.outbox.shift()) this.messageHandler(first)
      this.exitHandler(new Error('the thread has died'))
    })
  }
}

/** Files in memory, and threads for the jobs of a database, which advance when they are told to, and while it waits. */
export class RacingEnvironment extends FaultEnvironment {
  override readonly clock: Clock
  readonly #memory: MemoryEnvironment
  readonly #outcomes: SyncOutcomes
  readonly #workers: RacingWorker[] = []

  constructor(memory: MemoryEnvironment, options: FaultEnvironmentOptions, outcomes: SyncOutcomes) {
    super(memory, options)
    this.#memory = memory
    this.#outcomes = outcomes
    const { createWritable, rename, syncDirectory } = this.files
    this.files.createWritable = (path) => this.#raced(createWritable.call(this.files, path))
    this.files.rename = (from, to) => this.#raced(rename.call(this.files, from, to))
    this.files.syncDirectory = (directory) => this.#raced(syncDirectory.call(this.files, directory))
    this.clock = {
      wallMs: () => memory.clock.wallMs(),
      monotonicMs: () => this.#raced(memory.clock.monotonicMs()),
    }
  }

  /** Threads may have gone on here. */
  race(): void {
    while (this.#outcomes.prng.below(100) < RACES && this.advance());
  }

  /** A step of one of them. @returns whether there was any */
  advance(): boolean {
    const first = this.#outcomes.prng.below(Math.max(1, this.#workers.length))
    for (let i = 0; i < this.#workers.length; i++) {
      if (this.#workers[(first + i) % this.#workers.length].advance()) return true
    }
    return false
  }

  #raced<R>(result: R): R {
    this.race()
    return result
  }

  override startWorker(): WorkerThread {
    const worker = new RacingWorker(this.#memory, this.#outcomes)
    this.#workers.push(worker)
    return worker
  }

  override readonly waitWhile: FaultEnvironment['waitWhile'] = (words, index, value, timeoutMs) => {
    while (Atomics.load(words, index) === value) {
      if (this.advance()) continue
      this.#memory.clock.advance(Math.min(timeoutMs, 1e6))
      return true
    }
    return false
  }
}

/**
 * A worker thread that is none: varve's own job runner on this thread, as the event loop turns; so that what it does is the same on
 * every run, and can be made to fail.
 */
import { bytewiseComparator } from '../../src/base/comparator.ts'
import type { Environment, WorkerThread } from '../../src/base/environment.ts'
import { toWire } from '../../src/base/errors.ts'
import type { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { JobRunner } from '../../src/worker/job-runner.ts'
import type { AnswerMessage, OpenedMessage, RunMessage } from '../../src/worker/messages.ts'
import { FaultEnvironment } from '../support/fault-env.ts'
import { MailboxThread } from '../support/mailbox-thread.ts'

class ActorWorker extends MailboxThread {
  readonly #runner: JobRunner
  #isEnded = false

  constructor(environment: Environment) {
    super()
    this.#runner = new JobRunner(
      environment,
      bytewiseComparator,
      (id, error, result) => {
        this.#answer(result === undefined ? { type: 'failed', id, error: toWire(error) } : { type: 'done', id, result })
      },
      (id, number, outline) => this.#answer({ type: 'opened', id, number, outline }),
    )
  }

  override post(message: unknown): void {
    const { id, job } = structuredClone(message) as RunMessage
    this.#soon(() => {
      this.#runner.add(id, job)
      this.#advance()
    })
  }

  override terminate(): Promise<unknown> {
    this.#isEnded = true
    return Promise.resolve()
  }

  #advance(): void {
    if (!this.#runner.hasWork) return
    this.#soon(() => {
      this.#runner.step()
      this.#advance()
    })
  }

  #answer(message: AnswerMessage | OpenedMessage): void {
    this.outbox.push(structuredClone(message))
    this.#soon(() => {
      const next = this.outbox.shift()
      if (next !== undefined) this.messageHandler(next)
    })
  }

  #soon(task: () => void): void {
    setImmediate(() => {
      if (!this.#isEnded) task()
    })
  }
}

/** Files in memory, on which a database's own thread and its workers have their calls counted apart. */
export class ActorEnvironment extends FaultEnvironment {
  readonly worker: FaultEnvironment

  constructor(memory: MemoryEnvironment, directory: string) {
    super(memory, { directory, countReads: true })
    this.worker = new FaultEnvironment(memory, { directory, countReads: true })
  }

  override startWorker(): WorkerThread {
    return new ActorWorker(this.worker)
  }
}

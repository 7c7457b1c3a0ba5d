/**
 * SimWorker: a worker thread as an actor: varve's own job runner, on the scheduler's time. It takes a message, or does a slice of a
 * compaction, when the scheduler lets it; its answers arrive at times of the scheduler's, in their order. It may die before
 * any of its file-system calls: then nothing more of what it was about to do happens.
 *
 * Limit  a flush, and a slice of a compaction, is one event: the main thread does nothing in the middle of it. (A crash does.)
 */
import { bytewiseComparator } from '../../src/base/comparator.ts'
import type { Environment } from '../../src/base/environment.ts'
import { toWire } from '../../src/base/errors.ts'
import { JobRunner } from '../../src/worker/job-runner.ts'
import { type AnswerMessage, BELL, type JobResult, type RunMessage, STOP } from '../../src/worker/messages.ts'
import { CrashedError, FaultEnvironment } from '../../test/support/fault-env.ts'
import { MailboxThread } from '../../test/support/mailbox-thread.ts'
import type { Scheduler, Source } from './scheduler.ts'

export class SimWorker extends MailboxThread {
  readonly #scheduler: Scheduler
  /** That of the thread; stopped for ever when it dies. */
  readonly #environment: FaultEnvironment
  readonly #runner: JobRunner
  readonly #sources: readonly Source[]
  isDead = false
  #signals: Int32Array | undefined = undefined

  /**
   * @param process what the thread is a part of
   * @param dieAt the index of the file-system call before which the thread dies; Infinity: never
   */
  constructor(scheduler: Scheduler, process: Environment, dieAt: number) {
    super()
    this.#scheduler = scheduler
    this.#environment = new FaultEnvironment(process, { stopAt: dieAt })
    this.#runner = new JobRunner(
      this.#environment,
      bytewiseComparator,
      (id, error, result) => this.#answer(id, error, result),
      (id, number, outline) => this.outbox.push(structuredClone({ type: 'opened', id, number, outline })),
    )
    this.#sources = [
      {
        name: 'worker',
        isThread: true,
        isReady: () => !this.isDead && (this.inbox.length > 0 || this.#runner.hasWork),
        run: () => this.#work(),
      },
      { name: 'answer', isThread: false, isReady: () => this.outbox.length > 0, run: () => this.#deliver() },
      {
        name: 'exit',
        isThread: false,
        isReady: () => this.isDead && this.outbox.length === 0,
        run: () => this.#exit(),
      },
    ]
    for (const source of this.#sources) scheduler.add(source)
  }

  override terminate(): Promise<unknown> {
    for (const source of this.#sources) this.#scheduler.remove(source)
    this.inbox.length = 0
    this.outbox.length = 0
    return Promise.resolve()
  }

  /** A thread of a process that has died does nothing either. */
  #work(): void {
    const message = this.inbox.shift()
    try {
      if (message !== undefined) this.#take(message)
      else if (Atomics.load(this.#signals!, STOP) === 1) this.#runner.abort()
      else this.#runner.step()
    } catch (error) {
      if (!(error instanceof CrashedError)) throw error
    }
    if (this.#environment.crashed) this.isDead = true
  }

  #take(message: RunMessage): void {
    this.#signals = new Int32Array(message.signals)
    this.#runner.add(message.id, message.job)
  }

  #answer(id: number, error: unknown, result: JobResult | undefined): void {
    if (this.#environment.crashed || error instanceof CrashedError) return
    const answer: AnswerMessage =
      result === undefined ? { type: 'failed', id, error: toWire(error) } : { type: 'done', id, result }
    this.outbox.push(structuredClone(answer))
    if (this.#signals !== undefined) Atomics.add(this.#signals, BELL, 1)
  }

  #deliver(): void {
    const answer = this.outbox.shift()
    if (answer === undefined) return
    this.#scheduler.trace.add(`answer ${answer.type} ${answer.id}`)
    this.messageHandler(answer)
  }

  #exit(): void {
    void this.terminate()
    this.exitHandler(new Error('the thread was ended from outside'))
  }
}

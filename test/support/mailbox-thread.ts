/**
 * MailboxThread: what every worker thread that is none has in common: messages are copied, as on their way to a thread, and wait; so do the
 * answers, until they are handed over or taken by hand. When either happens is up to whoever plays the thread.
 */
import type { WorkerThread } from '../../src/base/environment.ts'
import type { AnswerMessage, OpenedMessage, RunMessage } from '../../src/worker/messages.ts'

export abstract class MailboxThread implements WorkerThread {
  protected readonly inbox: RunMessage[] = []
  protected readonly outbox: (AnswerMessage | OpenedMessage)[] = []
  protected messageHandler: (message: unknown) => void = () => {}
  protected exitHandler: (error: Error | undefined) => void = () => {}

  abstract terminate(): Promise<unknown>

  post(message: unknown): void {
    this.inbox.push(structuredClone(message) as RunMessage)
  }

  onMessage(handler: (message: unknown) => void): void {
    this.messageHandler = handler
  }

  onExit(handler: (error: Error | undefined) => void): void {
    this.exitHandler = handler
  }

  receiveNow(): unknown {
    return this.outbox.shift()
  }

  keepAlive(): void {}

  /** It takes messages from its start. */
  callOff(): boolean {
    return false
  }
}

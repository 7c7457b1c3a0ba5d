/**
 * BufferTimer: sees that the bytes of `buffered` writes that the log holds back are not too many, nor held back for too long.
 *
 * Threads  belongs to the database's thread
 */

import type { ResolvedOptions } from '../options.ts'
import type { Health } from '../reports/health.ts'
import type { WriteAheadLog } from './write-ahead-log.ts'

export class BufferTimer {
  readonly #log: WriteAheadLog
  readonly #options: ResolvedOptions
  readonly #health: Health
  #cancel: (() => void) | undefined = undefined

  constructor(log: WriteAheadLog, options: ResolvedOptions, health: Health) {
    this.#log = log
    this.#options = options
    this.#health = health
  }

  /** The log holds back bytes. @throws IOError if they were too many, and could not be written */
  added(): void {
    const { environment, walBufferBytes, walBufferMs } = this.#options
    if (this.#log.bufferedBytes >= walBufferBytes) this.#log.flush()
    else this.#cancel ??= environment.later(walBufferMs, () => this.#flush(), true)
  }

  cancel(): void {
    this.#cancel?.()
  }

  #flush(): void {
    this.#cancel = undefined
    if (!this.#health.isPoisoned) this.#health.guard(() => this.#log.flush())
  }
}

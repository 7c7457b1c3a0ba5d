/**
 * Health: whether the database still takes writes. A failure of the log or the MANIFEST is final ("poison"): what reached
 * the file is unknown, and a second fdatasync may succeed without writing what the first one failed to (fsyncgate). Reads,
 * snapshots and close go on; reopening is the way out. (Reliability rules D7, D8, D10.)
 */
import { ReadOnlyError } from '../../base/errors.ts'

export class Health {
  #cause: Error | undefined = undefined
  readonly #onPoison: (cause: Error) => void

  /** @param onPoison called once, with the first failure */
  constructor(onPoison: (cause: Error) => void) {
    this.#onPoison = onPoison
  }

  get isPoisoned(): boolean {
    return this.#cause !== undefined
  }

  /** The failure that ended writing. */
  get cause(): Error | undefined {
    return this.#cause
  }

  poison(cause: Error): void {
    if (this.#cause !== undefined) return
    this.#cause = cause
    this.#onPoison(cause)
  }

  /** Do what must not fail. @returns whether it was done; if not, the failure is final */
  guard(work: () => void): boolean {
    try {
      work()
      return true
    } catch (error) {
      this.poison(error as Error)
      return false
    }
  }

  /** @throws ReadOnlyError (not written) once poisoned */
  check(): void {
    if (this.#cause !== undefined) throw this.refusal()
  }

  refusal(): ReadOnlyError {
    const message = 'the database takes no more writes after a failure of its log or manifest; reopen it'
    return new ReadOnlyError(`${message} (${this.#cause?.message})`, { cause: this.#cause })
  }
}

/**
 * Health: whether the database still takes writes. A failure of the log or the MANIFEST is final ("poison"): what reached
 * the file is unknown, and a second fdatasync may succeed without writing what the first one failed to (fsyncgate). Reads,
 * snapshots and close go on; reopening is the way out. (Reliability rules D7, D8, D10.)
 */
import { ReadOnlyError } from '../../base/errors.ts'

export class Health {
  /**
   * The failure that ended writing. Nothing but a field: who fails where the stack ends, and no call can be made, sets it, and has `poison`
   * called later.
   */
  cause: Error | undefined = undefined
  #isTold = false
  readonly #onPoison: (cause: Error) => void

  /** @param onPoison called once, with the first failure */
  constructor(onPoison: (cause: Error) => void) {
    this.#onPoison = onPoison
  }

  get isPoisoned(): boolean {
    return this.cause !== undefined
  }

  poison(cause: Error): void {
    this.cause ??= cause
    if (this.#isTold) return
    this.#isTold = true
    try {
      this.#onPoison(this.cause)
    } catch (error) {
      // Where the stack ends, nobody has heard of it.
      this.#isTold = false
      throw error
    }
  }

  /** Do what must not fail. @returns whether it was done; if not, the failure is final */
  guard(work: () => void): boolean {
    try {
      work()
      return true
    } catch (error) {
      this.cause ??= error as Error
      this.poison(this.cause)
      return false
    }
  }

  /** @throws ReadOnlyError (not written) once poisoned; whoever meets the failure first tells of it */
  check(): void {
    if (this.cause === undefined) return
    this.poison(this.cause)
    throw this.refusal()
  }

  refusal(): ReadOnlyError {
    const { cause } = this
    return new ReadOnlyError(`the database takes no more writes: ${cause?.message}; reopen it`, { cause })
  }
}

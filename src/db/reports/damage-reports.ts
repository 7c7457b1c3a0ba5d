/**
 * DamageReports: tells of damage that reads find, whoever reads, also the samples of tables: a caller has the error, and may not be the
 * one who looks after the disk. Once for each file: a table that is damaged is read many times.
 *
 * Threads  belongs to the thread that reads
 */
import type { Environment } from '../../base/environment.ts'
import { CorruptionError } from '../../base/errors.ts'
import type { DamageDetail, Emit } from './events.ts'

export class DamageReports {
  readonly #environment: Environment
  readonly #emit: Emit
  /** Paths; undefined for memory. */
  readonly #known = new Set<string | undefined>()
  readonly #untold: DamageDetail[] = []

  constructor(environment: Environment, emit: Emit) {
    this.#environment = environment
    this.#emit = emit
  }

  /**
   * A read has failed. A listener may call the database, which is in the middle of that read now: it is told after.
   * @returns the error, to be thrown
   */
  found(error: unknown): unknown {
    if (error instanceof CorruptionError && !this.#known.has(error.file)) {
      const { file, offset } = error
      this.#known.add(file)
      this.#untold.push({ file, offset, error })
      this.#environment.soon(() => this.tell())
    }
    return error
  }

  /** Tell what has been found and not told: also by whoever closes, since the program may end then. */
  tell(): void {
    for (let next = this.#untold.shift(); next !== undefined; next = this.#untold.shift()) this.#emit('damage', next)
  }
}

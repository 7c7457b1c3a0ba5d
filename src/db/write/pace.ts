/**
 * Pace: spends the rate that back-pressure leaves to writes. Each group is paid for after it was written, in time: whoever
 * comes next waits until the time is due. A writer below the rate never waits, and waits shorter than a timer can keep are
 * saved up until they are worth one.
 */
import type { Clock } from '../../base/environment.ts'

/** The least that is waited for: a timer's resolution, and some. */
const PORTION_MS = 2
/** One group, however large, is not waited for longer. */
const GROUP_MS_MAX = 1000

export class Pace {
  readonly #clock: Clock
  #bytesPerSecond: number = Number.POSITIVE_INFINITY
  /** When everything written so far is paid for, on the monotonic clock. */
  #paidMs = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** From now on, at this rate. Faster than before, what is owed is not asked for. */
  set(bytesPerSecond: number): void {
    if (bytesPerSecond > this.#bytesPerSecond) this.#paidMs = 0
    this.#bytesPerSecond = bytesPerSecond
  }

  /** A group of so many bytes has been written. */
  charge(bytes: number): void {
    if (this.#bytesPerSecond === Number.POSITIVE_INFINITY) return
    const ms = Math.min(GROUP_MS_MAX, (bytes * 1000) / this.#bytesPerSecond)
    this.#paidMs = Math.max(this.#paidMs, this.#clock.monotonicMs()) + ms
  }

  /** Milliseconds that the next group has to wait; 0 if none, or too few to be worth it yet. */
  get owedMs(): number {
    if (this.#paidMs === 0) return 0
    const owed = this.#paidMs - this.#clock.monotonicMs()
    return owed < PORTION_MS ? 0 : owed
  }
}

/**
 * StallClock: tells when writes begin to wait for room and when they go on, and adds up the time.
 */
import type { Clock } from '../base/environment.ts'
import type { Emit } from './events.ts'

export class StallClock {
  readonly #clock: Clock
  readonly #emit: Emit
  #sinceMs = 0
  #startMs = 0
  #isStalled = false
  #count = 0
  #totalMs = 0

  constructor(clock: Clock, emit: Emit) {
    this.#clock = clock
    this.#emit = emit
  }

  get count(): number {
    return this.#count
  }

  get totalMs(): number {
    return this.#totalMs
  }

  /** Milliseconds of the wait so far; 0 if there is none. */
  get durationMs(): number {
    return this.#isStalled ? this.#clock.monotonicMs() - this.#startMs : 0
  }

  /** Writes wait; only the first call of a wait counts. */
  begin(immutableMemTables: number): void {
    if (this.#isStalled) return
    this.#isStalled = true
    this.#sinceMs = this.#clock.wallMs()
    this.#startMs = this.#clock.monotonicMs()
    this.#count++
    this.#emit('stall', {
      phase: 'begin',
      reason: 'memtables',
      sinceMs: this.#sinceMs,
      durationMs: 0,
      immutableMemTables,
    })
  }

  /** Writes go on. */
  end(immutableMemTables: number): void {
    if (!this.#isStalled) return
    const durationMs = this.durationMs
    this.#isStalled = false
    this.#totalMs += durationMs
    this.#emit('stall', { phase: 'end', reason: 'memtables', sinceMs: this.#sinceMs, durationMs, immutableMemTables })
  }
}

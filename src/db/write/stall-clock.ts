/**
 * StallClock: tells when and why writes begin to wait for room and when they go on, and adds up the time; also that of the
 * pauses that slow writes down before it comes to that.
 */
import type { Clock } from '../../base/environment.ts'
import type { Emit, StallReason } from '../reports/events.ts'

export class StallClock {
  readonly #clock: Clock
  readonly #emit: Emit
  #sinceMs = 0
  #startMs = 0
  #lookedMs = 0
  #waitedMs = 0
  #reason: StallReason | undefined = undefined
  #count = 0
  #totalMs = 0
  #delayedMs = 0

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

  /** Why writes wait; undefined if they do not. */
  get reason(): StallReason | undefined {
    return this.#reason
  }

  /** Milliseconds of all pauses of writes that were slowed down. */
  get delayedMs(): number {
    return this.#delayedMs
  }

  /** A write was slowed down by a pause. */
  delayed(durationMs: number): void {
    this.#delayedMs += durationMs
  }

  /** Milliseconds of the wait so far; 0 if there is none. */
  get durationMs(): number {
    return this.#reason !== undefined ? this.#clock.monotonicMs() - this.#startMs : 0
  }

  /**
   * How long writes have waited, for whoever gives up in the end; asked every so often.
   * @param stepMsMax what counts of the time since it was last asked: in the rest, this process stood still (it was stopped, or the
   *   machine slept) and with it whoever makes room, or this thread was too busy to hear of it
   */
  waitedMs(stepMsMax: number): number {
    const nowMs = this.#clock.monotonicMs()
    this.#waitedMs += Math.min(nowMs - this.#lookedMs, stepMsMax)
    this.#lookedMs = nowMs
    return this.#waitedMs
  }

  /** Writes wait; only the first call of a wait counts. */
  begin(reason: StallReason, immutableMemTables: number): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    this.#sinceMs = this.#clock.wallMs()
    this.#startMs = this.#clock.monotonicMs()
    this.#lookedMs = this.#startMs
    this.#waitedMs = 0
    this.#count++
    this.#emit('stall', { phase: 'begin', reason, sinceMs: this.#sinceMs, durationMs: 0, immutableMemTables })
  }

  /** Writes go on. */
  end(immutableMemTables: number): void {
    const reason = this.#reason
    if (reason === undefined) return
    const durationMs = this.durationMs
    this.#reason = undefined
    this.#totalMs += durationMs
    this.#emit('stall', { phase: 'end', reason, sinceMs: this.#sinceMs, durationMs, immutableMemTables })
  }
}

/**
 * Turn: how long a database has kept the event loop waiting. Reads are answered at once, from memory or with a synchronous
 * read, so a long iteration must let the loop turn by itself every few milliseconds.
 */
import type { Environment } from '../public/index.ts'

/** How long reads may go on at a stretch. */
const TURN_MS = 4
/** Entries between two looks at the clock. */
const CLOCK_EVERY = 64

export class Turn {
  readonly #environment: Environment
  #startMs = -1
  #sinceClock = 0

  constructor(environment: Environment) {
    this.#environment = environment
  }

  /** One more entry. @returns whether it is time for `next` */
  step(): boolean {
    return ++this.#sinceClock >= CLOCK_EVERY && this.isOver()
  }

  isOver(): boolean {
    this.#sinceClock = 0
    const now = this.#environment.clock.monotonicMs()
    if (this.#startMs < 0) this.#startMs = now
    return now - this.#startMs >= TURN_MS
  }

  /** Resolves in the loop's next turn. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#environment.soon(() => {
        this.#startMs = this.#environment.clock.monotonicMs()
        resolve()
      })
    })
  }
}

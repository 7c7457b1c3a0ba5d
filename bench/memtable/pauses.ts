/**
 * Pauses: what the garbage collector tells of the times for which it stopped this thread.
 */
import { PerformanceObserver } from 'node:perf_hooks'

export class Pauses {
  readonly #entries: { readonly startTime: number; readonly duration: number }[] = []

  constructor() {
    new PerformanceObserver((list) => this.#entries.push(...list.getEntries())).observe({ entryTypes: ['gc'] })
  }

  /** In milliseconds, those that began between two moments of performance.now(). */
  async between(begin: number, limit: number): Promise<number[]> {
    // The observer is told in a later turn.
    for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
    return this.#entries
      .filter(({ startTime }) => startTime >= begin && startTime < limit)
      .map(({ duration }) => duration)
  }
}

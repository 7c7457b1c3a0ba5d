/**
 * Prng: a small seeded generator (mulberry32), for skip-list heights, tests and jitter. One seed gives one sequence on
 * every machine.
 */
export class Prng {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** The next 32 bits, unsigned. */
  next32(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let z = this.#state
    z = Math.imul(z ^ (z >>> 15), z | 1)
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61)
    return (z ^ (z >>> 14)) >>> 0
  }

  /** An integer in [0, limit), limit ≤ 2^32. */
  below(limit: number): number {
    return Math.floor((this.next32() / 2 ** 32) * limit)
  }
}

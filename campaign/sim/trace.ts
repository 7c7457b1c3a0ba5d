/**
 * Trace: everything that happened in a simulation, as a hash of 64 bits: two runs that did the same have the same. The last
 * lines are kept for whoever asks what led to a failure.
 */

/** Lines that are kept. */
const LINES_MAX = 60

export class Trace {
  count = 0
  #low = 0x811c9dc5
  #high = 0x01000193
  readonly #lines: string[] = []

  add(line: string): void {
    this.count++
    let low = this.#low
    let high = this.#high
    for (let i = 0; i < line.length; i++) {
      const unit = line.charCodeAt(i)
      low = Math.imul(low ^ unit, 0x01000193)
      high = Math.imul(high ^ unit ^ (low >>> 15), 0x85ebca6b)
    }
    this.#low = Math.imul(low ^ 0x0a, 0x01000193)
    this.#high = high ^ (high >>> 13)
    this.#lines[this.count % LINES_MAX] = line
  }

  /** Of all lines so far, in their order; 16 hexadecimal digits. */
  get hash(): string {
    const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0')
    return hex(this.#high) + hex(this.#low)
  }

  /** The last lines, oldest first. */
  get tail(): string[] {
    const begin = (this.count % LINES_MAX) + 1
    return [...this.#lines.slice(begin), ...this.#lines.slice(0, begin)].filter((line) => line !== undefined)
  }
}

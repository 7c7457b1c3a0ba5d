/**
 * ReaderPins: the slots of a reader block, by which a reading thread keeps generations and sequences (share-layout.ts).
 *
 * Threads  belongs to the reading thread; the owner of the database reads the slots at any moment
 */
import { NotSupportedError } from '../../base/errors.ts'
import * as Layout from './share-layout.ts'

export class ReaderPins {
  readonly #words: Int32Array
  readonly #free: number[] = []
  #taken = 0

  constructor(words: Int32Array) {
    this.#words = words
  }

  /** @returns the slot, to be released. @throws NotSupportedError if all are taken */
  pinGeneration(generation: number): number {
    return this.#pin(Layout.PINNED_GENERATION, generation, 0)
  }

  /** As pinGeneration. */
  pinSequence(sequence: number): number {
    return this.#pin(Layout.PINNED_SEQUENCE, sequence | 0, Math.floor(sequence / 2 ** 32))
  }

  release(slot: number): void {
    Atomics.store(this.#words, Layout.slotAt(slot), Layout.FREE)
    this.#free.push(slot)
  }

  #pin(kind: number, low: number, high: number): number {
    const slot = this.#free.pop() ?? this.#take()
    const at = Layout.slotAt(slot)
    Atomics.store(this.#words, at + 1, low)
    Atomics.store(this.#words, at + 2, high)
    Atomics.store(this.#words, at, kind)
    return slot
  }

  #take(): number {
    if (this.#taken === Layout.SLOTS_MAX) {
      throw new NotSupportedError(`a thread can hold at most ${Layout.SLOTS_MAX} open snapshots and scans`)
    }
    const slot = this.#taken++
    Atomics.store(this.#words, Layout.SLOTS, this.#taken)
    return slot
  }
}

/**
 * StoreLog: everything that the writer of an arena stored, in order; and LogReader: what another thread may load of it.
 *
 * Readers store nothing, so what the writer does depends on nobody: it runs once, and every interleaving of a reader with it
 * is one way to answer the reader's loads from the log. A load has as many answers as there are stores to its word that the
 * reader need not know of yet, and one more: the last one that it does know of.
 * Models   sequential   every access takes effect at once, in one order of all: who sees a store knows all before it
 *          weak         as the memory model of JavaScript has it. Only an Atomics.load that meets an Atomics.store makes the
 *                       stores before that known. A plain load may meet any later store, in any order, more than one value
 *                       in turn, and tells nothing about others; a known store cannot be missed
 * That also covers values that a load meets too early: readers store nothing, so that none of them can be its own cause; and what a
 * compiler does with plain loads, which it may do earlier, later, once for several, or again.
 * A load that meets a store not known yet is a surprise. In the sequential model that is where the writer gets its turn; of
 * all schedules with the same answers, the one in which the writer stops at once stands for all, as it lets all others follow.
 */
import type { StepMemory } from './explored-globals.ts'

export type MemoryModel = 'sequential' | 'weak'

export const MEMORY_MODELS: readonly MemoryModel[] = ['sequential', 'weak']

/** Longer than any correct operation of a small history. */
const LOADS_MAX = 20_000

interface StoresOfWord {
  readonly positions: number[]
  readonly values: number[]
  readonly areAtomic: boolean[]
}

export class StoreLog implements StepMemory {
  readonly wordCount: number
  /** Stores so far. */
  length: number
  readonly #words: Int32Array
  readonly #stores: (StoresOfWord | undefined)[]

  constructor(byteLength: number) {
    this.wordCount = byteLength >> 2
    this.length = 0
    this.#words = new Int32Array(this.wordCount)
    this.#stores = new Array(this.wordCount)
  }

  load(index: number): number {
    return this.#words[index]
  }

  store(index: number, value: number, isAtomic: boolean): void {
    let stores = this.#stores[index]
    if (stores === undefined) {
      stores = { positions: [], values: [], areAtomic: [] }
      this.#stores[index] = stores
    }
    stores.positions.push(this.length++)
    stores.values.push(value)
    stores.areAtomic.push(isAtomic)
    this.#words[index] = value
  }

  storesOf(index: number): StoresOfWord | undefined {
    return this.#stores[index]
  }
}

/** What decides: one of `count` ways to go on; 0 is the way without a surprise. */
export type Choose = (count: number) => number

export class LogReader implements StepMemory {
  readonly wordCount: number
  /** The stores before this one are known to the reader. */
  known: number
  readonly #log: StoreLog
  readonly #model: MemoryModel
  #choose: Choose
  /** Surprises that may still come. */
  #surprises: number
  #loads: number

  /** A reader before which everything happened. */
  constructor(log: StoreLog, model: MemoryModel) {
    this.wordCount = log.wordCount
    this.known = log.length
    this.#log = log
    this.#model = model
    this.#choose = () => 0
    this.#surprises = 0
    this.#loads = 0
  }

  /** Begin a schedule. @param known how many stores happened before it */
  begin(known: number, surprises: number, choose: Choose): void {
    this.known = known
    this.#surprises = surprises
    this.#choose = choose
    this.#loads = 0
  }

  load(index: number, isAtomic: boolean): number {
    if (++this.#loads > LOADS_MAX) throw new Error('the reader does not come to an end')
    const stores = this.#log.storesOf(index)
    if (stores === undefined) return 0
    const { positions, values } = stores
    let last = positions.length - 1
    while (last >= 0 && positions[last] >= this.known) last--
    const later = this.#surprises === 0 ? 0 : positions.length - 1 - last
    const chosen = later === 0 ? last : last + this.#choose(later + 1)
    if (chosen > last) {
      this.#surprises--
      const isLearnt = this.#model === 'sequential' || (isAtomic && stores.areAtomic[chosen])
      if (isLearnt) this.known = positions[chosen] + 1
    }
    return chosen < 0 ? 0 : values[chosen]
  }

  store(): void {
    throw new Error('a reader stores to shared memory')
  }
}

/** Run once for every sequence of choices. @returns how many there were; it ends early once `run` answers true */
export function forEachSchedule(run: (choose: Choose) => boolean): number {
  const path: number[] = []
  const widths: number[] = []
  let schedules = 0
  for (;;) {
    let depth = 0
    schedules++
    const isEnough = run((count) => {
      if (depth === path.length) {
        path.push(0)
        widths.push(count)
      }
      return path[depth++]
    })
    if (isEnough) return schedules
    while (path.length > 0 && path[path.length - 1] === widths[widths.length - 1] - 1) {
      path.pop()
      widths.pop()
    }
    if (path.length === 0) return schedules
    path[path.length - 1]++
  }
}

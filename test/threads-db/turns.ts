/**
 * Turns: two threads of which one goes at a time, so that a schedule can be chosen, and run again. A thread's turn ends before an access
 * to the words that a database shares, at those steps that the schedule names, counted over both threads; when it sleeps on such
 * a word; and when its part is over. Between two turns everything is seen by the other: that is the one order of all Atomics.
 */
import { CONTROL_BYTES, READER_BYTES } from '../../src/db/threads/share-layout.ts'
import type { ShareHandle } from '../../src/public/index.ts'

export type Side = 0 | 1

const TURN = 0
const STEPS = 1
const IS_PLAYING = 2
const ENDED = 3
const SWITCHES = 5
export const SWITCHES_MAX = 6
/** What the reader is to do (turns-reader.ts), and what came of it. */
export const OPERATION: number = SWITCHES + SWITCHES_MAX
export const RESULT: number = OPERATION + 1
const WORDS: number = RESULT + 1

/** The operation after those that read: what one of them keeps open is as it was. And none, but the end. */
export const CHECK = 5
export const END = -1
/** Results: nobody could answer the reader, as the owner had come to the end of its part; or it is posted what is wrong. */
export const STALLED = -2
export const FAILED = -3
/** Of every batch, whose number is their value. */
export const KEYS: readonly string[] = ['a0', 'a1', 'z0', 'z1']

export interface TurnsOrders {
  readonly handle: ShareHandle
  readonly turns: SharedArrayBuffer
}

const NEVER = -1
const ACCESSES = ['load', 'store', 'exchange', 'compareExchange', 'add'] as const
const { load, store, notify, wait } = Atomics

export class Turns {
  readonly words: Int32Array<SharedArrayBuffer>
  readonly #side: Side
  readonly #other: Side

  /** Whose accesses of this thread are steps from now on. */
  constructor(side: Side, memory: SharedArrayBuffer = new SharedArrayBuffer(4 * WORDS)) {
    this.words = new Int32Array(memory)
    this.#side = side
    this.#other = side === 0 ? 1 : 0
    const table = Atomics as unknown as Record<string, (...args: unknown[]) => unknown>
    for (const name of ACCESSES) {
      const access = table[name]
      table[name] = (...args) => {
        if (this.#isStep(args[0] as Int32Array)) this.#step()
        return access(...args)
      }
    }
    table['wait'] = (...args) => this.#wait(...(args as [Int32Array, number, number, number]))
  }

  /** Begin a schedule: the side that has the turn goes until the first of these steps. */
  begin(switches: readonly number[]): void {
    this.words.fill(NEVER, SWITCHES, SWITCHES + SWITCHES_MAX)
    this.words.set(switches, SWITCHES)
    this.words.fill(0, ENDED, ENDED + 2)
    this.words[STEPS] = 0
    this.words[IS_PLAYING] = 1
  }

  /** This side's part is over; goes on once the other's is. */
  end(): void {
    this.words[ENDED + this.#side] = 1
    while (this.words[ENDED + this.#other] === 0) this.handOver()
    this.words[IS_PLAYING] = 0
  }

  /** This side's part is over, and the other goes on. */
  leave(): void {
    this.words[ENDED + this.#side] = 1
    this.#give()
  }

  /** Until it is this side's turn again. */
  handOver(): void {
    this.#give()
    this.awaitTurn()
  }

  awaitTurn(): void {
    while (load(this.words, TURN) !== this.#side) wait(this.words, TURN, this.#other)
  }

  #give(): void {
    store(this.words, TURN, this.#other)
    notify(this.words, TURN)
  }

  #isStep({ buffer }: Int32Array): boolean {
    const { byteLength } = buffer
    return this.words[IS_PLAYING] === 1 && (byteLength === CONTROL_BYTES || byteLength === READER_BYTES)
  }

  #step(): void {
    const step = this.words[STEPS]++
    const isSwitch = this.words.subarray(SWITCHES, SWITCHES + SWITCHES_MAX).includes(step)
    if (isSwitch && this.words[ENDED + this.#other] === 0) this.handOver()
  }

  /** Time is over when the other side can do nothing more. */
  #wait(words: Int32Array, index: number, value: number, timeoutMs: number): string {
    if (!this.#isStep(words)) return wait(words, index, value, timeoutMs)
    this.#step()
    while (load(words, index) === value) {
      if (this.words[ENDED + this.#other] === 1) return 'timed-out'
      this.handOver()
    }
    return 'ok'
  }
}

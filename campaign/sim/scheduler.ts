/**
 * Scheduler: decides, from one seed, what happens next in a simulation, and when: which of the things that can happen does, and
 * how much time passes. Nothing else decides: what runs in the simulation has no other clock, timers, threads or files, and
 * the microtasks that an event leaves behind all run before the next event.
 *
 * A source is something that may have an event to offer: an actor, a queue of completions, the timers. Sources on other threads
 * also go on while the main thread is blocked.
 */
import { Prng } from '../../src/base/prng.ts'
import { Trace } from './trace.ts'

export interface Source {
  readonly name: string
  /** Whether it goes on while the main thread sleeps. */
  readonly isThread: boolean
  isReady(): boolean
  run(): void
}

interface Timer {
  readonly dueMicros: number
  readonly task: () => void
}

/** 2026-01-01, in milliseconds since the epoch: when time begins. */
const START_WALL_MS = 1_767_225_600_000
/** Most time that an event takes. */
const EVENT_MICROS = 150
/** One event in so many is a timer before its time: the rest was slow. */
const SLOW_ODDS = 24
/** More events than this for one promise, and nobody will keep it. */
const EVENTS_MAX = 200_000

/** Nothing more can happen, or too much has: a promise that will not be kept. */
export class HangError extends Error {
  override readonly name: string = 'HangError'
}

export class Scheduler {
  readonly prng: Prng
  readonly trace: Trace = new Trace()
  micros = 0
  readonly #sources: Source[] = []
  readonly #soon: (() => void)[] = []
  #timers: Timer[] = []

  constructor(seed: number) {
    this.prng = new Prng(seed)
    this.add({
      name: 'soon',
      isThread: false,
      isReady: () => this.#soon.length > 0,
      run: () => this.#soon.shift()?.(),
    })
  }

  add(source: Source): void {
    this.#sources.push(source)
  }

  remove(source: Source): void {
    const at = this.#sources.indexOf(source)
    if (at >= 0) this.#sources.splice(at, 1)
  }

  soon(task: () => void): void {
    this.#soon.push(task)
  }

  /** @returns what cancels it */
  later(delayMs: number, task: () => void): () => void {
    const timer: Timer = { dueMicros: this.micros + Math.round(delayMs * 1000), task }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  get wallMs(): number {
    return START_WALL_MS + Math.floor(this.micros / 1000)
  }

  /** Let events happen until the promise is settled, and answer as it does. @throws HangError */
  async until<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false
    const settle = (): void => {
      isSettled = true
    }
    promise.then(settle, settle)
    for (let events = 0; ; events++) {
      await new Promise<void>((resolve) => setImmediate(resolve))
      if (isSettled) return promise
      if (events > EVENTS_MAX) throw new HangError(`a promise is not kept after ${events} events`)
      if (!this.step()) throw new HangError('nothing more can happen, and a promise is not kept')
    }
  }

  /** Have one thing happen. @returns false if nothing can */
  step(): boolean {
    const isSlow = this.#timers.length > 0 && this.prng.below(SLOW_ODDS) === 0
    const source = isSlow ? undefined : this.#pick(false)
    if (source === undefined) return this.#runTimer()
    this.#run(source)
    this.#fireDue()
    return true
  }

  /** The main thread does nothing for `durationMs`, or until `isOver`; other threads go on. @returns whether the time is over */
  block(durationMs: number, isOver: () => boolean): boolean {
    const until = this.micros + Math.round(durationMs * 1000)
    while (!isOver()) {
      const source = this.#pick(true)
      if (source === undefined || this.micros >= until) {
        this.micros = Math.max(this.micros, until)
        return true
      }
      this.#run(source)
    }
    return false
  }

  #pick(isBlocked: boolean): Source | undefined {
    const ready = this.#sources.filter((source) => (!isBlocked || source.isThread) && source.isReady())
    return ready.length === 0 ? undefined : ready[this.prng.below(ready.length)]
  }

  #run(source: Source): void {
    this.micros += this.prng.below(EVENT_MICROS)
    this.trace.add(`${this.micros} ${source.name}`)
    source.run()
  }

  /** The next timer, at its time. */
  #runTimer(): boolean {
    let next: Timer | undefined
    for (const timer of this.#timers) if (next === undefined || timer.dueMicros < next.dueMicros) next = timer
    if (next === undefined) return false
    this.micros = Math.max(this.micros, next.dueMicros)
    this.#fire(next)
    return true
  }

  #fireDue(): void {
    const due = this.#timers.find((timer) => timer.dueMicros <= this.micros)
    if (due !== undefined) this.#fire(due)
  }

  #fire(timer: Timer): void {
    this.#timers.splice(this.#timers.indexOf(timer), 1)
    this.trace.add(`${this.micros} timer`)
    timer.task()
  }
}

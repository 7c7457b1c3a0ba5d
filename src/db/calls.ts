/**
 * Calls: what the thread is in the midst of, so that whoever comes next knows whether the call before came to its end. V8 can end a call
 * anywhere, and runs no `catch` and no `finally` then: when a vm script has used up its `timeout`, at Ctrl-C in Node's REPL, when a debugger
 * asks for it. The program goes on with a database that stands in the midst of a change (docs/rfcs/0032).
 *
 * Mark        `now` is stored before a change and after it: a plain field, since where the stack ends, a call would throw.
 * Noticed     by the next call; if it is a change that was cut off, by a microtask, before the event loop brings anything.
 * Calls       come one after the other. A listener is told of what happens in a call once it has ended, so that it may call as well;
 *             whoever is called in the midst of one (a comparator, an environment, hooks of the host) may not.
 * Threads     belongs to the thread that reads
 */

/** Between calls. */
export const NOTHING = 0
/** Caches and open scans may be torn, and are given up. */
export const READING = 1
/** The log, the MemTable and the layers may be torn: what is on disk is all that counts. */
export const CHANGING = 2

export type Doing = typeof NOTHING | typeof READING | typeof CHANGING

export class Calls {
  now: Doing = NOTHING
  /** Told what a call was doing when it was cut off. */
  onCut: (doing: Doing) => void = nothing
  /** What has happened in a call, and nobody was told of. */
  readonly #untold: (() => void)[] = []
  /** So many of them are told, or being told. */
  #toldCount = 0
  readonly #turn: Promise<void> = Promise.resolve()
  /** A microtask is going to look. */
  #isWatched = false
  readonly #look = (): void => {
    this.#isWatched = false
    this.check()
  }

  /** Before a change that may be cut off: once this turn's synchronous code has run, see whether it was. */
  watch(): void {
    if (this.#isWatched) return
    this.afterThisTurn(this.#look)
    this.#isWatched = true
  }

  /** Call `task` once this turn's synchronous code has run. */
  afterThisTurn(task: () => void): void {
    void this.#turn.then(task)
  }

  /** A call begins; it ends with `now = NOTHING`, and then `tellUntold`. */
  begin(doing: Doing): void {
    if (this.now !== NOTHING) this.#wasCut()
    this.now = doing
  }

  /** Do all of a call. */
  during<T>(doing: Doing, work: () => T): T {
    if (doing === CHANGING) this.watch()
    this.begin(doing)
    try {
      return work()
    } finally {
      this.now = NOTHING
      this.tellUntold()
    }
  }

  /** Do a part of a call that changes more than the rest of it does; or what no call asked for. */
  changing<T>(work: () => T): T {
    const before = this.now
    this.watch()
    this.now = CHANGING
    try {
      return work()
    } finally {
      this.now = before
      this.tellUntold()
    }
  }

  /** Where no call is under way: see whether the last one came to its end. */
  check(): void {
    if (this.now !== NOTHING) this.#wasCut()
    this.tellUntold()
  }

  /** Call `tell` once no call is under way. */
  afterwards(tell: () => void): void {
    this.#untold.push(tell)
    if (this.now === NOTHING) this.tellUntold()
    else this.watch()
  }

  tellUntold(): void {
    if (this.now === NOTHING && this.#untold.length > 0) this.#tell()
  }

  #tell(): void {
    const untold = this.#untold
    while (this.#toldCount < untold.length) {
      try {
        untold[this.#toldCount++]()
      } catch (error) {
        // The stack has ended: whoever comes next tells it.
        if (this.#toldCount > 0) this.#toldCount--
        throw error
      }
    }
    untold.length = 0
    this.#toldCount = 0
  }

  /** Whoever is cut off in the midst of this has it done once more. */
  #wasCut(): void {
    this.onCut(this.now)
    this.now = NOTHING
  }
}

function nothing(): void {}

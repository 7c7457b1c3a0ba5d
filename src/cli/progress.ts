/**
 * Progress: a line on stderr while a command takes long, if a person is there to see it; nothing at all in a pipe. It is drawn over and
 * over, with the cursor hidden, and without wrapping: what a narrow terminal has no room for is cut off. In the end it is gone.
 */
import { SIGNALS } from './interruption.ts'

const BAR_COLUMNS = 28
/** Drawn more often, nobody could read it. */
const DRAW_MS = 100

const BEGIN = '\u001b[?25l\u001b[?7l'
const CLEAR_LINE = '\r\u001b[K'
const END = '\u001b[?25h\u001b[?7h'

export interface ProgressOptions {
  /** How a number of what is counted is written. */
  readonly show: (count: number) => string
  /** Of the input; undefined if that is not known, as of a pipe, 0 if an update will say. */
  readonly totalBytes?: number | undefined
  /** Whether a signal does not end the command at once: it calls `stop` itself then. */
  readonly isInterruptible?: boolean
}

export class Progress {
  readonly #show: (count: number) => string
  readonly #startMs: number = performance.now()
  #totalBytes: number | undefined
  #isShown: boolean
  #count = 0
  #bytes = 0
  #drawnMs = Number.NEGATIVE_INFINITY
  /** A terminal is left as it was, with a cursor and wrapped lines, also by a command that ends so. */
  readonly #interrupted = (signal: NodeJS.Signals): void => {
    this.stop()
    process.kill(process.pid, signal)
  }

  constructor({ show, totalBytes, isInterruptible = false }: ProgressOptions) {
    this.#show = show
    this.#totalBytes = totalBytes
    this.#isShown = process.stderr.isTTY
    if (!this.#isShown) return
    process.stderr.write(BEGIN + this.#line())
    if (!isInterruptible) for (const signal of SIGNALS) process.once(signal, this.#interrupted)
  }

  get elapsedMs(): number {
    return performance.now() - this.#startMs
  }

  /**
   * @param count of what has been done
   * @param bytes of the input that it took
   * @param totalBytes if only now it is known, or more of it
   */
  update(count: number, bytes: number = count, totalBytes: number | undefined = this.#totalBytes): void {
    this.#count = count
    this.#bytes = bytes
    this.#totalBytes = totalBytes
    if (!this.#isShown || this.elapsedMs - this.#drawnMs < DRAW_MS) return
    this.#drawnMs = this.elapsedMs
    process.stderr.write(this.#line())
  }

  stop(): void {
    for (const signal of SIGNALS) process.off(signal, this.#interrupted)
    if (this.#isShown) process.stderr.write(this.#line() + CLEAR_LINE + END)
    this.#isShown = false
  }

  #line(): string {
    const seconds = this.elapsedMs / 1000
    const rate = this.#count === 0 ? '–' : this.#show(Math.round(this.#count / seconds))
    const done = `${this.#show(this.#count)}  ${rate}/s`
    if (this.#totalBytes === undefined) return `${CLEAR_LINE}${done}`
    const part = this.#bytes === 0 ? 0 : Math.min(1, this.#bytes / this.#totalBytes)
    const full = Math.round(part * BAR_COLUMNS)
    const bar = '█'.repeat(full) + '░'.repeat(BAR_COLUMNS - full)
    const left = part === 0 ? '–' : Math.round(seconds / part - seconds)
    return `${CLEAR_LINE}${bar} ${Math.floor(part * 100)} %  ${done}  ${left} s left`
  }
}

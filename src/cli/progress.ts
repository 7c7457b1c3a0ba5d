/**
 * Progress: a line on stderr while a command takes long, if a person is there to see it; nothing at all in a pipe. It is drawn over and
 * over, and in the end it is gone. It changes nothing about the terminal, so that the command may be stopped or killed at any time, and
 * so it has to fit into one line: in a narrow terminal, first the bar goes, and then the end.
 */

const MAX_BAR_COLUMNS = 28
/** A shorter bar says nothing. */
const MIN_BAR_COLUMNS = 5
/** Of a terminal that does not know its width. */
const USUAL_COLUMNS = 80
/** Drawn more often, nobody could read it. */
const DRAW_MS = 100

const CLEAR_LINE = '\r\u001b[K'

export interface ProgressOptions {
  /** How a number of what is counted is written. */
  readonly show: (count: number) => string
  /** Of the input; undefined if that is not known, as of a pipe, 0 if an update will say. */
  readonly totalBytes?: number | undefined
}

export class Progress {
  readonly #show: (count: number) => string
  readonly #startMs: number = performance.now()
  #totalBytes: number | undefined
  #isShown: boolean
  #count = 0
  #bytes = 0
  #drawnMs = Number.NEGATIVE_INFINITY

  constructor({ show, totalBytes }: ProgressOptions) {
    this.#show = show
    this.#totalBytes = totalBytes
    // One that is dumb cannot clear a line.
    this.#isShown = process.stderr.isTTY && process.env.TERM !== 'dumb'
    if (this.#isShown) process.stderr.write(this.#line())
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
    if (this.#isShown) process.stderr.write(this.#line() + CLEAR_LINE)
    this.#isShown = false
  }

  #line(): string {
    // Behind the last column, the cursor would be in the next line.
    const room = (process.stderr.columns || USUAL_COLUMNS) - 1
    const seconds = this.elapsedMs / 1000
    const rate = this.#count === 0 ? '–' : this.#show(Math.round(this.#count / seconds))
    const done = `${this.#show(this.#count)}  ${rate}/s`
    if (this.#totalBytes === undefined) return CLEAR_LINE + done.slice(0, room)
    const part = this.#bytes === 0 ? 0 : Math.min(1, this.#bytes / this.#totalBytes)
    const left = part === 0 ? '–' : Math.round(seconds / part - seconds)
    const text = `${Math.floor(part * 100)} %  ${done}  ${left} s left`
    return CLEAR_LINE + (bar(part, room - text.length - 1) + text).slice(0, room)
  }
}

/** With a space behind it; nothing if there is no room. */
function bar(part: number, room: number): string {
  if (room < MIN_BAR_COLUMNS) return ''
  const columns = Math.min(MAX_BAR_COLUMNS, room)
  const full = Math.round(part * columns)
  return `${'█'.repeat(full)}${'░'.repeat(columns - full)} `
}

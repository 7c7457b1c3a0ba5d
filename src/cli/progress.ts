/**
 * Progress: a bar on stderr while a command takes long, if a person is there to see it; nothing at all in a pipe.
 */
import { SingleBar } from 'cli-progress'
import { SIGNALS } from './interruption.ts'

const FORMAT = '{bar} {percentage} %  {done}  {rate}/s  {left} s left'
/** Of a pipe nobody knows the end. */
const ENDLESS_FORMAT = '{done}  {rate}/s'

export interface ProgressOptions {
  /** How a number of what is counted is written. */
  readonly show: (count: number) => string
  /** Of the input; undefined if that is not known, 0 if an update will say. */
  readonly totalBytes?: number | undefined
  /** Whether a signal does not end the command at once: it calls `stop` itself then. */
  readonly isInterruptible?: boolean
  readonly stream?: NodeJS.WriteStream
}

export class Progress {
  readonly #bar: SingleBar | undefined
  readonly #show: (count: number) => string
  readonly #startMs: number = performance.now()
  /** A terminal is left as it was, with a cursor and wrapped lines, also by a command that ends so. */
  readonly #interrupted = (signal: NodeJS.Signals): void => {
    this.stop()
    process.kill(process.pid, signal)
  }

  constructor({ show, totalBytes, isInterruptible = false, stream = process.stderr }: ProgressOptions) {
    this.#show = show
    if (!stream.isTTY) return
    const format = totalBytes === undefined ? ENDLESS_FORMAT : FORMAT
    const look = { barCompleteChar: '█', barIncompleteChar: '░', barsize: 28 }
    this.#bar = new SingleBar({ stream, format, ...look, hideCursor: true, clearOnComplete: true })
    // Of nothing, it would be complete.
    this.#bar.start(totalBytes || 1, 0, { done: show(0), rate: '–', left: '–' })
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
  update(count: number, bytes: number = count, totalBytes?: number): void {
    if (this.#bar === undefined) return
    if (totalBytes !== undefined) this.#bar.setTotal(totalBytes)
    const seconds = this.elapsedMs / 1000
    const left = bytes === 0 ? 0 : (seconds * (this.#bar.getTotal() - bytes)) / bytes
    const rate = this.#show(Math.round(count / seconds))
    this.#bar.update(bytes, { done: this.#show(count), rate, left: String(Math.max(0, Math.round(left))) })
  }

  stop(): void {
    for (const signal of SIGNALS) process.off(signal, this.#interrupted)
    this.#bar?.stop()
  }
}

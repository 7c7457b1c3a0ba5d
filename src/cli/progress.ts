/**
 * Progress: a bar on stderr while records are imported, if a person is there to see it; nothing at all in a pipe.
 */
import { SingleBar } from 'cli-progress'
import { showCount } from '../inspect/figures.ts'
import { SIGNALS } from './interruption.ts'

const FORMAT = '{bar} {percentage} %  {records} records  {rate}/s  {left} s left'
/** Of a pipe nobody knows the end. */
const ENDLESS_FORMAT = '{records} records  {rate}/s'

export class Progress {
  readonly #bar: SingleBar | undefined
  readonly #startMs: number = performance.now()
  /** A terminal is left as it was, with a cursor and wrapped lines, also by an import that ends so. */
  readonly #interrupted = (signal: NodeJS.Signals): void => {
    this.stop()
    process.kill(process.pid, signal)
  }

  /** @param totalBytes of the input; undefined if that is not known */
  constructor(totalBytes: number | undefined, stream: NodeJS.WriteStream = process.stderr) {
    if (!stream.isTTY) return
    const format = totalBytes === undefined ? ENDLESS_FORMAT : FORMAT
    const look = { barCompleteChar: '█', barIncompleteChar: '░', barsize: 28 }
    this.#bar = new SingleBar({ stream, format, ...look, hideCursor: true, clearOnComplete: true })
    this.#bar.start(totalBytes ?? 0, 0, { records: '0', rate: '–', left: '–' })
    for (const signal of SIGNALS) process.once(signal, this.#interrupted)
  }

  get elapsedMs(): number {
    return performance.now() - this.#startMs
  }

  update(bytesRead: number, records: number): void {
    if (this.#bar === undefined) return
    const seconds = this.elapsedMs / 1000
    const left = bytesRead === 0 ? 0 : (seconds * (this.#bar.getTotal() - bytesRead)) / bytesRead
    const rate = showCount(Math.round(records / seconds))
    this.#bar.update(bytesRead, { records: showCount(records), rate, left: String(Math.max(0, Math.round(left))) })
  }

  stop(): void {
    for (const signal of SIGNALS) process.off(signal, this.#interrupted)
    this.#bar?.stop()
  }
}

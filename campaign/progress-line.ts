/**
 * ProgressLine: how far a campaign is, when it will be done, and what it has counted: a bar on a terminal, elsewhere a line
 * now and then.
 */
import { type Options, SingleBar } from 'cli-progress'

/** Between two looks of a bar, and two lines of a log. */
const BAR_MS = 200
const LOG_MS = 15_000

export class ProgressLine {
  #title = ''
  #startMs = 0
  #seconds = 1
  #nextMs = 0
  /** Of the campaign's own work, if it knows how much there is. */
  #done = 0
  #total: number | undefined = undefined
  #text = ''
  #bar: SingleBar | undefined = undefined

  start(title: string, seconds: number): void {
    this.#title = title
    this.#seconds = seconds
    this.#startMs = performance.now()
    this.#nextMs = this.#startMs
    this.#done = 0
    this.#total = undefined
    this.#text = ''
    if (!process.stderr.isTTY) return
    const options: Options = { format: '{title} [{bar}] {percentage} % · {left} left · {text}', hideCursor: true }
    this.#bar = new SingleBar(options)
    this.#bar.start(1, 0, this.#payload())
  }

  update(counts: Readonly<Record<string, number>>, findings: number): void {
    const now = performance.now()
    if (now < this.#nextMs) return
    const counted = Object.entries(counts).map(([what, count]) => `${count.toLocaleString('en')} ${what}`)
    this.#text = [...counted, `${findings} findings`].join(', ')
    this.#show(now)
  }

  /** So much of the work is done; without a total the time tells. */
  reach(done: number, total: number | undefined): void {
    this.#done = done
    this.#total = total
  }

  /** A line that stays. */
  print(line: string): void {
    if (this.#bar !== undefined) process.stderr.write('\r\x1b[K')
    console.error(line)
  }

  stop(): void {
    this.#bar?.stop()
    this.#bar = undefined
  }

  #show(now: number): void {
    this.#nextMs = now + (this.#bar === undefined ? LOG_MS : BAR_MS)
    if (this.#bar !== undefined) this.#bar.update(this.#fraction(), this.#payload())
    else if (now - this.#startMs > LOG_MS / 2) {
      const { title, left, text } = this.#payload()
      console.error(`${title}: ${Math.floor(this.#fraction() * 100)} %, ${left} left, ${text}`)
    }
  }

  #payload(): { title: string; left: string; text: string } {
    return { title: this.#title, left: duration(this.#secondsLeft()), text: this.#text }
  }

  get #elapsed(): number {
    return (performance.now() - this.#startMs) / 1000
  }

  /** Of the time or of the work, whichever ends first. */
  #fraction(): number {
    const ofWork = this.#total === undefined ? 0 : this.#done / Math.max(1, this.#total)
    return Math.min(1, Math.max(this.#elapsed / this.#seconds, ofWork))
  }

  #secondsLeft(): number {
    const ofTime = this.#seconds - this.#elapsed
    if (this.#total === undefined || this.#done === 0) return Math.max(0, ofTime)
    return Math.max(0, Math.min(ofTime, (this.#elapsed / this.#done) * (this.#total - this.#done)))
  }
}

/** Seconds as people say them: `42 s`, `7 min`, `3.5 h`. */
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`
}

/**
 * What the quickstart prints on: headings, facts, progress. In colour and with a moving bar on a terminal; plain lines
 * elsewhere.
 */
import { styleText } from 'node:util'
import { SingleBar } from 'cli-progress'
import { showCount } from '../../src/inspect/figures.ts'

const { stdout } = process
const IS_TERMINAL = stdout.isTTY === true
const HAS_COLOR = IS_TERMINAL && stdout.hasColors()

type Format = Parameters<typeof styleText>[0]

/** The terminal's width, within reason. */
export const columns: number = Math.min(110, stdout.columns ?? 80)
export const hasColor: boolean = HAS_COLOR

export function style(format: Format, text: string): string {
  return HAS_COLOR ? styleText(format, text) : text
}

export function print(text: string = ''): void {
  stdout.write(`${text}\n`)
}

/** Begin a part of the story. */
export function heading(text: string): void {
  print(`\n${style('bold', style('cyan', `▍${text}`))}`)
}

/** A line with a name in front. */
export function fact(name: string, text: string): void {
  print(`  ${style('dim', name.padEnd(14))}${text}`)
}

export function milliseconds(ms: number): string {
  return ms < 1 ? `${(ms * 1000).toFixed(0)} µs` : ms < 100 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`
}

/** How long `run` takes. */
export async function timed<T>(run: () => T | Promise<T>): Promise<[result: T, ms: number]> {
  const start = performance.now()
  const result = await run()
  return [result, performance.now() - start]
}

/** Progress of an import: a bar, or a line for every quarter. */
export class ImportProgress {
  readonly #total: number
  readonly #startMs: number = performance.now()
  readonly #first: number
  readonly #bar: SingleBar | undefined
  #quarters: number

  constructor(total: number, first: number) {
    this.#total = total
    this.#first = first
    this.#quarters = Math.floor((first / total) * 4)
    if (!IS_TERMINAL) return
    const bar = { barCompleteChar: '█', barIncompleteChar: '░', barsize: Math.min(40, columns - 50) }
    const format = `  ${style('cyan', '{bar}')} {percentage} %  {records} cities  {rate}/s`
    this.#bar = new SingleBar({ stream: stdout, format, hideCursor: true, ...bar })
    this.#bar.start(total, first, { records: showCount(first), rate: '–' })
  }

  update(done: number): void {
    const rate = showCount(Math.round((done - this.#first) / ((performance.now() - this.#startMs) / 1000)))
    this.#bar?.update(done, { records: showCount(done), rate })
    const quarters = Math.floor((done / this.#total) * 4)
    if (this.#bar !== undefined || quarters <= this.#quarters) return
    this.#quarters = quarters
    print(`  ${quarters * 25} %  ${showCount(done)} cities  ${rate}/s`)
  }

  stop(): void {
    this.#bar?.stop()
  }
}

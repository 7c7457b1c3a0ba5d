/**
 * Life: a process that opens databases on a mounted disk, holds them against what must be there, and writes to them
 * (life-main.ts): one request after another, for as long as it lives. It tells what was acknowledged as it is, and notes where the
 * log of the disk was by then.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { eachJsonLine } from '../json-lines.ts'

const PROGRAM = fileURLToPath(new URL('./life-main.js', import.meta.url))
/** A life that is not over after so long, on any machine, has been stuck. */
const STUCK_MS = 120_000

export interface LifeRequest {
  /** The file system; the database is `db` in it, and copies of it are beside that. */
  readonly directory: string
  readonly seed: number
  /** The last batch that must be there, or −1. */
  readonly low: number
  /** The names of copies that must be there, and the last batch that each must have. */
  readonly copies: readonly Copied[]
  /** Batches that are written. */
  readonly batches: number
  /** Whether the disk may fail: then errors that say so are none. */
  readonly isFaulty: boolean
  /** How it ends: closed, or by the end of the process. */
  readonly end: 'closed' | 'killed'
}

export type Copied = readonly [name: string, last: number]

/** What a life tells: a line of JSON each. */
export type Told =
  /** The last batch that is there after an opening. */
  | { readonly found: number }
  /** The last batch that is durable. */
  | { readonly durable: number }
  | { readonly copied: Copied }
  /** The disk's failure has refused something. */
  | { readonly refused: string }
  | { readonly broken: string }
  /** Batches were refused before others that were written: nothing can be said of what must be there. */
  | 'abandoned'
  | 'over'

/** What was told, and where the log of the disk was when it was heard. */
export interface Heard {
  readonly told: Told
  readonly position: number
}

export class Life {
  readonly #position: () => number
  #child: ChildProcess | undefined
  #stderr = ''

  constructor(position: () => number) {
    this.#position = position
  }

  /** Has no process with anything open when it resolves. */
  async run(request: LifeRequest): Promise<readonly Heard[]> {
    const child = this.#start()
    const heard: Heard[] = []
    const stuck = setTimeout(() => child.kill('SIGKILL'), STUCK_MS)
    const isOver = await new Promise<boolean>((resolve) => {
      const onLine = (told: Told): void => {
        heard.push({ told, position: this.#position() })
        if (told === 'over' && request.end === 'closed') resolve(true)
      }
      eachJsonLine(child.stdio[3] as Readable, onLine)
      child.removeAllListeners('close').once('close', () => resolve(false))
      ;(child.stdio[0] as Writable).write(`${JSON.stringify(request)}\n`)
    })
    clearTimeout(stuck)
    ;(child.stdio[3] as Readable).removeAllListeners('data')
    if (isOver && !heard.some(({ told }) => isBroken(told))) return heard
    await this.end()
    if (heard.at(-1)?.told !== 'over' && !heard.some(({ told }) => isBroken(told))) {
      heard.push({ told: { broken: `it ends by itself, or is stuck: ${this.#stderr}` }, position: this.#position() })
    }
    return heard
  }

  async end(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const closed = new Promise((resolve) => child.once('close', resolve))
    child.kill('SIGKILL')
    await closed
  }

  #start(): ChildProcess {
    if (this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null)
      return this.#child
    this.#stderr = ''
    const child = spawn(process.execPath, [PROGRAM], { stdio: ['pipe', 'ignore', 'pipe', 'pipe'] })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
    })
    // Of a process that has ended while it was asked; its end says that, too.
    child.stdin?.on('error', () => {})
    this.#child = child
    return child
  }
}

function isBroken(told: Told): boolean {
  return typeof told === 'object' && 'broken' in told
}

/**
 * Lives: one directory, written to by one process after another, each of them killed with SIGKILL at a moment of its own. After
 * each the directory is opened here and looked at: every acknowledged batch is there, each batch whole, and no hole between
 * them. With several engines, each life and each look is one of them by chance: they read what the others were killed over.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { Prng } from '../../src/base/prng.ts'
import { type EngineName, type Level, openEngine } from '../engines/engine.ts'
import { checkBatches, LifeError } from './check-batches.ts'

const WRITER = fileURLToPath(new URL('./writer.js', import.meta.url))
const KIB = 1024
/** Batches before the last that are looked at after each kill; all of them are at the end. */
const RECENT = 3000
/** A life that has told nothing after so long, on any machine, has been stuck. */
const STUCK_MS = 60_000

interface Life {
  /** The last number that the writer told, or −1. */
  readonly acknowledged: number
  readonly stderr: string
  /** What ended it. */
  readonly signal: string | null
}

export class Lives {
  readonly counts: Record<'lives' | 'silent' | 'batches', number> = { lives: 0, silent: 0, batches: 0 }
  readonly #directory: string = mkdtempSync(join(tmpdir(), 'varve-kill-'))
  readonly #engines: readonly EngineName[]
  readonly #level: Level
  readonly #prng: Prng
  /** Batches that must be there. */
  #acknowledged = -1
  /** Who wrote, and who looked, so far. */
  readonly #history: string[] = []
  #isKept = false

  constructor(engines: readonly EngineName[], level: Level, seed: number) {
    this.#engines = engines
    this.#level = level
    this.#prng = new Prng(seed)
  }

  /** One more life, and a look. @throws LifeError */
  async next(): Promise<void> {
    const name = this.#draw()
    const life = await this.#live(name)
    this.#history.push(`${name} to ${life.acknowledged}`)
    if (life.signal !== 'SIGKILL') throw new LifeError(`${name} ended by itself: ${life.stderr}`)
    this.counts.lives++
    if (life.acknowledged < 0) this.counts.silent++
    this.#acknowledged = Math.max(this.#acknowledged, life.acknowledged)
    await this.look(RECENT)
  }

  /** See whether all is there, of the newest batches or of all. @throws LifeError */
  async look(recent: number = Number.POSITIVE_INFINITY): Promise<void> {
    const name = this.#draw()
    // To read only, where the engine can: then the next life recovers from what the kill left.
    const readOnly = this.#prng.below(2) === 0
    this.#history.push(`${name} ${readOnly ? 'reads' : 'opens'}`)
    const engine = await openEngine(name, this.#directory, { readOnly }).catch((error) => {
      // Killed before there was a database; a read-only opening makes none.
      if (error.code === 'NOT_FOUND' && this.#acknowledged < 0) return undefined
      throw new LifeError(`${name} does not open: ${error.stack}`)
    })
    if (engine === undefined) return
    try {
      this.counts.batches = await checkBatches(engine, this.#acknowledged, recent)
    } catch (error) {
      throw error instanceof LifeError ? this.#told(error, `${name}${readOnly ? ', reading only,' : ''}`) : error
    } finally {
      await engine.close()
    }
  }

  dispose(): void {
    if (!this.#isKept) rmSync(this.#directory, { recursive: true, force: true })
  }

  /** What went wrong, who saw it, and after whose lives; the directory stays for a look at it. */
  #told(error: LifeError, looker: string): LifeError {
    this.#isKept = true
    const lives = this.#history.join(', ')
    return new LifeError(`${looker} finds: ${error.message}; lives: ${lives}; kept: ${this.#directory}`)
  }

  #draw(): EngineName {
    return this.#engines[this.#prng.below(this.#engines.length)]
  }

  /** Start a writer and kill it: mostly while it writes, sometimes while it starts and recovers. */
  #live(name: EngineName): Promise<Life> {
    const writeBufferBytes = [64, 64, 256, 1024][this.#prng.below(4)] * KIB
    const deletes = this.#engines.includes('classic-level') ? 'keys' : 'ranges'
    const seed = this.#prng.next32()
    const args = [WRITER, name, this.#directory, this.#level, String(writeBufferBytes), String(seed), deletes]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] })
    const isEarly = this.#prng.below(5) === 0
    const delayMs = isEarly ? 40 + this.#prng.below(80) : 20 + this.#prng.below(140)
    const kill = (): boolean => child.kill('SIGKILL')
    const timers = [setTimeout(kill, isEarly ? delayMs : STUCK_MS)]
    return watch(child, timers, () => {
      if (!isEarly) timers.push(setTimeout(kill, delayMs))
    })
  }
}

/** Calls `onFirst` once the writer has told its first number. */
function watch(child: ChildProcess, timers: NodeJS.Timeout[], onFirst: () => void): Promise<Life> {
  let told = ''
  let stderr = ''
  const pipe = child.stdio[3] as Readable
  pipe.setEncoding('utf8').on('data', (chunk: string) => {
    if (told === '') onFirst()
    // The last whole line is all that counts.
    told = (told + chunk).slice(-64)
  })
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (_, signal) => {
      for (const timer of timers) clearTimeout(timer)
      const line = told.split('\n').at(-2) ?? ''
      resolve({ acknowledged: line === '' ? -1 : Number(line), stderr, signal })
    })
  })
}

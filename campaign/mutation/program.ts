/**
 * Program: a copy of the compiled program whose subjects are instrumented and whose tests are collected, and the processes that
 * run it.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { createInterface } from 'node:readline'
import { repository } from '../places.ts'
import type { Answer, Job } from './messages.ts'

/** How a process ended that was ended because it did not answer. */
export const NO_ANSWER = 'no answer'
/** What a process may use: a mutant may ask for more. */
const HEAP_MB = 2000
/** Linux counts processor time in hundredths of a second. */
const TICK_MS = 10
/** As a compiler writes it: `from './NAME.js'`, or `import './NAME.js'`. */
const IMPORTED = /^(?:import|export)\b[^;]*?['"](\.{1,2}\/[^'"]+\.js)['"]/gm
/** How often a process is left alone for another while because it had no processor. */
const WAITS_MAX = 8

export class Program {
  readonly tests: readonly string[]
  readonly #root: string = mkdtempSync(join(tmpdir(), 'varve-mutation-'))
  readonly #imports = new Map<string, ReadonlySet<string>>()

  /** @param tests files below test/, without extension: they are collected, in this order */
  constructor(tests: readonly string[]) {
    this.tests = tests
    for (const folder of ['src', 'test', 'campaign', 'bench', 'tools']) {
      cpSync(repository('.build', folder), join(this.#root, '.build', folder), { recursive: true })
    }
    for (const name of ['node_modules', 'package.json', 'package-lock.json', 'test', 'docs']) {
      symlinkSync(repository(name), join(this.#root, name))
    }
    for (const file of tests) this.#collect(file)
  }

  /** Write another text for a source file, named below src/ without its extension. */
  replace(file: string, text: string): void {
    writeFileSync(join(this.#root, '.build', 'src', `${file}.js`), text)
  }

  /** Source files that a test file imports, itself or through others; both are named as above. */
  importsOf(tests: string): ReadonlySet<string> {
    const known = this.#imports.get(tests)
    if (known !== undefined) return known
    const build = join(this.#root, '.build')
    const files = [...filesFrom(join(build, 'test', `${tests}.js`))]
    const sources = new Set(
      files.map((path) => relative(join(build, 'src'), path).replace('.js', '').replaceAll('\\', '/')),
    )
    this.#imports.set(tests, sources)
    return sources
  }

  /**
   * Run a process to its end.
   * @param hear each answer; returns for how many milliseconds none may follow, 0 to end the process
   * @returns how it ended: nothing if well, otherwise in a few words
   */
  run(job: Job, hear: (answer: Answer) => number, firstMs: number): Promise<string | undefined> {
    const path = join(this.#root, 'job.json')
    writeFileSync(path, JSON.stringify(job))
    const runner = join(this.#root, '.build', 'campaign', 'mutation', 'runner.js')
    const child = spawn(process.execPath, [`--max-old-space-size=${HEAP_MB}`, runner, path], {
      cwd: this.#root,
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    })
    return ended(child, hear, firstMs)
  }

  dispose(): void {
    rmSync(this.#root, { recursive: true, force: true })
  }

  /** Let a test file declare its tests to the collector. */
  #collect(file: string): void {
    const path = join(this.#root, '.build', 'test', `${file}.js`)
    const collector = join(this.#root, '.build', 'campaign', 'mutation', 'collector.js')
    const specifier = relative(dirname(path), collector).replaceAll('\\', '/')
    const text = readFileSync(path, 'utf8').replaceAll(/(['"])node:test\1/g, `'${specifier}'`)
    writeFileSync(path, text)
  }
}

/** A compiled file, and what it imports from files beside it, to the end. */
function filesFrom(path: string, found: Set<string> = new Set()): Set<string> {
  if (found.has(path)) return found
  found.add(path)
  for (const [, specifier] of readFileSync(path, 'utf8').matchAll(IMPORTED))
    filesFrom(join(dirname(path), specifier), found)
  return found
}

async function ended(
  child: ChildProcess,
  hear: (answer: Answer) => number,
  firstMs: number,
): Promise<string | undefined> {
  const patience = new Patience(child, firstMs)
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    said = `${said}${text}`.slice(-2000)
  })
  const closed = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  const lines = createInterface({ input: child.stdio[3] as NodeJS.ReadableStream })
  lines.on('line', (line) => patience.renew(hear(JSON.parse(line) as Answer)))
  const status = await closed
  patience.end()
  if (patience.isOver) return NO_ANSWER
  return status === 0 ? undefined : `status ${status}: ${said}`
}

/** Ends a process that does not answer in its time. */
class Patience {
  isOver = false
  readonly #child: ChildProcess
  #timer: NodeJS.Timeout
  #ms: number
  /** Processor time of the process when it last answered. */
  #spentMs = 0
  #waits = 0

  constructor(child: ChildProcess, ms: number) {
    this.#child = child
    this.#ms = ms
    this.#timer = setTimeout(() => this.#check(), ms)
  }

  renew(ms: number): void {
    this.end()
    if (this.isOver) return
    if (ms <= 0) {
      this.#stop()
      return
    }
    this.#ms = ms
    this.#waits = 0
    this.#spentMs = processorMs(this.#child) ?? 0
    this.#timer = setTimeout(() => this.#check(), ms)
  }

  end(): void {
    clearTimeout(this.#timer)
  }

  /** A machine that is busy elsewhere is no reason; waiting for nothing is one after all. */
  #check(): void {
    const spentMs = processorMs(this.#child)
    if (spentMs !== undefined && spentMs - this.#spentMs < this.#ms && ++this.#waits < WAITS_MAX) {
      this.#timer = setTimeout(() => this.#check(), this.#ms)
      return
    }
    this.#stop()
  }

  #stop(): void {
    this.isOver = true
    this.#child.kill('SIGKILL')
  }
}

/** Processor time of a process; undefined where the system does not say. */
function processorMs({ pid }: ChildProcess): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [user, system] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 13)
    return (Number(user) + Number(system)) * TICK_MS
  } catch {
    return undefined
  }
}

/**
 * Every byte of one database of each engine is inverted in turn, and the copy opened and read in a process of its own.
 */
import { type ChildProcess, fork, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { CampaignContext } from '../campaign.ts'
import type { EngineName } from '../engines/engine.ts'
import type { OpenRequest, PeerOutcome } from './damage-child.ts'

const CHILD = fileURLToPath(new URL('./damage-child.js', import.meta.url))
/** Longer than any sound opening takes. */
const HANG_MS = 20_000
/** Files without data. */
const NO_DATA = ['LOCK', 'LOG', 'LOG.old', 'data.mdb-lock']

type Outcome = PeerOutcome | 'process killed' | 'process hangs'

export async function damagePeer(context: CampaignContext, engine: EngineName): Promise<void> {
  const outer = mkdtempSync(join(tmpdir(), 'varve-peer-'))
  const base = join(outer, 'db')
  const opener = new Opener(engine, base)
  try {
    spawnSync(process.execPath, [CHILD, engine, base, 'make'])
    const files = new Map(
      readdirSync(base)
        .filter((name) => !NO_DATA.includes(name))
        .map((name) => [name, readFileSync(join(base, name))]),
    )
    const bytes = [...files.values()].reduce((sum, content) => sum + content.length, 0)
    context.count(`${engine}: bytes of the database`, bytes)
    const sound = await opener.open({ index: -1, files: encoded(files, undefined, 0) })
    if (sound !== 'right') throw new Error(`${engine} does not open what it wrote: ${sound}`)
    for (let i = 0; i < bytes && !context.isOver(); i++) {
      // In an order that is spread over all files: a part of it stands for the whole.
      const { name, index } = place(files, (i * SPREAD + context.seed) % bytes)
      const outcome = await opener.open({ index: i, files: encoded(files, name, index) })
      context.count(`${engine}: opened with a byte inverted`)
      context.count(`${engine}: ${outcome}`)
      if (engine === 'varve' && ['silently wrong', 'process killed', 'process hangs'].includes(outcome))
        context.finding(outcome, `byte ${index} of ${name}`, undefined)
      context.progress(i + 1, bytes)
    }
  } finally {
    opener.stop()
    rmSync(outer, { recursive: true, force: true })
  }
}

/** A prime that no small database has for a factor. */
const SPREAD = 1_000_003

function place(files: ReadonlyMap<string, Buffer>, at: number): { name: string; index: number } {
  let index = at
  for (const [name, content] of files) {
    if (index < content.length) return { name, index }
    index -= content.length
  }
  throw new Error(`no byte ${at}`)
}

function encoded(files: ReadonlyMap<string, Buffer>, damaged: string | undefined, at: number): Record<string, string> {
  const result: Record<string, string> = {}
  for (const [name, content] of files) {
    const copy = Buffer.from(content)
    if (name === damaged) copy[at] ^= 0xff
    result[name] = copy.toString('base64')
  }
  return result
}

/** A process that opens copies; another one takes its place when it is brought down. */
class Opener {
  readonly #engine: EngineName
  readonly #base: string
  #child: ChildProcess | undefined = undefined

  constructor(engine: EngineName, base: string) {
    this.#engine = engine
    this.#base = base
  }

  open(request: OpenRequest): Promise<Outcome> {
    this.#child ??= fork(CHILD, [this.#engine, this.#base, 'open'], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
    const child = this.#child
    return new Promise((resolve) => {
      const done = (outcome: Outcome): void => {
        clearTimeout(watchdog)
        child.removeAllListeners()
        resolve(outcome)
      }
      const watchdog = setTimeout(() => {
        this.stop()
        done('process hangs')
      }, HANG_MS)
      child.once('exit', () => {
        this.#child = undefined
        done('process killed')
      })
      child.once('message', ({ outcome }: { outcome: PeerOutcome }) => done(outcome))
      child.send(request)
    })
  }

  stop(): void {
    this.#child?.kill('SIGKILL')
    this.#child = undefined
  }
}

/**
 * T18, cut off: calls that V8 ends at moments that nobody chooses, by the timeout of a vm script, in a process with worker threads and
 * files. The program goes on with the same database, or closes and opens it once it takes no more writes. Whatever was acknowledged is
 * there, the write that was cut off is there or not, and nothing hangs.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import vm from 'node:vm'
import { Prng } from '../src/base/prng.ts'
import type { DB } from '../src/db/db.ts'
import { open } from '../src/db/open.ts'
import type { Options } from '../src/db/options.ts'
import { apply, batchOf, type Op, type State } from '../test/crash/workload.ts'
import type { Campaign, CampaignContext } from './campaign.ts'

const KEYS = 300
const SCRIPTS = 30
const CLOSE_MS = 60_000

export const CUT_OFF: Campaign = {
  name: 't18-cut-off',
  title: 'calls that V8 ends in their midst',
  ciSeconds: 10,
  longShare: 1,
  run,
}

async function run(context: CampaignContext): Promise<void> {
  const outer = mkdtempSync(join(tmpdir(), 'varve-cut-off-'))
  try {
    for (let number = 0; !context.isOver(); number++) {
      const life = new Life(context, join(outer, String(number)), new Prng(context.seed * 1000 + number))
      await life.live()
      rmSync(life.directory, { recursive: true, force: true })
      context.count('lives')
    }
  } finally {
    rmSync(outer, { recursive: true, force: true })
  }
}

class Life {
  readonly directory: string
  readonly #context: CampaignContext
  readonly #prng: Prng
  readonly #options: Options
  #db: DB | undefined = undefined
  /** What the acknowledged writes have left. */
  #state: State = new Map()
  /** The write that may have been cut off: no call lies between its end and the store that says so. */
  #begun: readonly Op[] | undefined = undefined
  /** Acknowledged, and not in the state. */
  readonly #acknowledged: (readonly Op[])[] = []

  constructor(context: CampaignContext, directory: string, prng: Prng) {
    this.#context = context
    this.directory = directory
    this.#prng = prng
    const pick = <T>(...of: T[]): T => of[prng.below(of.length)]
    this.#options = {
      workers: pick(0, 1, 2),
      writeBufferBytes: pick(16_384, 65_536, 1 << 20),
      maxFileBytes: pick(8192, 65_536),
      blockCacheBytes: pick(0, 8192, 1 << 20),
      memtable: pick('radix', 'skiplist'),
      durability: pick('os', 'os', 'disk'),
      walMarkers: pick(true, false),
      level0CompactionTrigger: pick(2, 4),
    }
  }

  /** With its threads: if Node itself is cut off while it starts one, the process may end, or not come to its end. */
  async #open(): Promise<void> {
    const db = await open(this.directory, this.#options)
    this.#db = db
    await db.put('probe', '0')
    this.#state.set('probe', '0')
    await db.flush()
    await db.compactRange()
  }

  async live(): Promise<void> {
    await this.#open()
    for (let script = 0; script < SCRIPTS && !this.#context.isOver(); script++) {
      this.#runScript()
      this.#check('at once')
      if (await this.#isWritable()) continue
      this.#context.count('databases that took no more writes')
      await this.#reopen()
    }
    await this.#reopen()
    await this.#close()
  }

  /** Random calls until V8 ends them. */
  #runScript(): void {
    Object.assign(globalThis, { call: () => this.#call(this.#db as DB) })
    try {
      vm.runInThisContext('for (;;) call()', { timeout: 1 + this.#prng.below(4) })
    } catch (error) {
      const { code } = error as { code?: unknown }
      if (code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') this.#context.count('scripts cut off')
      // A call of the script has noticed that the one before was cut off.
      else if (code !== 'READ_ONLY' && code !== 'ABORTED') this.#fail('a call fails', String((error as Error).stack))
    }
  }

  #call(db: DB): void {
    const key = this.#key()
    const kind = this.#prng.below(8)
    if (kind < 4) {
      const ops = this.#ops()
      const batch = batchOf(ops)
      this.#begun = ops
      db.writeSync(batch)
      this.#acknowledged.push(ops)
      this.#begun = undefined
    } else if (kind === 4) db.getSync(key)
    else if (kind === 5) for (const _ of db.scanSync({ gte: key, limit: 20 }));
    else if (kind === 6) db.getManySync([key, this.#key(), this.#key()])
    else db.snapshot().close()
  }

  #key(): string {
    return `key${String(this.#prng.below(KEYS)).padStart(3, '0')}`
  }

  #ops(): Op[] {
    const prng = this.#prng
    if (prng.below(20) === 0)
      return [[`key${prng.below(3)}`, undefined, `key${prng.below(3)}~`] as const].filter(isRange)
    return Array.from({ length: 1 + prng.below(3) }, () => {
      const value = prng.below(5) === 0 ? undefined : 'v'.repeat(prng.below(2000))
      return [this.#key(), value]
    })
  }

  /** The database holds what was acknowledged, with or without the write that was cut off. */
  #check(when: string): void {
    for (const ops of this.#acknowledged.splice(0)) if (ops !== this.#begun) apply(this.#state, ops)
    const found: State = new Map()
    for (const [key, value] of (this.#db as DB).scanSync()) found.set(text(key), text(value))
    const begun = this.#begun
    if (!isSame(found, this.#state)) {
      const other = begun === undefined ? this.#state : apply(new Map(this.#state), begun)
      if (!isSame(found, other)) this.#fail(`wrong entries ${when}`, difference(this.#state, found))
      this.#state = found
      this.#begun = undefined
    }
    for (const key of [...this.#state.keys()].slice(0, 20)) {
      const value = (this.#db as DB).getSync(key)
      if (value === undefined || text(value) !== this.#state.get(key)) this.#fail(`a wrong value ${when}`, key)
    }
    this.#context.count('comparisons')
  }

  async #isWritable(): Promise<boolean> {
    try {
      await (this.#db as DB).put('probe', '1')
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'READ_ONLY') this.#fail('a write fails', String(error))
      return false
    }
    // With it, what waited for its turn has been written.
    this.#state.set('probe', '1')
    this.#check('after the next write')
    this.#begun = undefined
    return true
  }

  async #reopen(): Promise<void> {
    await this.#close()
    await this.#open()
    this.#check('after opening')
    this.#begun = undefined
  }

  async #close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(resolve, CLOSE_MS, true)
    })
    // It rejects if what was acknowledged is not durable.
    const closed = (this.#db as DB).close().then(
      () => false,
      () => false,
    )
    if (await Promise.race([closed, late])) this.#fail('closing hangs', JSON.stringify(this.#options))
    clearTimeout(timer)
  }

  #fail(kind: string, details: string): void {
    this.#context.finding(kind, `${details} with ${JSON.stringify(this.#options)}`, undefined)
  }
}

function isRange([start, , end]: Op): boolean {
  return end !== undefined && start < end
}

function isSame(a: State, b: State): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value)
}

function difference(expected: State, found: State): string {
  const keys = new Set([...expected.keys(), ...found.keys()])
  const wrong = [...keys].filter((key) => expected.get(key) !== found.get(key))
  return `${wrong.length} keys, such as ${wrong.slice(0, 3).map((key) => `${key}: ${found.get(key)?.length} bytes, not ${expected.get(key)?.length}`)}`
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

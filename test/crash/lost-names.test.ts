/**
 * Names that a failed sync of the directory has lost: of what was pending then, chance decides what is durable, and no later sync
 * makes up for the rest, though it succeeds. Random lives, in which some of these syncs fail, on the database's thread and, in some lives,
 * at the same time on others; from what a power loss may leave at random moments, the database is opened again, and held against
 * what its writes were told (as in crash.test.ts).
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IOError } from '../../src/base/errors.ts'
import { Prng } from '../../src/base/prng.ts'
import type { DB } from '../../src/db/db.ts'
import { open } from '../../src/db/open.ts'
import { type CrashMode, crashImage } from '../../src/env/crash-image.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { applyChange, type MemoryTree, parentOf } from '../../src/env/memory-tree.ts'
import type { FaultCode, FileCall } from '../support/fault-call.ts'
import { FaultEnvironment, type FaultEnvironmentOptions } from '../support/fault-env.ts'
import { RacingEnvironment } from './racing-worker.ts'
import {
  begin,
  commit,
  DIRECTORY,
  Ledger,
  OPTIONS,
  type Runner,
  readState,
  stateOf,
  summary,
  writeSync,
} from './workload.ts'

const SEEDS = Number(process.env.VARVE_LIVES ?? 10)
const FIRST = Number(process.env.VARVE_SEED ?? 1)
const STEPS = 60
const MODES: readonly CrashMode[] = [0, 2, 3, 3, 5]
/** With all of them, the sync itself has failed. */
const CODES: readonly FaultCode[] = ['EIO', 'EIO', 'ENOSPC', 'EDQUOT', 'ENOMEM', 'ESTALE']
const DURABILITIES = ['os', 'os', 'disk', 'buffered'] as const
/** Of a hundred syncs of the directory, by the database's thread and by others; and of a hundred calls. */
const FAILURES = 15
const THREADS_FAILURES = 40
const MOMENTS = 4

interface Moment {
  readonly tree: MemoryTree
  readonly durable: number
  readonly kept: number
  readonly begun: number
  readonly where: string
}

class Life {
  readonly memory: MemoryEnvironment = new MemoryEnvironment()
  readonly ledger: Ledger = new Ledger()
  readonly runner: Runner
  readonly #racing: RacingEnvironment | undefined
  failures = 0
  images = 0
  readonly #seed: number
  readonly #prng: Prng
  #moments: Moment[] = []

  constructor(seed: number, hasThreads: boolean) {
    this.#seed = seed
    this.#prng = new Prng(seed)
    const options: FaultEnvironmentOptions = { directory: DIRECTORY, faultAt: (call) => this.#faultAt(call) }
    const outcomes = {
      prng: this.#prng,
      failure: (path: string) => this.#threadFails(path),
      loseNames: () => this.#loseNames(),
    }
    this.#racing = hasThreads ? new RacingEnvironment(this.memory, options, outcomes) : undefined
    const environment = this.#racing ?? new FaultEnvironment(this.memory, options)
    const pass = async (durationMs: number): Promise<void> => this.#pass(durationMs)
    this.runner = {
      environment,
      ledger: this.ledger,
      options: { maxFileBytes: 4096, workers: hasThreads ? 2 : 0 },
      step: (promise) => this.#step(promise),
      pass,
    }
  }

  async run(): Promise<void> {
    let db = await this.#begin()
    for (let i = 0; i < STEPS; i++) {
      const { durable } = this.ledger
      await this.#act(db)
      if (this.ledger.durable > durable) this.#takeMoment(`seed ${this.#seed}, step ${i}`)
      await this.#checkMoments()
      if (db.stats().poisonedBy !== undefined || this.#prng.below(40) === 0) {
        await this.#end(db)
        db = await this.#begin()
      }
    }
    await this.#end(db)
    await this.#checkMoments()
  }

  /** What was not found is not there any more. */
  async #begin(): Promise<DB> {
    let db: DB | undefined
    for (let tries = 0; db === undefined; tries++) {
      assert.ok(tries < 100, 'it does not open again')
      db = await begin(this.runner, () => {})
    }
    const last = this.#hold(readState(db), this.ledger.kept, this.ledger.writes.length, 'opened again')
    for (const write of this.ledger.writes) if (write.index > last) write.outcome = 'not-written'
    return db
  }

  async #end(db: DB): Promise<void> {
    if (await this.runner.step(db.close())) this.#madeDurable(this.ledger.writes.length)
  }

  async #act(db: DB): Promise<void> {
    const prng = this.#prng
    const durability = DURABILITIES[prng.below(DURABILITIES.length)]
    const bytes = [10, 600, 3000, 6000][prng.below(4)]
    const choice = prng.below(20)
    const count = this.ledger.writes.length
    if (choice < 12) await this.runner.step(commit(this.ledger, db, durability, bytes))
    else if (choice < 15) writeSync(this.runner, db, durability, bytes)
    else if (choice < 17) await this.runner.pass([50, 1000, 20_000][prng.below(3)])
    else if (choice < 19) {
      if (await this.runner.step(db.flush())) this.#madeDurable(count)
    } else await this.runner.step(db.compactRange())
  }

  /** Of the first `count` writes, those that were acknowledged. */
  #madeDurable(count: number): void {
    const last = this.ledger.writes.slice(0, count).findLast(({ outcome }) => outcome === 'acknowledged')
    this.ledger.flushed(last?.index ?? 0)
  }

  #faultAt({ op, index }: FileCall): { code: FaultCode } | undefined {
    const prng = this.#prng
    this.#racing?.race()
    if (prng.below(100) < MOMENTS) this.#takeMoment(`seed ${this.#seed}, call ${index} (${op})`)
    if (op !== 'sync-dir' || prng.below(100) >= FAILURES) return undefined
    this.failures++
    this.#loseNames()
    return { code: CODES[prng.below(CODES.length)] }
  }

  #threadFails(path: string): IOError | undefined {
    if (this.#prng.below(100) >= THREADS_FAILURES) return undefined
    this.failures++
    const code = CODES[this.#prng.below(CODES.length)]
    return new IOError(code, { file: path, cause: Object.assign(new Error(code), { code }) })
  }

  #loseNames(): void {
    const { tree } = this.memory.files
    tree.pending = tree.pending.filter((change) => {
      if (parentOf(change.path) !== DIRECTORY) return true
      if (this.#prng.below(3) === 0) applyChange(tree.durable, change)
      return false
    })
  }

  #takeMoment(where: string): void {
    const { durable, kept, writes } = this.ledger
    this.#moments.push({ tree: this.memory.files.tree.clone(), durable, kept, begun: writes.length, where })
  }

  async #checkMoments(): Promise<void> {
    for (const { tree, durable, kept, begun, where } of this.#moments.splice(0)) {
      for (const mode of MODES)
        await this.#check(crashImage(tree, mode, this.#prng), durable, begun, `${where}, mode ${mode}`)
      await this.#check(tree, kept, begun, `${where}, killed`)
    }
  }

  async #check(tree: MemoryTree, low: number, high: number, where: string): Promise<void> {
    const environment = new MemoryEnvironment({}, tree)
    const db = await open(DIRECTORY, { ...OPTIONS, environment }).catch((error) => {
      throw new Error(`${where}: does not open: ${error.message}`, { cause: error })
    })
    this.#hold(readState(db), low, high, where)
    await db.close()
    this.images++
  }

  /** @returns the last write that is there */
  #hold(state: ReturnType<typeof readState>, low: number, high: number, where: string): number {
    const last = Number(state.get('last') ?? 0)
    const written = this.ledger.writes.filter(({ index, outcome }) => index <= last && outcome !== 'not-written')
    assert.deepEqual(state, stateOf(written), `${where}: ${summary(state)}`)
    assert.ok(last >= low && last <= high, `${where}: of ${high} writes, ${low} count, and ${last} are found`)
    return last
  }

  /** Time passes only if nothing else happens. */
  async #step(promise: Promise<unknown>): Promise<boolean> {
    let outcome: boolean | undefined
    promise.then(
      () => {
        outcome = true
      },
      () => {
        outcome = false
      },
    )
    for (let turns = 1; outcome === undefined; turns++) {
      await new Promise<void>((resolve) => setImmediate(resolve))
      this.#racing?.advance()
      if (turns % 8 === 0) this.#pass(1000)
    }
    return outcome
  }

  #pass(durationMs: number): void {
    this.memory.runTimers(this.memory.clock.micros / 1000 + durationMs)
  }
}

for (const [hasThreads, where] of [
  [false, ''],
  [true, ', on whichever thread'],
] as const) {
  test(`no acknowledged write relies on a name that a failed sync of the directory may have lost${where}`, async (t) => {
    let failures = 0
    let images = 0
    const broken: string[] = []
    for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
      const life = new Life(seed, hasThreads)
      await life.run().catch((error: Error) => broken.push(error.message.split('\n')[0]))
      failures += life.failures
      images += life.images
    }
    t.diagnostic(`${images} images, ${failures} failed syncs`)
    assert.deepEqual(broken, [], `${broken.length} of ${SEEDS} lives`)
    assert.ok(failures > SEEDS, `${failures} failed syncs`)
  })
}

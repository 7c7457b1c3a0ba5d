/**
 * Crashes: for each moment of a planned life, what a loss of power or the end of the process may leave is opened and held against
 * what the writes were told.
 *
 * Promises  (1) it opens
 *           (2) its state is that after the first p writes, for one p from the last that is durable for certain to the last that
 *               was begun: no hole, no half batch
 *           (3) it takes a durable write, which a further loss of power leaves in place, with everything before it
 *           (4) a crash during the recovery, or during that write, leaves what satisfies (1) and (2)
 */
import { isDeepStrictEqual } from 'node:util'
import { Prng } from '../../src/base/prng.ts'
import type { DB } from '../../src/db/db.ts'
import { open } from '../../src/db/open.ts'
import { type CrashMode, crashImage } from '../../src/env/crash-image.ts'
import type { MemoryTree } from '../../src/env/memory-tree.ts'
import { type Ledger, OPTIONS, readState, type State, summary } from '../../test/crash/workload.ts'
import { Scheduler } from '../sim/scheduler.ts'
import { DIRECTORY, SimEnvironment } from '../sim/sim-environment.ts'
import type { LivedPlan, Moment } from './moments.ts'
import { OPTION_SETS, type Plan } from './plan.ts'

/** What a crash left, and what must be in it. */
interface Remains {
  readonly tree: MemoryTree
  /** Writes that must be there, and that may be, at most. */
  readonly low: number
  readonly high: number
  /** As low, where power is lost once more before a recovery has ended. */
  readonly durable: number
  /** Where it comes from, for people. */
  readonly where: string
}

/** Sees the calls of a recovery, and what must be, and may be, found if they never happen. */
type OnCall = (index: number, call: string, tree: MemoryTree, low: number, high: number) => void

/** A database that has been opened, and is as it should be. */
interface Recovered {
  readonly db: DB
  readonly environment: SimEnvironment
  readonly scheduler: Scheduler
  /** Writes that are in it. */
  readonly count: number
}

export interface Tally {
  images: number
  doubleImages: number
  kills: number
}

/** A promise that was broken. */
export class BrokenPromise extends Error {
  override readonly name: string = 'BrokenPromise'
  readonly kind: string

  constructor(kind: string, where: string, details: string, cause?: unknown) {
    super(`${where}: ${kind}: ${details}`, { cause })
    this.kind = kind
  }
}

/** Draws of each mode at each moment; where all that differs is chance, more than one. */
export const ALL_MODES: readonly CrashMode[] = [0, 1, 2, 2, 2, 3, 3, 3, 4, 5, 5, 6, 7]
export const FEW_MODES: readonly CrashMode[] = [0, 2, 3, 5]

/** A further crash comes before one of so many calls of a recovery and the write behind it, or not at all. */
const RECOVERY_CALLS = 48

export class Crashes {
  readonly tally: Tally = { images: 0, doubleImages: 0, kills: 0 }
  readonly #plan: Plan
  readonly #ledger: Ledger
  readonly #prng: Prng
  readonly #states = new Map<number, State>()

  constructor(plan: Plan, { ledger }: LivedPlan) {
    this.#plan = plan
    this.#ledger = ledger
    this.#prng = new Prng(plan.seed ^ 0x5eed)
  }

  /** @throws BrokenPromise */
  async check(moment: Moment, modes: readonly CrashMode[]): Promise<void> {
    const { index, call, tree, durable, kept, begun } = moment
    const isSynced = tree.pending.length === 0 && [...tree.live.values()].every(isDurable)
    // Where nothing can be lost, all images are the same.
    for (const mode of isSynced ? modes.slice(0, 1) : modes) {
      const where = `call ${index} (${call}), mode ${mode}`
      await this.#checkTwice({ tree: crashImage(tree, mode, this.#prng), low: durable, high: begun, durable, where })
      this.tally.images++
    }
    const where = `killed at call ${index} (${call})`
    await this.#checkTwice({ tree: tree.clone(), low: kept, high: begun, durable, where })
    this.tally.kills++
  }

  /** Also with a crash on the way, once. */
  async #checkTwice(remains: Remains): Promise<void> {
    let second: Remains | undefined
    const cutAt = this.#prng.below(RECOVERY_CALLS)
    const mode = this.#prng.below(8) as CrashMode
    await this.#check(remains, (index, call, tree, low, high) => {
      if (index !== cutAt) return
      const where = `${remains.where}, then call ${index} (${call}) of the recovery, mode ${mode}`
      second = { tree: crashImage(tree, mode, this.#prng), low, high, durable: low, where }
    })
    if (second === undefined) return
    this.tally.doubleImages++
    await this.#recover(second, () => {})
  }

  /** Also a write, and a loss of power behind it. */
  async #check(remains: Remains, onCall: OnCall): Promise<void> {
    const recovered = await this.#recover(remains, onCall)
    const { db, environment, scheduler, count } = recovered
    const where = `${remains.where}, written and crashed again`
    await scheduler.until(db.put('after', 'the crash', { durability: 'disk' }))
    const again = new SimEnvironment(scheduler, { tree: crashImage(environment.tree, 0, this.#prng) })
    const found = readState(await this.#open(scheduler, again, where))
    if (found.get('after') !== 'the crash') throw new BrokenPromise('a durable write is lost', where, summary(found))
    this.#countOf(found, count, count, where)
  }

  async #recover({ tree, low, high, durable, where }: Remains, onCall: OnCall): Promise<Recovered> {
    /** What the recovery has shown to its user: nothing else may be found from then on. */
    let shown: number | undefined
    const scheduler = new Scheduler(1)
    const environment = new SimEnvironment(scheduler, {
      tree,
      beforeCall: ({ index, op, path }) => {
        onCall(index, `${op} ${path}`, environment.tree, shown ?? durable, shown ?? high)
        return undefined
      },
    })
    const db = await this.#open(scheduler, environment, where)
    const count = this.#countOf(readState(db), low, high, where)
    shown = count
    return { db, environment, scheduler, count }
  }

  async #open(scheduler: Scheduler, environment: SimEnvironment, where: string): Promise<DB> {
    const options = { ...OPTIONS, ...OPTION_SETS[this.#plan.options], workers: 0, environment }
    try {
      return await scheduler.until(open(DIRECTORY, options))
    } catch (error) {
      throw new BrokenPromise('it does not open', where, (error as Error).message, error)
    }
  }

  /** How many writes a state is made of. */
  #countOf(state: State, low: number, high: number, where: string): number {
    // A crash that comes behind the write after the recovery may find it.
    const after = state.get('after')
    const written = after === undefined ? state : new Map([...state].filter(([key]) => key !== 'after'))
    const count = Number(written.get('last') ?? 0)
    if (!isDeepStrictEqual(written, this.#stateOf(count))) {
      throw new BrokenPromise('a hole or a half batch', where, summary(written))
    }
    if (count < low) throw new BrokenPromise('an acknowledged write is lost', where, `${count} found, ${low} durable`)
    if (count > high) throw new BrokenPromise('a write that never was', where, `${count} found, ${high} begun`)
    return count
  }

  #stateOf(count: number): State {
    const known = this.#states.get(count)
    if (known !== undefined) return known
    const state = this.#ledger.model(count)
    this.#states.set(count, state)
    return state
  }
}

function isDurable(node: unknown): boolean {
  return node === 'directory' || (node as { readonly unsynced: readonly unknown[] }).unsynced.length === 0
}

/**
 * Crashes: for each moment of a planned life, what a loss of power or the end of the process may leave is opened and held against
 * what the writes were told.
 *
 * Promises  (1) it opens
 *           (2) its state is that after the first p writes, for one p from the last that is durable for certain to the last that
 *               was begun: no hole, no half batch
 *           (3) it takes a durable write, which a further loss of power leaves in place, with everything before it
 *           (4) a crash during the recovery, or during that write, leaves what satisfies (1) and (2)
 * Opening one image is the same each time; so of equal ones (fingerprint.ts) one is opened, and held against what each of them
 * must hold. Most images of neighbouring moments are equal.
 */
import { isDeepStrictEqual } from 'node:util'
import { Prng } from '../../src/base/prng.ts'
import type { DB } from '../../src/db/db.ts'
import { open } from '../../src/db/open.ts'
import { CRASH_MODES, type CrashMode, crashImage } from '../../src/env/crash-image.ts'
import type { MemoryTree } from '../../src/env/memory-tree.ts'
import { type Ledger, OPTIONS, readState, type State, summary } from '../../test/crash/workload.ts'
import type { FileCall } from '../../test/support/fault-call.ts'
import { Scheduler } from '../sim/scheduler.ts'
import { DIRECTORY, SimEnvironment } from '../sim/sim-environment.ts'
import { fingerprint } from './fingerprint.ts'
import { CHANGING, type LivedPlan, type Moment } from './moments.ts'
import { OPTION_SETS, type Plan } from './plan.ts'

/** What a crash left, and what must be in it. */
interface Remains {
  readonly tree: MemoryTree
  /** Writes that must be there, and that may be, at most. */
  readonly low: number
  readonly high: number
  /**
   * Of a killed process, as low, where power is lost before the recovery has ended. What a loss of power leaves is durable:
   * whatever is found in it, is found again.
   */
  readonly durable: number | undefined
  /** Where it comes from, for people. */
  readonly where: string
}

/** Sees the calls of a recovery, and what must be, and may be, found if they never happen. */
type OnCall = (call: FileCall, tree: MemoryTree, low: number, high: number) => void

/** What is known of an image that has been opened. */
interface Known {
  /** Writes that are in it. */
  readonly count: number
  /** Whether it has been written to and crashed again, too. */
  readonly isWritten: boolean
}

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
  /** Of all those: equal to one before, so that what came of it is known. */
  equal: number
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

/** Crashes during each recovery, and the write behind it. */
const FURTHER = 2

export class Crashes {
  readonly tally: Tally = { images: 0, doubleImages: 0, kills: 0, equal: 0 }
  readonly #plan: Plan
  readonly #ledger: Ledger
  readonly #prng: Prng
  readonly #states = new Map<number, State>()
  /** By fingerprints. */
  readonly #known = new Map<string, Known>()

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
      await this.#checkTwice({
        tree: crashImage(tree, mode, this.#prng),
        low: durable,
        high: begun,
        durable: undefined,
        where,
      })
      this.tally.images++
    }
    const where = `killed at call ${index} (${call})`
    await this.#checkTwice({ tree: tree.clone(), low: kept, high: begun, durable, where })
    this.tally.kills++
  }

  /** Also with crashes on the way. */
  async #checkTwice(remains: Remains): Promise<void> {
    const { tree, durable } = remains
    const print = `${fingerprint(tree)} ${durable}`
    const known = this.#known.get(print)
    if (known?.isWritten) {
      this.#checkEqual(known, remains)
      return
    }
    const further = new Further(this.#prng, remains.where)
    const count = await this.#check(remains, (call, tree, low, high) => further.see(call, tree, low, high))
    this.#known.set(print, { count, isWritten: true })
    for (const second of further.remains) {
      this.tally.doubleImages++
      await this.#checkFurther(durable === undefined ? { ...second, low: count, high: count } : second)
    }
  }

  async #checkFurther(remains: Remains): Promise<void> {
    const print = `${fingerprint(remains.tree)} undefined`
    const known = this.#known.get(print)
    if (known !== undefined) {
      this.#checkEqual(known, remains)
      return
    }
    const { count } = await this.#recover(remains, () => {})
    this.#known.set(print, { count, isWritten: false })
  }

  #checkEqual({ count }: Known, { low, high, where }: Remains): void {
    this.tally.equal++
    checkRange(count, low, high, where)
  }

  /** Also a write, and a loss of power behind it. */
  async #check(remains: Remains, onCall: OnCall): Promise<number> {
    const recovered = await this.#recover(remains, onCall)
    const { db, environment, scheduler, count } = recovered
    const where = `${remains.where}, written and crashed again`
    await scheduler.until(db.put('after', 'the crash', { durability: 'disk' }))
    const again = new SimEnvironment(scheduler, { tree: crashImage(environment.tree, 0, this.#prng) })
    const found = readState(await this.#open(scheduler, again, where))
    if (found.get('after') !== 'the crash') throw new BrokenPromise('a durable write is lost', where, summary(found))
    return this.#countOf(found, count, count, where)
  }

  async #recover({ tree, low, high, durable = low, where }: Remains, onCall: OnCall): Promise<Recovered> {
    /** What the recovery has shown to its user: nothing else may be found from then on. */
    let shown: number | undefined
    const scheduler = new Scheduler(1)
    const environment = new SimEnvironment(scheduler, {
      tree,
      beforeCall: (call) => {
        onCall(call, environment.tree, shown ?? durable, shown ?? high)
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
    checkRange(count, low, high, where)
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

function checkRange(count: number, low: number, high: number, where: string): void {
  if (count < low) throw new BrokenPromise('an acknowledged write is lost', where, `${count} found, ${low} durable`)
  if (count > high) throw new BrokenPromise('a write that never was', where, `${count} found, ${high} begun`)
}

/** Draws, from the calls of a recovery before which the files are others than before, those before which power is lost. */
class Further {
  readonly remains: Remains[] = []
  readonly #prng: Prng
  readonly #where: string
  #hasChanged = false
  #seen = 0

  constructor(prng: Prng, where: string) {
    this.#prng = prng
    this.#where = where
  }

  see({ index, op, path }: FileCall, tree: MemoryTree, low: number, high: number): void {
    if (this.#hasChanged) this.#draw(`call ${index} (${op} ${path})`, tree, low, high)
    this.#hasChanged = CHANGING.includes(op)
  }

  /** Each of those so far is there with the same odds. */
  #draw(call: string, tree: MemoryTree, low: number, high: number): void {
    const at = this.#seen < FURTHER ? this.#seen : this.#prng.below(this.#seen + 1)
    this.#seen++
    if (at >= FURTHER) return
    const mode = this.#prng.below(CRASH_MODES.length) as CrashMode
    const where = `${this.#where}, then ${call} of the recovery, mode ${mode}`
    this.remains[at] = { tree: crashImage(tree, mode, this.#prng), low, high, durable: undefined, where }
  }
}

function isDurable(node: unknown): boolean {
  return node === 'directory' || (node as { readonly unsynced: readonly unknown[] }).unsynced.length === 0
}

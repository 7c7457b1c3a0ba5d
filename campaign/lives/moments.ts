/**
 * The moments of a planned life at which it may be cut off: before each file-system call, its worker threads' too. A moment holds
 * the file system as it is then, unsynced changes and all, and what the writes so far were told.
 *
 * Moments between which nothing has changed, neither on disk nor in what was told, are one.
 */
import type { VarveError } from '../../src/base/errors.ts'
import type { DB } from '../../src/db/db.ts'
import type { MemoryTree } from '../../src/env/memory-tree.ts'
import { Ledger, type Runner } from '../../test/crash/workload.ts'
import type { FileCall, FileOperation } from '../../test/support/fault-call.ts'
import { Scheduler } from '../sim/scheduler.ts'
import { SimEnvironment } from '../sim/sim-environment.ts'
import { OPTION_SETS, type Plan } from './plan.ts'
import { livePlan } from './planned-life.ts'

export interface Moment {
  /** Of the call that comes next. */
  readonly index: number
  /** `append 000005.log`. */
  readonly call: string
  readonly tree: MemoryTree
  /** So many writes survive a loss of power for certain; so many the end of the process; so many were begun. */
  readonly durable: number
  readonly kept: number
  readonly begun: number
}

export interface LivedPlan {
  readonly moments: readonly Moment[]
  readonly ledger: Ledger
  readonly calls: number
  readonly flushes: number
  readonly compactions: number
  readonly deaths: number
  /** Of everything that happened. */
  readonly hash: string
}

/** What changes files, or what is durable of them. */
export const CHANGING: readonly FileOperation[] = [
  'create',
  'append',
  'reserve',
  'sync',
  'make-dir',
  'rename',
  'link',
  'remove',
  'sync-dir',
]

/** @throws what went wrong although nothing was made to fail */
export async function livedPlan(plan: Plan): Promise<LivedPlan> {
  const scheduler = new Scheduler(plan.seed)
  const ledger = new Ledger()
  const recorder = new Recorder(ledger)
  const { deathOdds = 0 } = plan
  const environment = new SimEnvironment(scheduler, {
    deathOdds,
    beforeCall: (call) => recorder.see(call, environment.tree),
  })
  const runner: Runner = {
    environment,
    ledger,
    options: OPTION_SETS[plan.options],
    async step(promise) {
      try {
        await scheduler.until(promise)
        return true
      } catch (error) {
        // A job whose thread has died is told of, and done again; but a synchronous writer that waits for it does not hear
        // of that, and is refused when it has waited long enough, with all who wait.
        if (deathOdds > 0 && ['IO_ERROR', 'STALLED'].includes((error as VarveError).code)) return false
        throw error
      }
    },
    pass: (durationMs) => scheduler.until(new Promise<void>((resolve) => scheduler.later(durationMs, resolve))),
  }
  await livePlan(runner, plan.steps, (db) => recorder.listen(db))
  recorder.end(environment.tree, environment.callCount)
  const { flushes, compactions } = recorder
  // What is found is a number of first writes: that holds up to a write that was refused.
  const refused = ledger.writes.find(({ outcome }) => outcome === 'not-written')?.index ?? Number.POSITIVE_INFINITY
  const moments = recorder.moments.filter(({ begun }) => begun < refused)
  const { callCount, deaths } = environment
  const calls = recorder.moments[moments.length]?.index ?? callCount
  return { moments, ledger, calls, flushes, compactions, deaths, hash: scheduler.trace.hash }
}

class Recorder {
  readonly moments: Moment[] = []
  flushes = 0
  compactions = 0
  readonly #ledger: Ledger
  #hasChanged = true

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  listen(db: DB): void {
    db.on('flush', () => this.flushes++)
    db.on('compaction', ({ phase }) => {
      if (phase === 'end') this.compactions++
    })
  }

  see({ index, op, path }: FileCall, tree: MemoryTree): undefined {
    const last = this.moments.at(-1)
    if (this.#hasChanged || this.#isNews(last)) this.#add(index, `${op} ${path}`, tree)
    this.#hasChanged = CHANGING.includes(op)
  }

  end(tree: MemoryTree, calls: number): void {
    this.#add(calls, 'the end', tree)
  }

  /** A sync off the thread takes effect at its end, which is no call. */
  #isNews(last: Moment | undefined): boolean {
    const { durable, kept, writes } = this.#ledger
    return last === undefined || last.durable !== durable || last.kept !== kept || last.begun !== writes.length
  }

  #add(index: number, call: string, tree: MemoryTree): void {
    const { durable, kept, writes } = this.#ledger
    this.moments.push({ index, call, tree: tree.clone(), durable, kept, begun: writes.length })
  }
}

/**
 * FaultRun: a life of a database in which a file-system call fails, once or from then on.
 *
 * Invariants  (1) nothing hangs, nothing is rejected unheard, every error is one of varve's
 *             (2) what is acknowledged is visible, and what is not is not; reads work whatever has failed
 *             (3) after a failure of the log or the MANIFEST every later write is refused: READ_ONLY, not written
 *             (4) close settles, and leaves no lock and no open file; so does an open that fails
 *             (5) after a power loss, without faults, every write that was acknowledged as durable is there, none that was
 *                 refused as not written, and of the others a prefix
 */
import assert from 'node:assert/strict'
import { VarveError } from '../../src/base/errors.ts'
import { Prng } from '../../src/base/prng.ts'
import type { DB } from '../../src/db/db.ts'
import { open } from '../../src/db/open.ts'
import type { Options } from '../../src/db/options.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import type { Fault, FaultCode, FaultPredicate, FileCall } from '../support/fault-call.ts'
import { FaultEnvironment } from '../support/fault-env.ts'
import { DIRECTORY, Ledger, live, OPTIONS, type Runner, readState, type State, stateOf, summary } from './workload.ts'

/** A step that takes longer, in turns of the event loop and in simulated time, hangs. */
const TURNS_MAX = 4000
const STEP_MS = 15_000

export interface FaultCase {
  readonly call: number
  readonly code: FaultCode
  readonly isSticky: boolean
  /** Whether reads fail, too; no by default. */
  readonly countReads?: boolean
  /** Beside those of every life, and before them. */
  readonly options?: Options
}

/** Where the disk is full, a part of the bytes is written before the failure. */
const SHORT: readonly FaultCode[] = ['ENOSPC', 'EDQUOT']

/** What a runner lives, from the first opening on; told of each opening. */
export type Life = (runner: Runner, onOpen: (db: DB) => void) => Promise<void>

const unheard: unknown[] = []
process.on('unhandledRejection', (reason) => unheard.push(reason))

export class FaultRun implements Runner {
  readonly memory: MemoryEnvironment = new MemoryEnvironment()
  readonly ledger: Ledger = new Ledger()
  readonly environment: FaultEnvironment
  readonly where: string
  readonly options: Options
  /** What the first injected fault hit. */
  hit: FileCall | undefined = undefined
  readonly #life: Life
  readonly #faultAt: FaultPredicate
  #db: DB | undefined = undefined

  constructor({ call, code, isSticky, countReads = false, options = {} }: FaultCase, life: Life = live) {
    this.options = options
    this.#life = life
    this.where = `call ${call}, ${code}, ${isSticky ? 'from then on' : 'once'}`
    const fault: Fault = SHORT.includes(code) ? { code, shortBytes: 5 } : { code }
    this.environment = new FaultEnvironment(this.memory, { directory: DIRECTORY, countReads })
    this.#faultAt = (made) => {
      if (made.index < call || (made.index > call && !isSticky)) return undefined
      this.hit ??= made
      return fault
    }
    this.environment.setFaults(this.#faultAt)
  }

  async run(): Promise<void> {
    await this.#life(this, (db) => {
      this.#db = db
      this.#reconcile(this.#read(db))
      this.ledger.flushed()
    })
    this.#checkReleased()
    assert.deepEqual(unheard, [], this.where)
  }

  async pass(durationMs: number): Promise<void> {
    this.memory.runTimers(this.memory.clock.micros / 1000 + durationMs)
  }

  async step(promise: Promise<unknown>): Promise<boolean> {
    let outcome: boolean | undefined
    promise.then(
      () => {
        outcome = true
      },
      (error) => {
        outcome = false
        assert.ok(error instanceof VarveError, `${this.#place()}: ${error.stack}`)
      },
    )
    for (let turn = 0; outcome === undefined; turn++) {
      assert.ok(turn < TURNS_MAX, `${this.#place()}: a step hangs`)
      await new Promise<void>((resolve) => setImmediate(resolve))
      if (outcome === undefined && turn % 4 === 3) this.memory.runTimers(this.memory.clock.micros / 1000 + STEP_MS)
    }
    this.#checkOpen()
    return outcome
  }

  /** Acknowledged writes are what is visible; after a poisoning no write is taken. */
  #checkOpen(): void {
    const db = this.#db
    if (db === undefined) return
    if (!db.isOpen) {
      this.#db = undefined
      return
    }
    const visible = this.ledger.writes.filter(({ outcome }) => outcome === 'acknowledged')
    const state = this.#read(db)
    assert.deepEqual(state, stateOf(visible), `${this.#place()}: ${summary(state)}`)
    const { poisonedBy } = db.stats()
    const isDoubtful = this.ledger.writes.some(({ outcome }) => outcome === 'indeterminate')
    assert.ok(poisonedBy !== undefined || !isDoubtful, `${this.#place()}: a write is in doubt, and writing goes on`)
    if (poisonedBy === undefined) return
    assert.throws(
      () => db.putSync('refused', ''),
      (error: VarveError) => error.code === 'READ_ONLY' && error.outcome === 'not-written',
      this.#place(),
    )
  }

  /** A read may fail while calls do, and is right as soon as they do not. */
  #read(db: DB): State {
    try {
      return readState(db)
    } catch (error) {
      assert.equal((error as VarveError).code, 'IO_ERROR', `${this.#place()}: ${(error as Error).stack}`)
    }
    this.environment.setFaults(undefined)
    const state = readState(db)
    this.environment.setFaults(this.#faultAt)
    return state
  }

  #checkReleased(): void {
    const { files } = this.memory
    assert.equal(files.locks.size, 0, `${this.#place()}: the lock is held`)
    assert.equal(files.openCount, 0, `${this.#place()}: files are open`)
  }

  /** Without faults, after a power loss that leaves only what was synced. */
  async recover(): Promise<void> {
    const image = this.memory.crashImage(0, new Prng(1))
    const db = await open(DIRECTORY, { ...OPTIONS, ...this.options, environment: image }).catch((error) => {
      throw new Error(`${this.#place()}: does not open: ${error.message}`, { cause: error })
    })
    this.#reconcile(readState(db))
    await db.put('after', 'the fault', { durability: 'disk' })
  }

  /** Hold what an opening finds against the ledger, which from then on knows what became of every write. */
  #reconcile(state: State): void {
    const possible = this.ledger.writes.filter(({ outcome }) => outcome !== 'not-written')
    const found = possible.filter(({ index }) => state.has(`own${index}`))
    assert.deepEqual(state, stateOf(found), `${this.#place()}: ${summary(state)}`)
    const last = found.at(-1)?.index ?? 0
    for (const write of possible) {
      const isNeeded = write.outcome === 'acknowledged' && write.index <= Math.max(last, this.ledger.durable)
      assert.ok(found.includes(write) || !isNeeded, `${this.#place()}: write ${write.index} is lost`)
      write.outcome = found.includes(write) ? 'acknowledged' : 'not-written'
    }
  }

  #place(): string {
    return `${this.where} (${this.hit?.op} ${this.hit?.path})`
  }
}

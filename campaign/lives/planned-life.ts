/**
 * A planned life: carries out the steps of a plan on a database, on whatever the runner gives it, and keeps the runner's ledger of
 * what each write was told (test/crash/workload.ts).
 */
import type { DB } from '../../src/db/db.ts'
import { begin, commit, type Runner, turn, writeSync } from '../../test/crash/workload.ts'
import type { Step } from './plan.ts'

/** Ends early if the database cannot be opened; `onOpen` is told of each opening. */
export async function livePlan(runner: Runner, steps: readonly Step[], onOpen: (db: DB) => void): Promise<void> {
  const life = new PlannedLife(runner, onOpen)
  await life.open()
  for (const step of steps) await life.step(step)
  await life.close()
}

class PlannedLife {
  readonly #runner: Runner
  readonly #onOpen: (db: DB) => void
  #db: DB | undefined = undefined
  /** Writes that nobody waits for yet. */
  #pending: Promise<void>[] = []

  constructor(runner: Runner, onOpen: (db: DB) => void) {
    this.#runner = runner
    this.#onOpen = onOpen
  }

  async open(): Promise<void> {
    this.#db = await begin(this.#runner, this.#onOpen)
  }

  async close(): Promise<void> {
    const db = this.#db
    this.#db = undefined
    if (db === undefined) return
    const { ledger } = this.#runner
    const count = ledger.writes.length
    const isClosed = await this.#runner.step(db.close())
    await this.#settle()
    if (isClosed) ledger.flushed(count)
  }

  async step(step: Step): Promise<void> {
    const runner = this.#runner
    const db = this.#db
    if (step.type === 'pass') await runner.pass(step.ms)
    else if (step.type === 'reopen') await this.#reopen()
    else if (db === undefined) return
    else if (step.type === 'flush') await this.#flush(db)
    else if (step.type === 'compact') await runner.step(db.compactRange())
    else if (step.type === 'turn') await turn(runner, db, step.durabilities)
    else if (step.type === 'sync') writeSync(runner, db, step.durability, step.bytes)
    else if (step.type === 'write') await runner.step(commit(runner.ledger, db, step.durability, step.bytes))
    else this.#pending.push(commit(runner.ledger, db, step.durability, step.bytes))
  }

  async #reopen(): Promise<void> {
    await this.close()
    await this.open()
  }

  async #flush(db: DB): Promise<void> {
    const { ledger } = this.#runner
    const count = ledger.writes.length
    if (await this.#runner.step(db.flush())) ledger.flushed(count)
  }

  async #settle(): Promise<void> {
    const pending = Promise.allSettled(this.#pending.splice(0)).then((outcomes) => {
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
    })
    await this.#runner.step(pending)
  }
}

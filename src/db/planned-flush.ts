/**
 * PlannedFlush: a flush under way, as the engine's other parts see it: the tables that it is going to drop are busy, and the
 * version whose tables its job reads is held.
 *
 * Threads  belongs to the database's thread
 */
import type { MemTable } from '../memtable/memtable.ts'
import type { Version } from '../version/version.ts'
import type { Engine } from './engine.ts'
import { type FlushPlan, planFlush } from './flush-plan.ts'

export class PlannedFlush {
  readonly plan: FlushPlan
  readonly #engine: Engine
  readonly #version: Version
  readonly #holdsVersion: boolean

  constructor(engine: Engine, table: MemTable) {
    const { readState, busy, snapshots, options } = engine
    this.#engine = engine
    this.#version = readState.version
    this.plan = planFlush(table, this.#version.levels, options.comparator, {
      busy,
      oldestSnapshot: snapshots.oldest,
    })
    this.#holdsVersion = this.plan.below.some((files) => files.length > 0)
    if (this.#holdsVersion) engine.hold(this.#version)
    for (const { number } of this.plan.dropped) busy.add(number)
  }

  /** The flush has been installed, or has failed. */
  end(): void {
    for (const { number } of this.plan.dropped) this.#engine.busy.delete(number)
    if (this.#holdsVersion) this.#engine.unhold(this.#version)
  }
}

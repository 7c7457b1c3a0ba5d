/**
 * PlannedFlush: a flush under way, as the engine's other parts see it: the tables that it is going to drop are busy, and the
 * version whose tables its job reads is held.
 *
 * Threads  belongs to the database's thread
 */
import type { FileNumber } from '../../base/types.ts'
import type { MemTable } from '../../memtable/memtable.ts'
import type { Version } from '../../version/version.ts'
import type { ResolvedOptions } from '../options.ts'
import type { ReadState } from '../read/read-state.ts'
import type { SnapshotList } from '../snapshot.ts'
import { type FlushPlan, planFlush } from './flush-plan.ts'

/** What a plan needs of the engine. */
export interface PlanHost {
  readonly readState: ReadState
  readonly busy: Set<FileNumber>
  readonly snapshots: SnapshotList
  readonly options: ResolvedOptions
  hold(version: Version): void
  unhold(version: Version): void
}

export class PlannedFlush {
  readonly plan: FlushPlan
  readonly #host: PlanHost
  readonly #version: Version
  readonly #holdsVersion: boolean

  constructor(host: PlanHost, table: MemTable) {
    const { readState, busy, snapshots, options } = host
    this.#host = host
    this.#version = readState.version
    this.plan = planFlush(table, this.#version.levels, options.comparator, {
      busy,
      oldestSnapshot: snapshots.oldest,
    })
    this.#holdsVersion = this.plan.below.some((files) => files.length > 0)
    if (this.#holdsVersion) host.hold(this.#version)
    for (const { number } of this.plan.dropped) busy.add(number)
  }

  /** The flush has been installed, or has failed. */
  end(): void {
    for (const { number } of this.plan.dropped) this.#host.busy.delete(number)
    if (this.#holdsVersion) this.#host.unhold(this.#version)
  }
}

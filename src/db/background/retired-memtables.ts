/**
 * RetiredMemTables: MemTables that were flushed, until nobody reads them any more; then their memory serves the next ones
 * (memtable/arena-memory.ts). Without that, a database that is written to in a loop would fill the process with dead arenas, since
 * V8 does not count shared memory towards garbage.
 *
 * Readers  Whoever reads a MemTable in place holds a version that was current before the flush was installed: a scan, or the layers
 *          that another thread uses or pins (sharing.ts). Versions that are held later do not come with that MemTable.
 * Bound    A few wait here; of others, the garbage collector finds out when they are free.
 * Threads  belongs to the database's thread
 */
import type { MemTable } from '../../memtable/memtable.ts'
import type { Version } from '../../version/version.ts'
import type { VersionSet } from '../../version/version-set.ts'
import type { JobExecutor } from '../../worker/executor.ts'
import { recycleMemTable, recycleMemTableLater } from '../write/new-memtable.ts'

/** A reader that keeps up is one change of layers behind. */
const WAITING_MAX = 2

interface Retired {
  readonly table: MemTable
  /** Held when it was flushed. */
  readonly versions: readonly Version[]
}

export class RetiredMemTables {
  readonly #versions: VersionSet
  readonly #executor: JobExecutor
  #waiting: readonly Retired[] = []

  constructor(versions: VersionSet, executor: JobExecutor) {
    this.#versions = versions
    this.#executor = executor
  }

  /** The layers of the current version, which those who read along have been told of, are without this table. */
  add(table: MemTable): void {
    this.#waiting = [...this.#waiting, { table, versions: this.#versions.heldBefore() }]
    this.recycle()
    this.#waiting = this.#waiting.slice(-WAITING_MAX)
  }

  /** Versions may have been let go of. */
  recycle(): void {
    const all = this.#waiting
    this.#waiting = all.filter(({ versions }) => versions.some((version) => this.#versions.holds(version)))
    for (const retired of all) if (!this.#waiting.includes(retired)) recycleMemTableLater(retired.table, this.#executor)
  }

  /** The database is closed, and nobody reads it. No job may be started any more. */
  recycleAll(): void {
    for (const { table } of this.#waiting) recycleMemTable(table)
    this.#waiting = []
  }
}

/**
 * Scanner: begins scans over all layers of a database, and knows the open ones.
 */
import { ClosedError } from '../base/errors.ts'
import type { InternalIterator } from '../base/iterator.ts'
import { MergingIterator } from '../iterator/merging-iterator.ts'
import type { FileMetadata } from '../version/file-metadata.ts'
import { LevelIterator } from '../version/level-iterator.ts'
import { DBIterator } from './db-iterator.ts'
import type { Engine } from './engine.ts'
import { PinnedTables } from './pinned-tables.ts'
import { RangeFilters } from './range-filters.ts'
import { isEmpty } from './read-state.ts'
import { type Project, ScanCursor } from './scan.ts'
import { planScan, type ScanOptions } from './scan-options.ts'

export class Scanner {
  readonly #engine: Engine
  readonly #open = new Set<ScanCursor<unknown>>()
  #isClosed = false

  constructor(engine: Engine) {
    this.#engine = engine
  }

  get openCount(): number {
    return this.#open.size
  }

  /**
   * A scan of the state at this moment, or at the given snapshot.
   * @throws InvalidArgumentError, ClosedError; CorruptionError or IOError if a table cannot be opened
   */
  begin<T>(options: ScanOptions, project: Project<T>): ScanCursor<T> {
    const { bounds, isReverse, limit, snapshot } = planScan(options)
    if (this.#isClosed) throw new ClosedError('the database is closed')
    const engine = this.#engine
    const sequence = snapshot?.sequenceFor(engine.snapshots) ?? engine.lastSequence
    const { active, immutables, version } = engine.readState
    const pinned = new PinnedTables(engine.tables)
    const openTable = (file: FileMetadata): InternalIterator => pinned.pin(file).iterator()
    const leaveTable = (file: FileMetadata): void => pinned.release(file)
    engine.hold(version)
    const end = (): void => {
      pinned.releaseAll()
      this.#open.delete(cursor)
      engine.unhold(version)
    }
    const { comparator } = engine.options
    const filters = new RangeFilters(comparator, sequence)
    // What is written to an empty one from here on is newer than the scan.
    const slots = [active, ...immutables].filter((slot) => !isEmpty(slot))
    const memtables = slots.map(({ table }) => filters.memTable(table))
    const tables: InternalIterator[] = []
    try {
      for (let i = version.levels[0].length - 1; i >= 0; i--) tables.push(openTable(version.levels[0][i]))
    } catch (error) {
      pinned.releaseAll()
      engine.unhold(version)
      throw error
    }
    for (const files of version.levels.slice(1)) {
      if (files.length > 0) tables.push(new LevelIterator(comparator, files, openTable, leaveTable))
    }
    const children = [...memtables, ...filters.tables(tables)]
    const merged = children.length === 1 ? children[0] : new MergingIterator(comparator, children)
    const cursor = new ScanCursor(
      new DBIterator(merged, comparator, sequence, bounds, isReverse, engine.hints),
      project,
      engine.copies,
      limit,
      end,
    )
    this.#open.add(cursor as ScanCursor<unknown>)
    return cursor
  }

  /** End all scans; whoever goes on pulling gets a ClosedError. */
  close(): void {
    this.#isClosed = true
    for (const cursor of [...this.#open]) cursor.abort()
  }
}

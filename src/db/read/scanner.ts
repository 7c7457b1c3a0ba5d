/**
 * Scanner: begins scans over all layers of a database, and knows the open ones.
 */
import { closeAll } from '../../base/close-all.ts'
import { ClosedError } from '../../base/errors.ts'
import type { InternalIterator } from '../../base/iterator.ts'
import { MergingIterator } from '../../iterator/merging-iterator.ts'
import type { FileMetadata } from '../../version/file-metadata.ts'
import { LevelIterator } from '../../version/level-iterator.ts'
import { closed } from '../call-options.ts'
import { READING } from '../calls.ts'
import { Cursor } from './cursor.ts'
import { DBIterator } from './db-iterator.ts'
import { IdleScan } from './idle-scan.ts'
import { PinnedTables } from './pinned-tables.ts'
import { RangeFilters } from './range-filters.ts'
import type { ReadHost } from './read-host.ts'
import { isEmpty } from './read-state.ts'
import { type Project, ScanCursor } from './scan.ts'
import { type CursorOptions, planCursor, planScan, type ScanOptions, type ScanPlan } from './scan-options.ts'

/** What a scan keeps until it ends. */
interface OpenScan {
  cursor: Cursor | undefined
  isHeld: boolean
  /** Of all that it keeps; once or several times. */
  letGo(): void
}

export class Scanner {
  readonly #host: ReadHost
  readonly #open = new Set<OpenScan>()
  readonly #idle: IdleScan
  #isClosed = false

  constructor(host: ReadHost) {
    this.#host = host
    this.#idle = new IdleScan(host)
  }

  get openCount(): number {
    return this.#open.size
  }

  /**
   * A scan of the state at this moment, or at the given snapshot.
   * @throws InvalidArgumentError, NotSupportedError, ClosedError; CorruptionError or IOError if a table cannot be opened
   */
  begin<T>(options: ScanOptions, project: Project<T>): ScanCursor<T> {
    const plan = planScan(options, this.#host.options.comparator)
    const { cursor, iterator } = this.#host.calls.during(READING, () => this.#begin(plan))
    return new ScanCursor(cursor, iterator, project, this.#host.copies, plan.limit)
  }

  /** A cursor; as begin. */
  cursor(options: CursorOptions): Cursor {
    const plan = planCursor(options, this.#host.options.comparator)
    return this.#host.calls.during(READING, () => this.#begin(plan)).cursor
  }

  /** End all scans and cursors; whoever goes on with one gets a ClosedError. */
  close(): void {
    this.#isClosed = true
    this.abort(new ClosedError('the database was closed during the scan'))
  }

  /** End all that are open; whoever goes on with one gets the error. @throws the first failure, after all were tried */
  abort(error: Error): void {
    // Of one that was cut off, what it keeps may be all that there is, or all that is left.
    closeAll([...this.#open].flatMap((scan) => [() => scan.cursor?.abort(error), () => scan.letGo()]))
  }

  #begin({ bounds, isReverse, snapshot }: ScanPlan): { readonly cursor: Cursor; readonly iterator: DBIterator } {
    if (this.#isClosed) throw closed()
    this.#idle.touch()
    const host = this.#host
    const sequence = snapshot?.sequenceFor(host.snapshots) ?? host.lastSequence
    const { active, immutables, version } = host.readState
    const pinned = new PinnedTables(host.tables)
    const openTable = (file: FileMetadata): InternalIterator => pinned.pin(file).iterator()
    const leaveTable = (file: FileMetadata): void => pinned.release(file)
    const scan: OpenScan = {
      cursor: undefined,
      isHeld: false,
      letGo: () => {
        try {
          pinned.releaseAll()
        } finally {
          const { isHeld } = scan
          scan.isHeld = false
          if (isHeld) host.unhold(version)
          this.#open.delete(scan)
        }
      },
    }
    this.#open.add(scan)
    host.hold(version)
    scan.isHeld = true
    const { comparator } = host.options
    const filters = new RangeFilters(comparator, sequence)
    // What is written to an empty one from here on is newer than the scan.
    const slots = [active, ...immutables].filter((slot) => !isEmpty(slot))
    const memtables = slots.map(({ table }) => filters.memTable(table))
    const tables: InternalIterator[] = []
    try {
      for (let i = version.levels[0].length - 1; i >= 0; i--) tables.push(openTable(version.levels[0][i]))
    } catch (error) {
      scan.letGo()
      throw host.damage.found(error)
    }
    for (const files of version.levels.slice(1)) {
      if (files.length > 0) tables.push(new LevelIterator(comparator, files, openTable, leaveTable))
    }
    const children = [...memtables, ...filters.tables(tables)]
    const merged = children.length === 1 ? children[0] : new MergingIterator(comparator, children)
    const iterator = new DBIterator(merged, comparator, sequence, bounds, isReverse, host.hints)
    const cursor = new Cursor(iterator, host.copies, host.calls, (error) => {
      if (error !== undefined) host.damage.found(error)
      scan.letGo()
    })
    scan.cursor = cursor
    return { cursor, iterator }
  }
}

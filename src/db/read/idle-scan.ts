/**
 * idle-scan: a scan over nothing that a database keeps and never moves. Once no object of a class is left, a full garbage
 * collection takes the runtime's description of the class, and with it the compiled code of all that has seen it: after each
 * one, scans would begin in the interpreter. For the same reason a tree keeps an iterator, the commit queue a group;
 * there is always a batch (batch/write-batch.ts), and a table builder where jobs run. tools/deopt-guard.ts finds who has none.
 *
 * Touched  A number that no longer fits into 32 bits with sign gives a class another description, which an object takes over when
 *          something is written to it: the beginning of every scan does, or else the idle one would keep the wrong one.
 */
import { bytewiseComparator } from '../../base/comparator.ts'
import type { SequenceNumber } from '../../base/types.ts'
import { MergingIterator } from '../../iterator/merging-iterator.ts'
import { RangeFilterIterator } from '../../iterator/range-filter-iterator.ts'
import { Table } from '../../table/table.ts'
import type { TableIterator } from '../../table/table-iterator.ts'
import { LevelIterator } from '../../version/level-iterator.ts'
import { Cursor } from './cursor.ts'
import { DBIterator, type KeyBounds } from './db-iterator.ts'
import { PinnedTables } from './pinned-tables.ts'
import { RangeFilters } from './range-filters.ts'
import type { ReadHost } from './read-host.ts'
import { type Entry, projectEntry, Scan, ScanCursor, SyncScan } from './scan.ts'

const EVERYTHING: KeyBounds = { lower: undefined, includeLower: true, upper: undefined, includeUpper: true }
const NO_SEQUENCE = 0 as SequenceNumber

export class IdleScan {
  readonly table: Table = Table.idle()
  readonly #entries: TableIterator
  readonly #level: LevelIterator
  readonly #merged: MergingIterator
  readonly #filtered: RangeFilterIterator
  readonly #iterator: DBIterator
  readonly filters: RangeFilters = new RangeFilters(bytewiseComparator, NO_SEQUENCE)
  /** With what they consist of. */
  readonly scans: readonly [SyncScan<Entry>, Scan<Entry>]

  constructor({ environment, copies, tables, calls }: ReadHost) {
    const pinned = new PinnedTables(tables)
    this.#entries = this.table.iterator()
    this.#level = new LevelIterator(bytewiseComparator, [], (file) => pinned.pin(file).iterator())
    this.#merged = new MergingIterator(bytewiseComparator, [])
    this.#filtered = new RangeFilterIterator(this.#merged, bytewiseComparator, [], NO_SEQUENCE)
    this.#iterator = new DBIterator(this.#merged, bytewiseComparator, NO_SEQUENCE, EVERYTHING, false)
    const cursor = new Cursor(this.#iterator, copies, calls, () => pinned.releaseAll())
    const pulled = new ScanCursor(cursor, this.#iterator, projectEntry, copies, Number.POSITIVE_INFINITY)
    this.scans = [new SyncScan(pulled), new Scan(pulled, environment)]
  }

  /** A scan begins. */
  touch(): void {
    this.#entries.valid = false
    this.#level.valid = false
    this.#merged.valid = false
    this.#filtered.valid = false
    this.#iterator.valid = false
  }
}

/**
 * RangeFilters: what a scan puts before its layers, so that they show nothing that range tombstones delete: before a MemTable
 * for its own tombstones and those of newer MemTables, before the tables, merged, for all of them. Layers that no
 * range tombstone concerns are left as they are: a database without any pays nothing.
 *
 * Threads  belongs to one scan, on its thread
 */
import type { Comparator } from '../../base/comparator.ts'
import type { InternalIterator } from '../../base/iterator.ts'
import type { RangeCover } from '../../base/range-cover.ts'
import type { SequenceNumber } from '../../base/types.ts'
import { MergingIterator } from '../../iterator/merging-iterator.ts'
import { RangeFilterIterator } from '../../iterator/range-filter-iterator.ts'
import type { MemTable } from '../../memtable/memtable.ts'

export class RangeFilters {
  readonly #comparator: Comparator
  readonly #sequence: SequenceNumber
  /** The MemTables so far that have range tombstones at or below the sequence. */
  readonly #covering: MemTable[] = []

  /** @param sequence what the scan reads at */
  constructor(comparator: Comparator, sequence: SequenceNumber) {
    this.#comparator = comparator
    this.#sequence = sequence
  }

  /** An iterator over a MemTable, newer ones having been asked for before. */
  memTable(table: MemTable): InternalIterator {
    if (table.rangeCover(this.#sequence) !== undefined) this.#covering.push(table)
    // What is as new as the newest write of the table, and a range tombstone, is newer than all its entries.
    return this.#filtered(table.iterator(), (table.largestSequence - 1) as SequenceNumber)
  }

  /** Iterators over the tables, which are older than all MemTables; these have been asked for before. */
  tables(children: readonly InternalIterator[]): readonly InternalIterator[] {
    if (this.#covering.length === 0 || children.length === 0) return children
    const merged = children.length === 1 ? children[0] : new MergingIterator(this.#comparator, children)
    return [this.#filtered(merged, 0 as SequenceNumber)]
  }

  #filtered(child: InternalIterator, newestEntry: SequenceNumber): InternalIterator {
    if (this.#covering.length === 0) return child
    const covers = this.#covering.map((table) => table.rangeCover(this.#sequence) as RangeCover)
    return new RangeFilterIterator(child, this.#comparator, covers, newestEntry)
  }
}

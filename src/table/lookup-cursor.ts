/**
 * LookupCursor: where the lookups of a database's tables stand: in one block of one table. All its tables share one, so
 * that open tables that are not asked hold on to no block; and a lookup in the block of the one before needs no search for it.
 *
 * Invariant  `entries` is in data block `at` of `owner`, unless there is no owner
 * Threads    belongs to the thread of its tables; lookups do not overlap
 */
import type { Comparator } from '../base/comparator.ts'
import { type Block, EMPTY_BLOCK } from './block.ts'
import { BlockIterator } from './block-iterator.ts'

export class LookupCursor {
  readonly entries: BlockIterator
  /** The table, known only by its identity. */
  owner: object | undefined
  at: number

  constructor(comparator: Comparator) {
    this.entries = new BlockIterator(comparator)
    this.owner = undefined
    this.at = 0
  }

  enter(owner: object, at: number, block: Block): void {
    this.entries.reset(block)
    this.owner = owner
    this.at = at
  }

  /** Hold on to nothing. */
  leave(): void {
    this.entries.reset(EMPTY_BLOCK)
    this.owner = undefined
  }
}

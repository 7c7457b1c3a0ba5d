/**
 * BlockStore: where tables keep verified blocks between reads. Implemented by the block cache.
 *
 * Shelf  An open table has one, with a place for each of its data blocks: the store puts there what it keeps of the table, and
 *        takes it away when it lets go of it. So a block is found without a search, and a table that is closed has none in the store.
 */
import type { FileNumber } from '../base/types.ts'
import type { Block } from './block.ts'

/** What is kept of one table, by number of data block; written to by the store alone. */
export type Shelf = (Block | undefined)[]

export interface BlockStore {
  /** Data block `at` of a shelf's table, if it is kept, for a lookup. Who uses it beyond the next call holds it. */
  get(shelf: Shelf, at: number): Block | undefined
  /** As get, for a scan, which passes every block once: no reason to keep it longer. */
  getForScan(shelf: Shelf, at: number): Block | undefined
  /** Whether a block that was not there, and is read now, is worth keeping. Asked once for each miss. */
  admits(file: FileNumber, at: number): boolean
  /** Keep a block, in memory of its own; the store holds what it keeps (block-memory.ts). */
  put(shelf: Shelf, at: number, block: Block): void
  /** Let go of all blocks of a table, which is closed. */
  drop(shelf: Shelf): void
}

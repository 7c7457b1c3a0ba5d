/**
 * BlockStore: where tables keep verified blocks between reads. Implemented by the block cache.
 *
 * Shelf  A table has one, with a place for each of its data blocks: the store puts there what it keeps of the table, and
 *        takes it away when it lets go of it. A block that is found on the shelf is found without a search.
 */
import type { FileNumber } from '../base/types.ts'
import type { Block } from './block.ts'

/** What is kept of one table, by number of data block; written to by the store alone. */
export type Shelf = (Block | undefined)[]

export interface BlockStore {
  /** The block, if it is kept, for a lookup; it is data block `at` of the shelf. Who uses it beyond the next call holds it. */
  get(file: FileNumber, offset: number, shelf?: Shelf, at?: number): Block | undefined
  /** As get, for a scan, which passes every block once: no reason to keep it longer. */
  getForScan(file: FileNumber, offset: number, shelf?: Shelf, at?: number): Block | undefined
  /** Offer a block for keeping, in memory of its own; the store holds what it keeps (block-memory.ts). */
  put(file: FileNumber, offset: number, block: Block, shelf?: Shelf, at?: number): void
}

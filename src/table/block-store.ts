/**
 * BlockStore: where tables keep verified blocks between reads. Implemented by the block cache.
 */
import type { FileNumber } from '../base/types.ts'
import type { Block } from './block.ts'

export interface BlockStore {
  /** The block, if it is kept, for a lookup; the caller may use it for as long as it likes. */
  get(file: FileNumber, offset: number): Block | undefined
  /** As get, for a scan, which passes every block once: no reason to keep it longer. */
  getForScan(file: FileNumber, offset: number): Block | undefined
  /** Offer a block for keeping, in memory of its own. */
  put(file: FileNumber, offset: number, block: Block): void
}

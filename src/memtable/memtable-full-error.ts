/**
 * MemTableFullError. A file of its own, since the public declarations lead here, and are not to lead to the arena.
 */
import { VarveError } from '../base/errors.ts'

/** The MemTable has no room for the entry, and did not change: freeze it and go on with another. */
export class MemTableFullError extends VarveError {
  constructor(neededBytes: number, freeBytes: number) {
    super(
      'MEMTABLE_FULL',
      `the MemTable is full: an entry needs up to ${neededBytes} bytes, and ${freeBytes} are free`,
      {
        outcome: 'not-written',
      },
    )
  }
}

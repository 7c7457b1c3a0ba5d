/**
 * EntrySink: where entries of a table go, one by one and in order: into the TableBuilder of another table, as a rule.
 */
import type { Bytes } from '../base/types.ts'

export interface EntrySink {
  /**
   * All bytes are borrowed until return.
   * @param known so many bytes the user key has in common with the one before, or more; 0 if left out
   * @param view of `value`, if it is to be copied by words
   */
  add(
    key: Bytes,
    keyOff: number,
    keyLen: number,
    tagLow: number,
    tagHigh: number,
    value: Bytes,
    valOff: number,
    valLen: number,
    known?: number,
    view?: DataView,
  ): void
}

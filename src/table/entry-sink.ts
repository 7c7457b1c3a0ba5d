/**
 * EntrySink: where entries of a table go, one by one and in order: into the TableBuilder of another table, as a rule.
 */
import type { Bytes } from '../base/types.ts'

/** All bytes are borrowed until return. */
export interface EntrySink {
  add(
    key: Bytes,
    keyOff: number,
    keyLen: number,
    tagLow: number,
    tagHigh: number,
    value: Bytes,
    valOff: number,
    valLen: number,
  ): void
}

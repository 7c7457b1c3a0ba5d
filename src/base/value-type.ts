/**
 * The type byte of an internal key and of a batch entry, as LevelDB writes it. On disk: never change.
 * Use as `import * as ValueType from '../base/value-type.ts'`.
 */

/** A tombstone: the key is deleted as of its sequence number. */
export const DELETION = 0
/** A value. The larger type, so that seeking with it finds every entry of the sequence number. */
export const VALUE = 1
/**
 * A range tombstone: all keys of [start, end) are deleted as of its sequence number. varve's own, in logs and MemTables
 * only, never in a table (docs/rfcs/0006); the number is the one that RocksDB uses.
 */
export const RANGE_DELETION = 0x0f

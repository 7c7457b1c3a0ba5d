/**
 * varve/memtable: the MemTable as a library of its own. This file is its whole public face.
 * @module varve/memtable
 */
export type { Comparator, KeyOrder } from '../base/comparator.ts'
export { CorruptionError, InvalidArgumentError, NotSupportedError, ReadOnlyError, VarveError } from '../base/errors.ts'
export { prefixRange } from '../base/prefix-range.ts'
export type { Bytes, SequenceNumber } from '../base/types.ts'
export type { DecodeOptions } from '../memtable/dump-decoder.ts'
export type { MemTableEntry, MemTableRange, MemTableVersion } from '../memtable/entry.ts'
export { decodeLsmEntry, encodeLsmEntry, type LsmEntry } from '../memtable/lsm-entry.ts'
export { LsmMemtable } from '../memtable/lsm-memtable.ts'
export { MemTable } from '../memtable/memtable.ts'
export type { MemTableCursor } from '../memtable/memtable-cursor.ts'
export { MemTableFullError } from '../memtable/memtable-full-error.ts'
export type { MemTableOptions, MemTableToken } from '../memtable/memtable-options.ts'

/**
 * About how many bytes of tables a range of keys takes, from the tables' indexes alone: exact to a block at each end of the
 * range in each table. What is only in memory does not count. Of a level without overlaps, only the tables in the range are looked at.
 * Source   google/leveldb db/version_set.cc (ApproximateOffsetOf)
 */
import { compareKeys } from '../../base/comparator.ts'
import type { Bytes } from '../../base/types.ts'
import { type FileMetadata, userRange } from '../../version/file-metadata.ts'
import { overlappingFiles } from '../../version/overlap.ts'
import { READING } from '../calls.ts'
import type { Engine } from '../engine.ts'

/**
 * @param begin first key, inclusive
 * @param end last key, exclusive; 0 if it is not after `begin`
 * @throws CorruptionError, IOError from opening a table
 */
export function approximateSize(engine: Engine, begin: Bytes, end: Bytes): number {
  return engine.calls.during(READING, () => {
    const { comparator } = engine.options
    const { version } = engine.readState
    let bytes = 0
    for (const level of version.levels.keys()) {
      for (const file of overlappingFiles(comparator, version, level, { smallest: begin, largest: end })) {
        bytes += offsetIn(engine, file, end) - offsetIn(engine, file, begin)
      }
    }
    return Math.max(0, bytes)
  })
}

/** Bytes of the table that come before the key. */
function offsetIn({ tables, options }: Engine, file: FileMetadata, key: Bytes): number {
  const { smallest, largest } = userRange(file)
  if (compareKeys(options.comparator, largest, key) < 0) return file.bytes
  if (compareKeys(options.comparator, smallest, key) >= 0) return 0
  const table = tables.acquire(file.number, file.bytes)
  try {
    return table.approximateOffset(key, 0, key.length)
  } finally {
    tables.release(table)
  }
}

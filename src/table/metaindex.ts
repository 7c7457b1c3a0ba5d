/**
 * The metaindex block: names of a table's blocks that hold neither entries nor index, with their handles. LevelDB knows
 * one kind, `filter.<name of the policy>`; other names are passed over.
 */
import { equalBytes } from '../base/bytes.ts'
import { Reader } from '../base/coding.ts'
import type { Bytes } from '../base/types.ts'
import type { Block } from './block.ts'
import { BlockCursor } from './block-cursor.ts'
import type { FilterPolicy } from './filter-policy.ts'
import { type BlockHandle, readHandle } from './table-format.ts'

/** The name under which the filter block of a policy is found. */
export function filterKey(policy: FilterPolicy): Bytes {
  return new TextEncoder().encode(`filter.${policy.name}`)
}

/**
 * The handle stored under `name`, or undefined if there is none.
 * @throws CorruptionError if the block cannot be read
 */
export function findMetaBlock(metaindex: Block, name: Bytes): BlockHandle | undefined {
  const cursor = new BlockCursor()
  cursor.reset(metaindex)
  while (!cursor.isAtEnd) {
    cursor.advance()
    if (equalBytes(cursor.key, 0, cursor.keyLength, name, 0, name.length)) {
      const reader = new Reader(metaindex.bytes, cursor.valueOffset, cursor.valueOffset + cursor.valueLength)
      const handle = readHandle(reader)
      if (reader.failed) metaindex.damaged('a metaindex entry that is not a block handle')
      return handle
    }
  }
  return undefined
}

/**
 * The handles that index and metaindex blocks hold, read whole: for going through a table from end to end.
 */
import { Reader } from '../base/coding.ts'
import type { Bytes } from '../base/types.ts'
import type { Block } from '../table/block.ts'
import { BlockCursor } from '../table/block-cursor.ts'
import { type BlockHandle, readHandle } from '../table/table-format.ts'

export interface NamedHandle {
  /** The key that it stands under. */
  readonly key: Bytes
  readonly handle: BlockHandle
}

/** @throws CorruptionError if an entry is none */
export function handlesOf(block: Block): NamedHandle[] {
  const handles: NamedHandle[] = []
  const cursor = new BlockCursor()
  cursor.reset(block)
  while (!cursor.isAtEnd) {
    cursor.advance()
    const { key, keyLength, valueOffset, valueLength } = cursor
    const reader = new Reader(block.bytes, valueOffset, valueOffset + valueLength)
    const handle = readHandle(reader)
    if (reader.failed || reader.remaining > 0) block.damaged('an entry that is not a block handle')
    handles.push({ key: key.slice(0, keyLength), handle })
  }
  return handles
}

/** A handle's place, to look it up by. */
export function placeOf({ offset, bytes }: BlockHandle): string {
  return `${offset}+${bytes}`
}

/**
 * Blocks without entries, for a cache that asks for their size alone.
 */
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { BlockCache } from '../../src/cache/block-cache.ts'
import { Block } from '../../src/table/block.ts'
import type { Shelf } from '../../src/table/block-store.ts'

/** A block of `bytes` bytes: one restart point, and what no entry is read of. */
export function blockOf(bytes: number): Block {
  const contents = new Uint8Array(bytes)
  contents[bytes - 4] = 1
  return new Block(contents, 'f', 0)
}

/** Bytes that a cache counts for a block of 100. */
export const CHARGE: number = ((): number => {
  const cache = new BlockCache(10_000, bytewiseComparator)
  cache.put([], 0, blockOf(100))
  return cache.bytes
})()

/** Which blocks of a table are kept. */
export function keptOf(shelf: Shelf, places: readonly number[]): boolean[] {
  return places.map((at) => shelf[at] !== undefined)
}

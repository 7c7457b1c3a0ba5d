/**
 * The representations of a MemTable, for tests that hold for each of them.
 */
import { test } from 'node:test'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { Arena } from '../../src/memtable/arena.ts'
import { type MemTableRep, RADIX, SKIPLIST } from '../../src/memtable/memtable-rep.ts'
import { RadixTree } from '../../src/memtable/radix-tree.ts'
import { SkipList } from '../../src/memtable/skiplist.ts'

export type Representation = 'radix' | 'skiplist'

export const REPRESENTATIONS: readonly Representation[] = ['radix', 'skiplist']

/** One test for each representation. */
export function testEach(name: string, body: (representation: Representation) => void | Promise<void>): void {
  for (const representation of REPRESENTATIONS) test(`${name} (${representation})`, () => body(representation))
}

/** An index of its own, in bytewise order, and its arena, whose free space holds `fill`. */
export function makeRep(
  representation: Representation,
  capacityBytes: number,
  fill: number = 0,
): { readonly arena: Arena; readonly rep: MemTableRep } {
  const arena = Arena.create(capacityBytes, representation === 'radix' ? RADIX : SKIPLIST)
  if (fill !== 0) arena.bytes.fill(fill, arena.tail)
  const rep = representation === 'radix' ? new RadixTree(arena) : new SkipList(arena, bytewiseComparator, 1)
  return { arena, rep }
}

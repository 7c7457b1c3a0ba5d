/**
 * The representations of a MemTable, for tests that hold for each of them.
 */
import { test } from 'node:test'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { Arena } from '../../src/memtable/arena.ts'
import { type MemTableRep, RADIX, SKIPLIST, VECTOR } from '../../src/memtable/memtable-rep.ts'
import { representationOf } from '../../src/memtable/representation.ts'

export type Representation = 'radix' | 'skiplist' | 'vector'

export const REPRESENTATIONS: readonly Representation[] = ['radix', 'skiplist', 'vector']
const IDS: Readonly<Record<Representation, number>> = { radix: RADIX, skiplist: SKIPLIST, vector: VECTOR }

/** One test for each representation. */
export function testEach(name: string, body: (representation: Representation) => void | Promise<void>): void {
  for (const representation of REPRESENTATIONS) test(`${name} (${representation})`, () => body(representation))
}

/** One test for each representation that other threads read while it is written. */
export function testEachLive(name: string, body: (representation: Representation) => void | Promise<void>): void {
  for (const representation of REPRESENTATIONS) {
    if (representation !== 'vector') test(`${name} (${representation})`, () => body(representation))
  }
}

/** An index of its own, in bytewise order, and its arena, whose free space holds `fill`. */
export function makeRep(
  representation: Representation,
  capacityBytes: number,
  fill: number = 0,
): { readonly arena: Arena; readonly rep: MemTableRep } {
  const arena = Arena.create(capacityBytes, IDS[representation])
  if (fill !== 0) arena.bytes.fill(fill, arena.tail)
  return { arena, rep: representationOf(arena, bytewiseComparator, 1) }
}

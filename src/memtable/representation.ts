/**
 * Which representations there are, and which one an arena, or an option, asks for.
 */
import { bytewiseComparator, type Comparator } from '../base/comparator.ts'
import { InvalidArgumentError } from '../base/errors.ts'
import type { Arena } from './arena.ts'
import { type MemTableRep, RADIX, SKIPLIST } from './memtable-rep.ts'
import { RADIX_OVERHEAD_BYTES, RadixTree } from './radix-tree.ts'
import { SKIPLIST_OVERHEAD_BYTES, SkipList } from './skiplist.ts'

/** Arena bytes that an entry can take beyond its key and its value, in any representation. */
export const OVERHEAD_BYTES_MAX: number = Math.max(RADIX_OVERHEAD_BYTES, SKIPLIST_OVERHEAD_BYTES)

/** The id of what an option asks for. @throws InvalidArgumentError if it is none, or cannot order by the comparator */
export function representationId(option: unknown, comparator: Comparator): number {
  const isBytewise = comparator === bytewiseComparator
  if (option === undefined) return isBytewise ? RADIX : SKIPLIST
  if (option === 'skiplist') return SKIPLIST
  if (option !== 'radix') {
    throw new InvalidArgumentError(`representation must be 'radix' or 'skiplist', not ${String(option)}`)
  }
  if (!isBytewise) throw new InvalidArgumentError(`a 'radix' MemTable cannot be ordered by ${comparator.name}`)
  return RADIX
}

/** @throws InvalidArgumentError if nothing here builds what the arena holds */
export function checkRepresentation(arena: Arena): void {
  if (arena.representation !== SKIPLIST && arena.representation !== RADIX) {
    throw new InvalidArgumentError(`not a MemTable's memory: its representation is ${arena.representation}`)
  }
}

/** The index in an arena: a new one, or the one that is there. */
export function representationOf(arena: Arena, comparator: Comparator, seed: number): MemTableRep {
  return arena.representation === RADIX ? new RadixTree(arena) : new SkipList(arena, comparator, seed)
}

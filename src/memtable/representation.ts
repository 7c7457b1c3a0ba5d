/**
 * Which representations there are, and which one an arena, or an option, asks for.
 */
import { bytewiseComparator, type Comparator } from '../base/comparator.ts'
import { InvalidArgumentError, NotSupportedError } from '../base/errors.ts'
import type { Arena } from './arena.ts'
import { type MemTableRep, RADIX, SKIPLIST, VECTOR } from './memtable-rep.ts'
import { RADIX_OVERHEAD_BYTES, RadixTree } from './radix-tree.ts'
import { SKIPLIST_OVERHEAD_BYTES, SkipList } from './skiplist.ts'
import { SortedVector, VECTOR_OVERHEAD_BYTES } from './sorted-vector.ts'

const CHECKSUM_BYTES = 4

/** Arena bytes that an entry can take beyond its key and its value, in any representation. */
export const OVERHEAD_BYTES_MAX: number =
  Math.max(RADIX_OVERHEAD_BYTES, SKIPLIST_OVERHEAD_BYTES, VECTOR_OVERHEAD_BYTES) + CHECKSUM_BYTES

/** The id of what an option asks for. @throws InvalidArgumentError if it is none, or cannot order by the comparator */
export function representationId(option: unknown, comparator: Comparator): number {
  const isBytewise = comparator === bytewiseComparator
  if (option === undefined) return isBytewise ? RADIX : SKIPLIST
  if (option === 'skiplist') return SKIPLIST
  if (option === 'vector') return VECTOR
  if (option !== 'radix') {
    throw new InvalidArgumentError(`representation must be 'radix', 'skiplist' or 'vector', not ${String(option)}`)
  }
  if (!isBytewise) throw new InvalidArgumentError(`a 'radix' MemTable cannot be ordered by ${comparator.name}`)
  return RADIX
}

/**
 * @throws InvalidArgumentError if nothing here builds what the arena holds; NotSupportedError if it cannot be read by others
 *   before it is frozen
 */
export function checkAttachable(arena: Arena): void {
  const id = arena.representation
  if (id !== SKIPLIST && id !== RADIX && id !== VECTOR) {
    throw new InvalidArgumentError(`not a MemTable's memory: its representation is ${id}`)
  }
  if (id === VECTOR && !arena.isFrozen) {
    throw new NotSupportedError("a 'vector' MemTable can be attached once it is frozen, and this one is not")
  }
}

/** The index in an arena: a new one, or the one that is there. */
export function representationOf(arena: Arena, comparator: Comparator, seed: number): MemTableRep {
  if (arena.representation === RADIX) return new RadixTree(arena)
  if (arena.representation === VECTOR) return new SortedVector(arena, comparator)
  return new SkipList(arena, comparator, seed)
}

/**
 * MemTableRep: what the ordered index of a MemTable offers. A representation finds, for each key, the chain of its
 * versions (version-record.ts), and keeps the keys in order; all of its state lies in one arena, in the root words of
 * the header and in the entries.
 *
 * Publication rule
 *  (1) Writer: fills key, versions and the new node's own links with plain stores, and only then makes them reachable,
 *      each link that readers may follow by one Atomics.store (Arena.storeLink). Nothing reachable changes, but for such links,
 *      and for the changes in nodes of range maps, which tell since when they are to be followed (range-map.ts).
 *  (2) Writer: publishes a whole batch by one Atomics.store of the tail (table-counters.ts).
 *  (3) Reader: loads the tail once for a lookup or an iterator, as its `limit`. A version is visible if and only if its
 *      offset is below the limit; everything there was stored before the tail, so plain loads see it.
 *  (4) Reader: a link that yields an offset ≥ limit is younger than the tail. It is loaded again by Atomics.load, which
 *      makes what it leads to complete; the reader may pass through, but returns nothing that lies there.
 *      So is a link of which it only matters whether it is there: a plain load tells nothing about the next one.
 *  (5) A plain load of a link that is being changed yields its old or its new offset (words do not tear). The old one can
 *      only miss what is not visible anyway.
 *  (6) Until `share` was called, nobody but the writer knows of the memory: then (1) and (2) store plainly. The token travels by a
 *      message, which makes everything before it visible to whoever takes it.
 *  The writer's own thread reads with NO_LIMIT: it sees what it wrote, published or not, and no atomic load is made.
 *
 * One writer; readers never wait, and never make the writer wait. No memory fence beyond these is needed, on any
 * architecture.
 */
import type { InternalIterator } from '../base/iterator.ts'
import type { Bytes, SequenceNumber } from '../base/types.ts'
import type { Arena } from './arena.ts'
import type { TableCounters } from './table-counters.ts'

/** The limit of the writer's own reads: above every offset. */
export const NO_LIMIT = 0x7fffffff

/** Longest key, in any representation: in a skip list its length shares a word with a height. */
export const KEY_BYTES_MAX: number = 2 ** 27 - 1

/** Keys that are looked for at once: with so many loads under way, waiting for memory is shared by all of them. */
export const RUN_MAX = 32

/** Ids of representations, in the arena's header. */
export const SKIPLIST = 1
export const RADIX = 2
export const VECTOR = 3

/**
 * A place in a representation's order of keys, and the moves to others; nothing below the limit is passed over, and nothing at
 * or above it is shown. The cursor over versions is built on it (version-iterator.ts).
 * Keys are named by the offset of what holds them, a node: a word with the key's length, then the key.
 */
export interface KeyPath {
  /** Where first, last, seek or prev arrived; 0 for none. */
  readonly node: number
  /** By how many bits the length is shifted in its word. */
  readonly keyLengthShift: number
  first(): void
  last(): void
  /** To the first key that is not before the given one. @returns whether it is the given one */
  seek(key: Bytes, keyOff: number, keyLen: number): boolean
  /** To the key before that of a node. */
  prev(node: number): void
  /**
   * Find the keys after that of a node: at least one, if there is one, and more the longer this goes on; RUN_MAX at most.
   * @param nodes their nodes
   * @param heads of the chains of their versions; 0 for a single one right behind the key
   * @returns how many
   */
  collect(node: number, nodes: Int32Array, heads: Int32Array): number
  /** Head of the chain of a node's versions, as it is now. */
  versions(node: number): number
}

/** A cursor over the versions of all keys that are visible below its limit, with moves by whole keys. */
export interface MemTableIterator extends InternalIterator {
  /** From a valid position: to the newest version of the next key. */
  nextKey(): void
  /** From a valid position: to the newest version of the previous key. */
  prevKey(): void
  /** From a valid position: to the newest version of the same key. */
  toNewest(): void
}

/** Ways to keys by shares of the order, for samples; what `descend` finds is visible. */
export interface KeyDescent {
  /** Where in the arena the key is that the last descent found. */
  readonly keyOff: number
  readonly keyLen: number
  /**
   * To a key at roughly `share` of all keys, at least 0 and less than 1; larger shares lead to no smaller keys.
   * @returns one over the chance of that key among random shares; 0 if there is none at the share
   */
  descend(share: number): number
}

export interface MemTableRep {
  readonly arena: Arena
  /** Arena bytes that one add can take beyond the bytes of its key and its value. */
  readonly overheadBytesMax: number

  /**
   * Add a version of a key that is not longer than KEY_BYTES_MAX; the arena has room for it, overhead included.
   * @param tagLow,tagHigh with a sequence greater than that of every version of the key
   * @returns the version that was the newest one of the key until now; 0 for a new key
   * @throws AssertionError if the sequence is not greater; no entry was changed
   * @thread writer
   */
  add(
    tagLow: number,
    tagHigh: number,
    key: Bytes,
    keyOff: number,
    keyLen: number,
    value: Bytes,
    valOff: number,
    valLen: number,
  ): number

  /**
   * The newest version of a key that lies below `limit` and whose tag is not above the given one.
   * @returns its offset, or 0
   */
  find(key: Bytes, keyOff: number, keyLen: number, tagLow: number, tagHigh: number, limit: number): number

  /** A new iterator over what lies below `limit`; with NO_LIMIT it also meets what is added while it is in use. */
  iterator(limit: number): MemTableIterator

  /** About how many keys lie from `start` to `end`, both inclusive. Takes a time that hardly grows with the table. */
  estimate(start: Bytes, end: Bytes, limit: number): number

  descent(limit: number): KeyDescent

  /** Bring the counts up to date with what adding an entry did not tell yet. @thread writer */
  settle(counters: TableCounters): void

  /**
   * Take back all that is not published, which a call that was cut off has left (Arena.isTorn).
   * @param largest the largest sequence of the rest
   * @returns whether that can be done; if not, nothing is added any more, and what is published is as it was
   * @thread writer
   */
  takeBack(largest: SequenceNumber): boolean

  /** The last change, before the table is published and frozen. Idempotent. @thread writer */
  freeze(): void
}

/**
 * RangeMap: which range tombstone is the newest one over each key, as of one sequence. A persistent map in the arena: a
 * new range tombstone makes a new map, which shares all but O(log n) nodes with the one before. A node may lead elsewhere in
 * newer maps, once in its time: it tells since when, so that all maps through it stay as they are.
 *
 * Format   map       := offset of the root node, 0 for a map without range tombstones
 *          node      := left u32 | right u32 | boundary u32 | cover u32 | height u32 | since u32 | change u32
 *                       `since` is the tombstone of the first map with the change, or UNCHANGED; `change` its child, and which
 *          tombstone := tagLow u32 | tagHigh u32 | start | end            (`boundary` and `cover` are offsets into it)
 *          start, end := length u32 | bytes, at least 8, padded with zeros: as KeyProbe compares them
 * Invariants  (1) an AVL tree in the order of the boundaries, which are distinct. `cover` holds for the keys from its
 *                 boundary up to the next one; 0 says that none covers them, as before the first boundary
 *             (2) neighbouring stretches have different covers, and the last one has none
 *             (3) of a node that is reachable, only these change: its height, which is the writer's own, that of the newest
 *                 map; and, once, the change, while `since` goes from UNCHANGED to a tombstone
 * Threads     any; what lies below a reader's limit is complete (memtable-rep.ts). A change belongs to the maps whose versions
 *             lie behind its tombstone. One that is being made is above every limit, as UNCHANGED is: whichever of the two a
 *             reader meets, it takes the old child, by plain loads. A change that is its map's was there before the map's version.
 * Source      J. Driscoll, N. Sarnak, D. Sleator, R. Tarjan, Making data structures persistent (1989), for the change in a node
 */
import type { Bytes } from '../base/types.ts'
import { type KeyProbe, storedKeyBytes } from './key-probe.ts'
import { NO_LIMIT } from './memtable-rep.ts'
import { VERSION_BYTES } from './version-record.ts'

type Words = Int32Array<ArrayBufferLike>

/** Words of a node. */
export const LEFT = 0
export const RIGHT = 1
export const BOUNDARY = 2
export const COVER = 3
export const HEIGHT = 4
export const SINCE = 5
export const CHANGE = 6
export const NODE_BYTES = 28

/** SINCE of a node whose children are those that it was made with: above every offset. */
export const UNCHANGED: number = NO_LIMIT
/** In CHANGE, whose offset leaves the bit free: the child is the right one. */
export const CHANGES_RIGHT = 1

/** Bytes of a tombstone before its start. */
export const TOMBSTONE_BYTES = 8
/** Bytes of a boundary before its key. */
export const BOUNDARY_BYTES = 4

/** The left child of a node in the map of a version; in the newest one by NO_LIMIT. */
export function leftOf(words: Words, node: number, version: number): number {
  const at = node >> 2
  if (words[at + SINCE] < version) {
    const change = words[at + CHANGE]
    if ((change & CHANGES_RIGHT) === 0) return change
  }
  return words[at + LEFT]
}

/** The right child, likewise. */
export function rightOf(words: Words, node: number, version: number): number {
  const at = node >> 2
  if (words[at + SINCE] < version) {
    const change = words[at + CHANGE]
    if ((change & CHANGES_RIGHT) !== 0) return change & ~CHANGES_RIGHT
  }
  return words[at + RIGHT]
}

/** Root of the map of a version. */
export function rootOf(words: Words, version: number): number {
  return words[(version + VERSION_BYTES) >> 2]
}

/** Bytes of a boundary with its key. */
export function boundaryBytes(keyLen: number): number {
  return BOUNDARY_BYTES + storedKeyBytes(keyLen)
}

/** Order of a node's boundary and the key that the probe holds. */
export function compareBoundary(words: Words, bytes: Bytes, node: number, probe: KeyProbe): number {
  const boundary = words[(node >> 2) + BOUNDARY] >> 2
  return probe.compareStored(words, bytes, boundary + 1, words[boundary])
}

/**
 * The tombstone that covers the key which the probe holds, in the map of a version.
 * @returns its offset, or 0
 * @complexity O(log n)
 */
export function coverIn(words: Words, bytes: Bytes, version: number, probe: KeyProbe): number {
  let node = rootOf(words, version)
  let cover = 0
  while (node !== 0) {
    if (compareBoundary(words, bytes, node, probe) <= 0) {
      cover = words[(node >> 2) + COVER]
      node = rightOf(words, node, version)
    } else {
      node = leftOf(words, node, version)
    }
  }
  return cover
}

/**
 * RangeMap: which range tombstone is the newest one over each key, as of one sequence. A persistent map in the arena: a
 * new range tombstone makes a new map, which shares all but O(log n) nodes with the one before, and changes no node of it.
 *
 * Format   map       := offset of the root node, 0 for a map without range tombstones
 *          node      := left u32 | right u32 | boundary u32 | cover u32 | height u32
 *          tombstone := tagLow u32 | tagHigh u32 | start | end            (`boundary` and `cover` are offsets into it)
 *          start, end := length u32 | bytes, at least 8, padded with zeros: as KeyProbe compares them
 * Invariants  (1) an AVL tree in the order of the boundaries, which are distinct. `cover` holds for the keys from its
 *                 boundary up to the next one; 0 says that none covers them, as before the first boundary
 *             (2) neighbouring stretches have different covers, and the last one has none
 *             (3) a node of a map that is published never changes
 * Threads     any; what lies below a reader's limit is complete (memtable-rep.ts)
 */
import type { Bytes } from '../base/types.ts'
import { wordAligned } from './arena.ts'
import type { KeyProbe } from './key-probe.ts'

type Words = Int32Array<ArrayBufferLike>

/** Words of a node. */
export const LEFT = 0
export const RIGHT = 1
export const BOUNDARY = 2
export const COVER = 3
export const HEIGHT = 4
export const NODE_BYTES = 20

/** Bytes of a tombstone before its start. */
export const TOMBSTONE_BYTES = 8
/** Bytes of a boundary before its key; what a key takes at least. */
export const BOUNDARY_BYTES = 4
const KEY_BYTES_MIN = 8

/** Bytes of a boundary with its key. */
export function boundaryBytes(keyLen: number): number {
  return BOUNDARY_BYTES + (keyLen <= KEY_BYTES_MIN ? KEY_BYTES_MIN : wordAligned(keyLen))
}

/** Order of a node's boundary and the key that the probe holds. */
export function compareBoundary(words: Words, bytes: Bytes, node: number, probe: KeyProbe): number {
  const boundary = words[(node >> 2) + BOUNDARY] >> 2
  return probe.compareStored(words, bytes, boundary + 1, words[boundary])
}

/**
 * The tombstone that covers the key which the probe holds.
 * @returns its offset, or 0
 * @complexity O(log n)
 */
export function coverIn(words: Words, bytes: Bytes, root: number, probe: KeyProbe): number {
  let node = root
  let cover = 0
  while (node !== 0) {
    if (compareBoundary(words, bytes, node, probe) <= 0) {
      cover = words[(node >> 2) + COVER]
      node = words[(node >> 2) + RIGHT]
    } else {
      node = words[(node >> 2) + LEFT]
    }
  }
  return cover
}

/**
 * RadixLeaf: a key at the end of a path through a radix tree, and where its versions are.
 *
 * Format   leaf  := key length u32 | key, padded with zeros to whole words | the key's first version (version-record.ts)
 *          chain := newest version u32 | leaf u32          of a key with several versions; made with the second one
 *          A target is the offset of either, with the tag that a link to it has (radix-node.ts). Most keys have one
 *          version, and spend no word on the others.
 * Invariants  (1) a leaf never changes; of a chain only the newest version does
 *             (2) a key's chain is younger than its leaf: whether the key is visible is up to the leaf
 */
import type { Bytes } from '../base/types.ts'
import { type Arena, wordAligned } from './arena.ts'
import type { RadixKey } from './radix-key.ts'
import { CHAIN, LEAF, loadLink } from './radix-node.ts'
import { appendVersion, VERSION_BYTES, versionBytes, writeFirstVersion } from './version-record.ts'

type Words = Int32Array<ArrayBufferLike>

/** Arena bytes that a leaf can take beyond its key and its value: length, version, and padding of both. */
export const LEAF_OVERHEAD_BYTES: number = 4 + 3 + VERSION_BYTES + 3
const CHAIN_BYTES = 8

/** The leaf of a link's target, which is not a node. */
export function leafOf(words: Words, target: number): number {
  return (target & LEAF) !== 0 ? target - LEAF : words[(target >> 2) + 1]
}

export function leafKeyOffset(leaf: number): number {
  return leaf + 4
}

export function leafKeyLength(words: Words, leaf: number): number {
  return words[leaf >> 2]
}

/** Head of the chain of versions of a target's key. */
export function versionsOf(words: Words, target: number, limit: number): number {
  return (target & LEAF) !== 0 ? firstVersionOf(words, target - LEAF) : loadLink(words, target >> 2, limit)
}

/** Write a key with its first version. @returns the leaf as a target; nothing leads to it yet */
export function createLeaf(
  arena: Arena,
  tagLow: number,
  tagHigh: number,
  key: RadixKey,
  value: Bytes,
  valOff: number,
  valLen: number,
): number {
  const leaf = arena.allocate(4 + wordAligned(key.length) + versionBytes(arena, valLen))
  arena.words[leaf >> 2] = key.length
  key.store(arena.words, (leaf >> 2) + 1)
  writeFirstVersion(arena, firstVersionOf(arena.words, leaf), tagLow, tagHigh, value, valOff, valLen)
  return leaf + LEAF
}

/**
 * Add a version to the key that a link leads to.
 * @returns the version that was the newest one until now
 * @throws AssertionError if its sequence is not greater than that one's; nothing was changed
 */
export function addVersion(
  arena: Arena,
  link: number,
  tagLow: number,
  tagHigh: number,
  value: Bytes,
  valOff: number,
  valLen: number,
): number {
  const { words } = arena
  const target = words[link]
  if ((target & LEAF) === 0) {
    const newest = words[target >> 2]
    arena.storeLink(target >> 2, appendVersion(arena, newest, tagLow, tagHigh, value, valOff, valLen))
    return newest
  }
  const first = firstVersionOf(words, target - LEAF)
  const version = appendVersion(arena, first, tagLow, tagHigh, value, valOff, valLen)
  const chain = arena.allocate(CHAIN_BYTES)
  words[chain >> 2] = version
  words[(chain >> 2) + 1] = target - LEAF
  arena.storeLink(link, chain + CHAIN)
  return first
}

/** The version that lies behind a leaf's key. */
export function firstVersionOf(words: Words, leaf: number): number {
  return leaf + 4 + wordAligned(words[leaf >> 2])
}

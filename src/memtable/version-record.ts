/**
 * VersionRecord: one version of a key, and the chain of all versions of a key, newest first. Every representation hangs
 * one chain on each of its keys, so that a key that is written often costs one node.
 *
 * Format   version := links, but for a key's first version | tagLow u32 | tagHigh u32 | value length u32 | value, padded
 *          links   := depth u32 | jump u32 | older u32        (just below the offset of the version)
 *          With checksums, a u32 follows the value (entry-checks.ts).
 *          The top bit of tagHigh says that there are links; sequences below 2^53 leave it free. Word offsets below are
 *          relative to the version's offset.
 * Invariants  (1) a version never changes; offset and tag both descend along the chain
 *             (2) `jump` leads to an older version, at a distance that grows with the depth (a skew-binary list), so
 *                 that the version of an old snapshot is found in O(log versions)
 *             (3) the key's first version was published with the key: a visible key has a visible version
 * Threads     published by the owner of the chain's head word (memtable-rep.ts); then immutable
 * Source      E. Myers, An applicative random-access stack (1983), for the jumps
 */
import { assert } from '../base/assert.ts'
import { crc32c } from '../base/crc32c.ts'
import { isLater } from '../base/internal-key.ts'
import type { Bytes } from '../base/types.ts'
import * as ValueType from '../base/value-type.ts'
import { type Arena, wordAligned } from './arena.ts'

/** Bytes of a version before its value, links not counted. */
export const VERSION_BYTES = 12
/** Bytes of the links of every version but a key's first. */
export const LINK_BYTES = 12

type Words = Int32Array<ArrayBufferLike>

const HAS_LINKS = 0x80000000 | 0
const TAG_HIGH_MASK = 0x1fffffff

/** Bytes of a version without links. */
export function versionBytes(arena: Arena, valLen: number): number {
  return VERSION_BYTES + wordAligned(valLen) + arena.checksumBytes
}

/** Whether the bits of a tag that no sequence has are as they were written. */
export function isTagClean(words: Words, version: number): boolean {
  return (words[(version >> 2) + 1] & ~(TAG_HIGH_MASK | HAS_LINKS)) === 0
}

export function hasLinks(words: Words, version: number): boolean {
  return words[(version >> 2) + 1] < 0
}

/** The low half of a version's tag, unsigned. */
export function versionTagLow(words: Words, version: number): number {
  return words[version >> 2] >>> 0
}

export function versionTagHigh(words: Words, version: number): number {
  return words[(version >> 2) + 1] & TAG_HIGH_MASK
}

export function versionValueLength(words: Words, version: number): number {
  return words[(version >> 2) + 2]
}

export function isTombstone(words: Words, version: number): boolean {
  return (words[version >> 2] & 0xff) !== ValueType.VALUE
}

/** The next older version, or 0. */
export function olderVersion(words: Words, version: number): number {
  return words[(version >> 2) + 1] < 0 ? words[(version >> 2) - 1] : 0
}

/** The key's first version. O(log versions). */
export function oldestVersion(words: Words, newest: number): number {
  let version = newest
  while (words[(version >> 2) + 1] < 0) version = words[(version >> 2) - 2]
  return version
}

/**
 * The newest version below `limit` whose tag is not above the given one. O(1) if it is the newest one, else O(log versions).
 * @returns its offset, or 0
 */
export function findVersion(words: Words, newest: number, tagLow: number, tagHigh: number, limit: number): number {
  let version = newest
  while (!isWithin(words, version, tagLow, tagHigh, limit)) {
    if (words[(version >> 2) + 1] >= 0) return 0
    const jump = words[(version >> 2) - 2]
    version = isWithin(words, jump, tagLow, tagHigh, limit) ? words[(version >> 2) - 1] : jump
  }
  return version
}

/** The newest version below `limit`; there is one in every chain that is itself below it. */
export function newestVersion(words: Words, newest: number, limit: number): number {
  let version = newest
  while (version >= limit) {
    const jump = words[(version >> 2) - 2]
    version = jump < limit ? words[(version >> 2) - 1] : jump
  }
  return version
}

/** Write a key's first version into allocated space at `version`. */
export function writeFirstVersion(
  arena: Arena,
  version: number,
  tagLow: number,
  tagHigh: number,
  value: Bytes,
  valOff: number,
  valLen: number,
): void {
  const { words } = arena
  words[version >> 2] = tagLow
  words[(version >> 2) + 1] = tagHigh
  words[(version >> 2) + 2] = valLen
  putPadded(arena, version + VERSION_BYTES, value, valOff, valLen)
  if (arena.checksumBytes !== 0) words[(version + VERSION_BYTES + wordAligned(valLen)) >> 2] = arena.checksum
}

/**
 * Write a version that is newer than `newest`; the caller makes it the chain's head, by one Arena.storeLink.
 * @returns its offset
 * @throws AssertionError if its sequence is not greater than the newest one; nothing was changed
 */
export function appendVersion(
  arena: Arena,
  newest: number,
  tagLow: number,
  tagHigh: number,
  value: Bytes,
  valOff: number,
  valLen: number,
): number {
  const { words } = arena
  // Not the tags: a key has at most one version of a sequence.
  const isNewer = isLater(tagLow, tagHigh, versionTagLow(words, newest), versionTagHigh(words, newest))
  assert(isNewer, 'the sequences of a key ascend')
  const version = arena.allocate(LINK_BYTES + versionBytes(arena, valLen)) + LINK_BYTES
  const at = version >> 2
  words[at - 3] = depthOf(words, newest) + 1
  words[at - 2] = jumpFrom(words, newest)
  words[at - 1] = newest
  if (arena.checksumBytes !== 0) arena.checksum = crc32c(arena.bytes, version - LINK_BYTES, LINK_BYTES, arena.checksum)
  writeFirstVersion(arena, version, tagLow, tagHigh | HAS_LINKS, value, valOff, valLen)
  return version
}

/** Copy bytes into allocated words, with zeros up to the next word. */
export function putPadded(arena: Arena, offset: number, from: Bytes, fromOff: number, length: number): void {
  arena.copier.copy(offset >> 2, from, fromOff, length)
}

/** Whether a version lies below `limit`, and its tag is not above the given one. */
export function isWithin(words: Words, version: number, tagLow: number, tagHigh: number, limit: number): boolean {
  if (version >= limit) return false
  const high = words[(version >> 2) + 1] & TAG_HIGH_MASK
  return high !== tagHigh ? high < tagHigh : words[version >> 2] >>> 0 <= tagLow
}

function depthOf(words: Words, version: number): number {
  return words[(version >> 2) + 1] < 0 ? words[(version >> 2) - 3] : 0
}

/** An older version, far enough away that a search of the chain takes O(log versions). A key's first version leads to itself. */
export function jumpOf(words: Words, version: number): number {
  return words[(version >> 2) + 1] < 0 ? words[(version >> 2) - 2] : version
}

/** Where the version after `newest` jumps to: two equal jumps become one of twice the length, as carries do. */
function jumpFrom(words: Words, newest: number): number {
  const near = jumpOf(words, newest)
  const far = jumpOf(words, near)
  const nearDepth = depthOf(words, near)
  return depthOf(words, newest) - nearDepth === nearDepth - depthOf(words, far) ? far : newest
}

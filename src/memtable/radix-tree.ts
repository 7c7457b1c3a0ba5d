/**
 * RadixTree: a MemTableRep for bytewise order: an adaptive radix tree, which finds a key by its bytes alone.
 *
 * Format      nodes: radix-node.ts; leaves: radix-leaf.ts. Root: one link, 0 while there are no keys
 * Invariants  (1) the keys below a link share as many bytes as the node there has depth; along a path depths grow, but for
 *                 a node below a FAN, which has the FAN's own
 *             (2) a node has two branches at least: a tree of n keys has less than n nodes
 *             (3) one sequence of adds makes one layout
 * A walk down looks at one byte a node, and none of those that a path skips. Where it ends, one comparison with a leaf of
 * that place tells how much of the key is really shared: less than the depth of a node on the path means that the key
 * belongs above that node. An added key changes one link, whose store publishes it:
 *   a free branch         → the new leaf
 *   a node that is full   → a larger copy of it, with the new leaf; of a shared table the old one stays for readers who are there
 *   a leaf, or a node     → a fork of two branches: what was there, and the new leaf. What was there does not change
 *   below which it is not
 * Room        of these, one add does one: a leaf, and GROWTH_BYTES_MAX for a copy, which a fork (28 bytes) is far below. A
 *             version of a key that is there takes 12 bytes of links and 8 of a chain, and no leaf and no node.
 * Threads     one writer, any readers (memtable-rep.ts). A node that was replaced holds all that was visible while it was
 *             part of the tree; so a reader that met it at a limit finds in it all that is below that limit. Until the arena is
 *             shared there are no such readers, and its memory is used again: `addedKeys` tells the writer's own iterators
 * Source      V. Leis, A. Kemper, T. Neumann, The adaptive radix tree (2013); V. Leis et al., The ART of practical
 *             synchronization (2016), for replaced nodes
 */
import type { Bytes } from '../base/types.ts'
import type { Arena } from './arena.ts'
import { ROOTS } from './arena-layout.ts'
import { checksOf, type EntryChecks } from './entry-checks.ts'
import { type KeyDescent, type MemTableIterator, type MemTableRep, NO_LIMIT } from './memtable-rep.ts'
import { RadixDescent } from './radix-descent.ts'
import { RadixKey } from './radix-key.ts'
import {
  addVersion,
  createLeaf,
  firstVersionOf,
  LEAF_OVERHEAD_BYTES,
  leafKeyLength,
  leafKeyOffset,
  leafOf,
  versionsOf,
} from './radix-leaf.ts'
import {
  addBranch,
  createFork,
  findLink,
  GROWTH_BYTES_MAX,
  LEAF,
  loadLink,
  nodeDepth,
  settledDepth,
  someTarget,
  TAG_MASK,
  TERMINAL,
} from './radix-node.ts'
import { RadixPath } from './radix-path.ts'
import { VersionIterator } from './version-iterator.ts'
import { findVersion } from './version-record.ts'

/** Word index of the link to the topmost node or leaf. */
export const ROOT_LINK: number = ROOTS

/** Arena bytes that one add can take beyond its key and its value. */
export const RADIX_OVERHEAD_BYTES: number = LEAF_OVERHEAD_BYTES + GROWTH_BYTES_MAX

/** Their shares are spread evenly, so that two different ranges are estimated alike. */
const ESTIMATE_DESCENTS = 256

const FIRST_PATH_NODES = 32

export class RadixTree implements MemTableRep {
  readonly overheadBytesMax: number
  readonly arena: Arena
  /** The key of the search under way. */
  readonly key: RadixKey
  /** Keys that this writer added: an iterator of its own that finds the number changed has a path of the past. */
  addedKeys: number

  /** Not moved: see VersionIterator. */
  readonly idle: MemTableIterator
  readonly #words: Int32Array<ArrayBufferLike>
  readonly #checks: EntryChecks | undefined
  /** The leaf of the last add; often it tells that a path's skipped bytes are the key's. 0 before the first one. */
  #finger: number
  /** The nodes on the path to it, each by the link to it and with its depth. */
  #pathLinks: Int32Array
  #pathDepths: Int32Array
  #pathLength: number
  /** How the last walk for an add ended: at which link, if any, and in which node, by the link to it. */
  #link: number
  #nodeLink: number
  /** Up to where the path did not look at every byte, and the node there: its depth, if there is one. */
  #skippedTo: number
  #skippedNode: number
  /** Leading bytes that the key shares with the finger. */
  #fingerShared: number
  /** The leaf that the key was compared with where the walk ended. */
  #compared: number

  /** @param arena created for RADIX; empty, or filled by a tree */
  constructor(arena: Arena) {
    this.overheadBytesMax = RADIX_OVERHEAD_BYTES + arena.checksumBytes
    this.#checks = checksOf(arena)
    this.arena = arena
    this.key = new RadixKey()
    this.addedKeys = 0
    this.#words = arena.words
    this.#finger = 0
    this.#pathLinks = new Int32Array(FIRST_PATH_NODES)
    this.#pathDepths = new Int32Array(FIRST_PATH_NODES)
    this.#pathLength = 0
    this.#link = 0
    this.#nodeLink = 0
    this.#skippedTo = 0
    this.#skippedNode = 0
    this.#fingerShared = 0
    this.#compared = 0
    this.idle = this.iterator(NO_LIMIT)
  }

  add(
    tagLow: number,
    tagHigh: number,
    key: Bytes,
    keyOff: number,
    keyLen: number,
    value: Bytes,
    valOff: number,
    valLen: number,
  ): number {
    this.key.load(key, keyOff, keyLen)
    const target = this.#walk()
    const shared = this.#sharedWith(target)
    if (shared === keyLen && (target & TAG_MASK) !== 0) {
      const found = leafOf(this.#words, target)
      if (leafKeyLength(this.#words, found) === keyLen) {
        this.#finger = found
        return addVersion(this.arena, this.#link, tagLow, tagHigh, value, valOff, valLen)
      }
    }
    const leaf = createLeaf(this.arena, tagLow, tagHigh, this.key, value, valOff, valLen)
    // Before, so that no iterator goes on by a path of the past where a call is cut off.
    this.addedKeys++
    this.#insert(leaf, target, shared)
    this.#finger = leaf - LEAF
    return 0
  }

  find(key: Bytes, keyOff: number, keyLen: number, tagLow: number, tagHigh: number, limit: number): number {
    const words = this.#words
    const sought = this.key
    sought.load(key, keyOff, keyLen)
    const { bytes } = sought
    let target = loadLink(words, ROOT_LINK, limit)
    while ((target & TAG_MASK) === 0) {
      if (target === 0) return 0
      const depth = nodeDepth(words, target)
      if (depth > keyLen) return 0
      const link = findLink(words, target, depth === keyLen ? TERMINAL : bytes[depth])
      if (link === 0) return 0
      target = loadLink(words, link, limit)
    }
    const leaf = leafOf(words, target)
    const checks = this.#checks
    if (checks !== undefined) verifyLeaf(checks, words, leaf)
    if (leafKeyLength(words, leaf) !== keyLen) return 0
    if (sought.commonPrefix(words, leafKeyOffset(leaf) >> 2, keyLen) !== keyLen) return 0
    const newest = versionsOf(words, target, limit)
    if (checks !== undefined) return checks.findVersion(leaf + 4, keyLen, newest, tagLow, tagHigh, limit)
    return findVersion(words, newest, tagLow, tagHigh, limit)
  }

  iterator(limit: number): MemTableIterator {
    return new VersionIterator(this.arena, new RadixPath(this, limit), limit)
  }

  /** Every add tells all at once. */
  settle(): void {}

  takeBack(): boolean {
    return false
  }

  freeze(): void {}

  estimate(start: Bytes, end: Bytes, limit: number): number {
    const descent = new RadixDescent(this, limit, start, end)
    let sum = 0
    for (let i = 0; i < ESTIMATE_DESCENTS; i++) sum += descent.descend((i + 0.5) / ESTIMATE_DESCENTS)
    return sum / ESTIMATE_DESCENTS
  }

  descent(limit: number): KeyDescent {
    return new RadixDescent(this, limit, undefined, undefined)
  }

  /** Any leaf at or below the target of a link, to compare with what all of them share. */
  anyLeaf(target: number, limit: number): number {
    let at = target
    while ((at & TAG_MASK) === 0) at = someTarget(this.#words, at, limit)
    const leaf = leafOf(this.#words, at)
    if (this.#checks !== undefined) verifyLeaf(this.#checks, this.#words, leaf)
    return leaf
  }

  /** Leading bytes that the sought key and a leaf share. */
  commonPrefix(leaf: number): number {
    const words = this.#words
    return this.key.commonPrefix(words, leafKeyOffset(leaf) >> 2, leafKeyLength(words, leaf))
  }

  /**
   * Follow the key's bytes down, for the writer.
   * @returns where that ends: at a leaf or a chain; at a node whose keys are longer than this one and its depth; or, with 0,
   *   where there is nothing
   */
  #walk(): number {
    const words = this.#words
    const { bytes, length } = this.key
    // What the key shares with the last one need not be walked again, nor looked at.
    let settled = this.#finger === 0 ? 0 : this.commonPrefix(this.#finger)
    // Until the key is there, the path leads to no leaf: a call that is cut off leaves none to begin with.
    this.#finger = 0
    this.#fingerShared = settled
    let place = this.#pathLength - 1
    while (place > 0 && this.#pathDepths[place - 1] >= settled) place--
    let link = place <= 0 ? ROOT_LINK : this.#pathLinks[place]
    let nodeLink = 0
    let skippedTo = 0
    let skippedNode = 0
    let target = words[link]
    this.#pathLength = place < 0 ? 0 : place
    while (target !== 0 && (target & TAG_MASK) === 0) {
      const depth = nodeDepth(words, target)
      if (depth > settled) {
        skippedTo = depth
        skippedNode = target
      }
      nodeLink = link
      this.#pushNode(link, depth)
      if (depth > length) break
      link = findLink(words, target, depth === length ? TERMINAL : bytes[depth])
      const next = settledDepth(words, target)
      if (next > settled) settled = next
      target = link === 0 ? 0 : words[link]
    }
    this.#link = link
    this.#nodeLink = nodeLink
    this.#skippedTo = skippedTo
    this.#skippedNode = skippedNode
    return target
  }

  /**
   * How many leading bytes the key shares with the keys at the place where the walk ended: exactly, or as many as the depth
   * of the node there if it is no less, which is then where it belongs.
   */
  #sharedWith(target: number): number {
    const skippedTo = this.#skippedTo
    // A key that shares all skipped bytes with the last one lies below the same nodes.
    if (target === 0 && this.#fingerShared >= skippedTo) return this.key.length
    // Further down no byte was skipped; and where many keys skip the same bytes, this leaf is likely in the cache.
    this.#compared = this.anyLeaf(target === 0 ? this.#skippedNode : target, NO_LIMIT)
    const shared = this.commonPrefix(this.#compared)
    return target === 0 && shared >= skippedTo ? this.key.length : shared
  }

  /** Make a new leaf reachable. */
  #insert(leaf: number, target: number, shared: number): void {
    const words = this.#words
    const { length, bytes } = this.key
    if (target === 0) {
      if (this.#nodeLink === 0) {
        this.arena.storeLink(ROOT_LINK, leaf)
        return
      }
      const depth = nodeDepth(words, words[this.#nodeLink])
      if (shared >= depth) {
        addBranch(this.arena, this.#nodeLink, depth === length ? TERMINAL : bytes[depth], leaf)
        return
      }
    }
    this.#fork(leaf, shared)
  }

  /** Put a fork above the first node on the path with more in common than the key shares, or above where it ended. */
  #fork(leaf: number, shared: number): void {
    const words = this.#words
    let place = this.#pathLength
    let link = this.#link
    while (place > 0 && this.#pathDepths[place - 1] > shared) link = this.#pathLinks[--place]
    this.#pathLength = place
    const target = words[link]
    const { bytes, length } = this.key
    const other = this.#compared
    const isOtherEnd = leafKeyLength(words, other) === shared
    const otherSymbol = isOtherEnd ? TERMINAL : this.arena.bytes[leafKeyOffset(other) + shared]
    const symbol = length === shared ? TERMINAL : bytes[shared]
    this.arena.storeLink(link, createFork(this.arena, shared, otherSymbol, target, symbol, leaf))
    this.#pushNode(link, shared)
  }

  /** The path to the finger goes on to a node. */
  #pushNode(link: number, depth: number): void {
    const place = this.#pathLength
    if (place === this.#pathLinks.length) {
      const links = grown(this.#pathLinks)
      this.#pathDepths = grown(this.#pathDepths)
      this.#pathLinks = links
    }
    this.#pathLinks[place] = link
    this.#pathDepths[place] = depth
    this.#pathLength = place + 1
  }
}

function verifyLeaf(checks: EntryChecks, words: Int32Array<ArrayBufferLike>, leaf: number): void {
  checks.verify(leafKeyOffset(leaf), leafKeyLength(words, leaf), firstVersionOf(words, leaf))
}

function grown(numbers: Int32Array): Int32Array {
  const larger = new Int32Array(numbers.length * 2)
  larger.set(numbers)
  return larger
}

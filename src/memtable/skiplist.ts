/**
 * SkipList: a MemTableRep for any comparator: one node a key, in towers of linked lists.
 *
 * Format   node := next u32[height], downwards | keyLength << 4 | height, u32 | key, padded | prev u32 | versions u32
 *                  | the key's first version (version-record.ts)
 *          A node's offset is that of its length word: next[i] lies 4 · (i + 1) bytes below it, the key 4 above. A key is
 *          padded with zeros to whole words, at least two, so that it is compared a word at a time (key-probe.ts): most
 *          comparisons end in the cache line of the links.
 *          Roots: height u32 | next[14] … next[0] of the head, which has no key | last node u32
 * Invariants  (1) a reachable node never changes, but for next[], prev and versions
 *             (2) level i is a sublist of level i − 1; every node is on level 0, in key order
 *             (3) prev is the node before on level 0, 0 for the first one; last is the node without a next one
 *             (4) heights come from a seeded generator: one sequence of adds makes one layout
 * Threads     one writer, any readers (memtable-rep.ts). Links are stored bottom-up; a tower may lag behind its lowest
 *             level, and the height behind the towers, which costs a reader steps and never a key.
 * Source      google/leveldb db/skiplist.h; cockroachdb/pebble internal/arenaskl (truncated towers)
 */
import { bytewiseComparator, type Comparator } from '../base/comparator.ts'
import { Prng } from '../base/prng.ts'
import type { Bytes } from '../base/types.ts'
import type { Arena } from './arena.ts'
import { ROOTS } from './arena-layout.ts'
import { checksOf, type EntryChecks } from './entry-checks.ts'
import { KeyProbe, STORED_KEY_BYTES_MIN, storedKeyBytes } from './key-probe.ts'
import { type KeyDescent, type MemTableIterator, type MemTableRep, NO_LIMIT } from './memtable-rep.ts'
import { SkipListDescent } from './skiplist-descent.ts'
import { SkipListPath } from './skiplist-path.ts'
import { VersionIterator } from './version-iterator.ts'
import {
  appendVersion,
  findVersion,
  putPadded,
  VERSION_BYTES,
  versionBytes,
  writeFirstVersion,
} from './version-record.ts'

/** In a node's first word the key's length is above the height. */
export const HEIGHT_BITS = 4
const HEIGHT_MAX: number = (1 << HEIGHT_BITS) - 1
/**
 * One node in e reaches the next level: 1.58 links a node. LevelDB's one in four takes a byte less and a fifth more time
 * (measured, 500 k random keys, Node 20).
 */
const BRANCHING: number = Math.E
/** With so many nodes counted, an estimate is off by an eighth, as a standard error. */
const ESTIMATE_NODES = 64
/** Words of a node after its key. */
const PREV = 0
const VERSIONS = 1
const SUFFIX_BYTES = 8

/** Word indexes of the roots, and the head as if it were a node. */
const HEIGHT = ROOTS
const HEAD: number = (ROOTS + 1 + HEIGHT_MAX) * 4
const LAST: number = ROOTS + 1 + HEIGHT_MAX

/** Arena bytes that one add can take beyond its key and its value: the tallest tower, and all padding. */
export const SKIPLIST_OVERHEAD_BYTES: number =
  4 * HEIGHT_MAX + 4 + STORED_KEY_BYTES_MIN + SUFFIX_BYTES + VERSION_BYTES + 4

export class SkipList implements MemTableRep {
  readonly overheadBytesMax: number

  /** Not moved: see VersionIterator. */
  readonly idle: MemTableIterator

  readonly #arena: Arena
  readonly #words: Int32Array<ArrayBufferLike>
  readonly #bytes: Bytes
  /** The key of the search under way. */
  readonly #probe: KeyProbe
  readonly #comparator: Comparator
  readonly #prng: Prng
  readonly #checks: EntryChecks | undefined
  /** The splice of the last search for an insert: on every level, the last node before its key and the first one not before it. */
  readonly #before: Int32Array
  readonly #after: Int32Array

  /** @param arena created for SKIPLIST; empty, or filled by a list with the same comparator */
  constructor(arena: Arena, comparator: Comparator, seed: number) {
    this.overheadBytesMax = SKIPLIST_OVERHEAD_BYTES + arena.checksumBytes
    this.#checks = checksOf(arena)
    this.#arena = arena
    this.#words = arena.words
    this.#bytes = arena.bytes
    this.#probe = new KeyProbe(comparator)
    this.#comparator = comparator
    this.#prng = new Prng(seed)
    this.#before = new Int32Array(HEIGHT_MAX).fill(HEAD)
    this.#after = new Int32Array(HEIGHT_MAX)
    if (arena.words[HEIGHT] === 0) arena.words[HEIGHT] = 1
    this.idle = this.iterator(NO_LIMIT)
  }

  get arena(): Arena {
    return this.#arena
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
    this.#probe.load(key, keyOff, keyLen)
    const node = this.#findForAdd()
    if (node === 0) {
      this.#insert(tagLow, tagHigh, key, keyOff, keyLen, value, valOff, valLen)
      return 0
    }
    const checks = this.#checks
    if (checks !== undefined && this.#comparator !== bytewiseComparator) {
      // The order may find keys equal whose bytes differ, and the version is read with the bytes that are stored.
      this.#verifyNode(node, checks)
      const stored = this.keyLength(node)
      const { arena } = this
      arena.checksum = checks.checksum(tagLow, tagHigh, arena.bytes, node + 4, stored, value, valOff, valLen)
    }
    const head = this.#suffix(node) + VERSIONS
    const newest = this.#words[head]
    const version = appendVersion(this.#arena, newest, tagLow, tagHigh, value, valOff, valLen)
    this.#arena.storeLink(head, version)
    return newest
  }

  find(key: Bytes, keyOff: number, keyLen: number, tagLow: number, tagHigh: number, limit: number): number {
    const node = this.findNode(key, keyOff, keyLen, limit)
    if (node === 0 || !this.isSoughtKey(node)) return 0
    const checks = this.#checks
    if (checks !== undefined) {
      const newest = this.versions(node, limit)
      return checks.findVersion(node + 4, this.keyLength(node), newest, tagLow, tagHigh, limit)
    }
    return findVersion(this.#words, this.versions(node, limit), tagLow, tagHigh, limit)
  }

  iterator(limit: number): MemTableIterator {
    return new VersionIterator(this.#arena, new SkipListPath(this, limit), limit)
  }

  /** Every add tells all at once. */
  settle(): void {}

  takeBack(): boolean {
    return false
  }

  freeze(): void {}

  /** Counted on the highest level that has enough nodes in the range, of which one in BRANCHING reaches the next. */
  estimate(start: Bytes, end: Bytes, limit: number): number {
    const endProbe = new KeyProbe(this.#comparator)
    endProbe.load(end, 0, end.length)
    this.#probe.load(start, 0, start.length)
    let node = HEAD
    for (let level = this.height - 1; ; level--) {
      let next = this.nextOn(level, node, limit)
      while (next !== 0 && this.#compare(next) < 0) {
        node = next
        next = this.nextOn(level, node, limit)
      }
      let count = 0
      for (; next !== 0 && this.#compareTo(endProbe, next) <= 0; next = this.nextOn(level, next, limit)) {
        if (next < limit) count++
      }
      if (count >= ESTIMATE_NODES || level === 0) return count * BRANCHING ** level
    }
  }

  descent(limit: number): KeyDescent {
    return new SkipListDescent(this, limit)
  }

  // For the iterator and the descent. Nodes are offsets, 0 for none; one at or above the limit is to be passed through.

  /** The first node whose key is not before the given one. O(log n). */
  findNode(key: Bytes, keyOff: number, keyLen: number, limit: number): number {
    const words = this.#words
    this.#probe.load(key, keyOff, keyLen)
    let node = HEAD
    let level = words[HEIGHT] - 1
    // A node that is known to be not before the key; often the next one on several levels.
    let bound = 0
    while (level >= 0) {
      const link = (node >> 2) - 1 - level
      let next = words[link]
      if (next >= limit) next = Atomics.load(words, link)
      if (next !== bound && next !== 0 && this.#compare(next) < 0) {
        node = next
      } else {
        bound = next
        level--
      }
    }
    if (this.#checks !== undefined) this.#verifyAround(node, bound, this.#checks)
    return bound
  }

  /** Whether a node has the key that findNode was last called for. */
  isSoughtKey(node: number): boolean {
    return this.#compare(node) === 0
  }

  get height(): number {
    return this.#words[HEIGHT]
  }

  /** What leads to the first node of every level. */
  get head(): number {
    return HEAD
  }

  /** The node behind one that reaches this level. */
  nextOn(level: number, node: number, limit: number): number {
    return load(this.#words, (node >> 2) - 1 - level, limit)
  }

  lastNode(limit: number): number {
    return load(this.#words, LAST, limit)
  }

  nextNode(node: number, limit: number): number {
    return load(this.#words, (node >> 2) - 1, limit)
  }

  prevNode(node: number, limit: number): number {
    return load(this.#words, this.#suffix(node) + PREV, limit)
  }

  /** Head of the chain of the node's versions. */
  versions(node: number, limit: number): number {
    return load(this.#words, this.#suffix(node) + VERSIONS, limit)
  }

  keyOffset(node: number): number {
    return node + 4
  }

  keyLength(node: number): number {
    return this.#words[node >> 2] >>> HEIGHT_BITS
  }

  /** Index of the first word after the node's key. */
  #suffix(node: number): number {
    return (node + 4 + storedKeyBytes(this.keyLength(node))) >> 2
  }

  /**
   * The node with the key that the probe holds, or 0 with the splice set to where it belongs. A key that belongs right after the last one
   * added, as in ascending order, costs two comparisons.
   */
  #findForAdd(): number {
    const last = this.#before[0]
    if (last !== HEAD) {
      const order = this.#compare(last)
      if (order === 0) return last
      if (order < 0) {
        const next = this.#after[0]
        const nextOrder = next === 0 ? 1 : this.#compare(next)
        if (nextOrder === 0) return next
        // Higher levels reach at least as far to both sides, so the whole splice holds.
        if (nextOrder > 0) return 0
      }
    }
    return this.#findSplice()
  }

  #findSplice(): number {
    const words = this.#words
    // What a splice begins with is found last: a search that is cut off leaves none.
    this.#before[0] = HEAD
    let node = HEAD
    let level = words[HEIGHT] - 1
    let bound = 0
    let found = 0
    while (level >= 0) {
      const next = words[(node >> 2) - 1 - level]
      if (next !== bound) {
        const order = this.#compare(next)
        if (order < 0) {
          node = next
          continue
        }
        if (order === 0) found = next
        bound = next
      }
      this.#before[level] = node
      this.#after[level] = next
      level--
    }
    if (this.#checks !== undefined) this.#verifyAround(node, bound, this.#checks)
    return found
  }

  /** A search that met one damaged key ends right before or right behind it. */
  #verifyAround(before: number, after: number, checks: EntryChecks): void {
    if (before !== HEAD) this.#verifyNode(before, checks)
    if (after !== 0) this.#verifyNode(after, checks)
  }

  #verifyNode(node: number, checks: EntryChecks): void {
    const length = this.keyLength(node)
    checks.verify(node + 4, length, (this.#suffix(node) << 2) + SUFFIX_BYTES)
    checks.verifyPadding(node + 4, length, storedKeyBytes(length))
  }

  /** Add a node with its first version at the splice, which then lies right after it. */
  #insert(
    tagLow: number,
    tagHigh: number,
    key: Bytes,
    keyOff: number,
    keyLen: number,
    value: Bytes,
    valOff: number,
    valLen: number,
  ): void {
    const words = this.#words
    const height = this.#nextHeight()
    const stored = storedKeyBytes(keyLen)
    const bytes = 4 * height + 4 + stored + SUFFIX_BYTES + versionBytes(this.#arena, valLen)
    const node = this.#arena.allocate(bytes) + 4 * height
    words[node >> 2] = (keyLen << HEIGHT_BITS) | height
    words[(node >> 2) + 1] = 0
    words[(node >> 2) + 2] = 0
    putPadded(this.#arena, node + 4, key, keyOff, keyLen)
    const suffix = (node + 4 + stored) >> 2
    const first = node + 4 + stored + SUFFIX_BYTES
    words[suffix + PREV] = this.#before[0] === HEAD ? 0 : this.#before[0]
    words[suffix + VERSIONS] = first
    writeFirstVersion(this.#arena, first, tagLow, tagHigh, value, valOff, valLen)
    this.#link(node, height)
  }

  /** Make a complete node reachable. */
  #link(node: number, height: number): void {
    const words = this.#words
    for (let level = 0; level < height; level++) words[(node >> 2) - 1 - level] = this.#after[level]
    // Above the list's height the splice is the head and nothing, as it was made.
    if (height > words[HEIGHT]) words[HEIGHT] = height
    for (let level = 0; level < height; level++) {
      this.#arena.storeLink((this.#before[level] >> 2) - 1 - level, node)
      this.#before[level] = node
    }
    const next = this.#after[0]
    this.#arena.storeLink(next === 0 ? LAST : this.#suffix(next) + PREV, node)
  }

  #nextHeight(): number {
    const random = this.#prng.next32()
    let height = 1
    for (let below = 2 ** 32 / BRANCHING; height < HEIGHT_MAX && random < below; below /= BRANCHING) height++
    return height
  }

  /** Order of a node's key and the one that the probe holds. */
  #compare(node: number): number {
    return this.#compareTo(this.#probe, node)
  }

  #compareTo(probe: KeyProbe, node: number): number {
    const at = node >> 2
    return probe.compareStored(this.#words, this.#bytes, at + 1, this.#words[at] >>> HEIGHT_BITS)
  }
}

/** A link, as a reader with this limit follows it. */
function load(words: Int32Array<ArrayBufferLike>, index: number, limit: number): number {
  const offset = words[index]
  return offset >= limit ? Atomics.load(words, index) : offset
}

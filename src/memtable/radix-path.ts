/**
 * RadixPath: a place in a RadixTree: the nodes and links that lead to a leaf, and the moves to its neighbours.
 *
 * A path is a stack of pairs, a node and the word index of one of its links; the lowest pair is the root link, of no node.
 * It grows with the deepest key and is kept; nothing else is allocated.
 * Threads  any; one path belongs to one thread. At a limit it needs no look back: what was added since lies at or above it.
 *          A path of the writer's own finds its leaf again when keys were added since: nodes of it may have been replaced.
 */
import type { Bytes } from '../base/types.ts'
import { NO_LIMIT } from './memtable-rep.ts'
import { leafKeyLength, leafKeyOffset, leafOf, versionsOf } from './radix-leaf.ts'
import {
  findLink,
  firstLink,
  lastLink,
  linkAfter,
  loadLink,
  nextLink,
  nodeDepth,
  prevLink,
  settledDepth,
  TAG_MASK,
  TERMINAL,
} from './radix-node.ts'
import { ROOT_LINK, type RadixTree } from './radix-tree.ts'

const FIRST_CAPACITY_WORDS = 64

export class RadixPath {
  /** The visible leaf that it leads to; 0 for none. */
  leaf: number

  readonly #tree: RadixTree
  readonly #words: Int32Array<ArrayBufferLike>
  readonly #limit: number
  /** Where the last link led when it was followed. */
  #target: number
  /** Pairs of node and link; the last one starts at #top. */
  #pairs: Int32Array
  #top: number
  #addedKeys: number

  constructor(tree: RadixTree, limit: number) {
    this.leaf = 0
    this.#tree = tree
    this.#words = tree.arena.words
    this.#limit = limit
    this.#target = 0
    this.#pairs = new Int32Array(FIRST_CAPACITY_WORDS)
    this.#pairs[1] = ROOT_LINK
    this.#top = 0
    this.#addedKeys = 0
  }

  first(): void {
    this.#begin()
    this.#settleForwards()
  }

  last(): void {
    this.#begin()
    this.#settleBackwards()
  }

  /** To the first leaf whose key is not before the given one. @returns whether it has that key */
  seek(key: Bytes, keyOff: number, keyLen: number): boolean {
    const tree = this.#tree
    tree.key.load(key, keyOff, keyLen)
    this.#begin()
    const end = this.#descend()
    const shared = end === 0 ? keyLen : tree.commonPrefix(end)
    if (end === 0 || (shared === keyLen && leafKeyLength(this.#words, end) === keyLen)) {
      this.#settleForwards()
      return this.leaf !== 0 && this.leaf === end
    }
    while (this.#top > 0 && nodeDepth(this.#words, this.#pairs[this.#top]) > shared) this.#top -= 2
    const isBefore = shared === keyLen || this.#isBefore(end, shared)
    if (isBefore || this.#toNextLink()) this.#settleForwards()
    else this.leaf = 0
    return false
  }

  /** From a leaf to the next one. */
  next(): void {
    this.#renew()
    if (this.#toNextLink()) this.#settleForwards()
    else this.leaf = 0
  }

  prev(): void {
    this.#renew()
    if (this.#toPrevLink()) this.#settleBackwards()
    else this.leaf = 0
  }

  /** Head of the chain of the leaf's versions. */
  versions(): number {
    if (this.#limit === NO_LIMIT) {
      this.#renew()
      this.#target = this.#words[this.#pairs[this.#top + 1]]
    }
    return versionsOf(this.#words, this.#target, this.#limit)
  }
}

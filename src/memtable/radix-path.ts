/**
 * RadixPath: a place in a RadixTree: the nodes and links that lead to a leaf, and the moves to its neighbours.
 *
 * A path is a stack of frames; it grows with the deepest key and is kept, and nothing else is allocated.
 * Format   frame := node | link followed, its word index | place of that link in the list | length of the list, 0 before
 *                   it is made | list of the node's links, in key order
 *          The lowest frame is the root link, of no node, with an empty list. Lists are made when a neighbour is asked
 *          for: nodes keep their bytes as they came, and searching for the next one at each step made a scan take 1.6
 *          times as long (measured in the cache, Node 20).
 *          A path that goes on and on looks ahead: it follows the links to the next leaves, twice as many each time, before
 *          it needs them (#collect). The frames then lead to the last of these, and what was found waits in an array.
 * Threads  any; one path belongs to one thread. At a limit it needs no look back: what was added since lies at or above it.
 *          A path of the writer's own finds its leaf again when keys were added since: nodes of it may have been replaced.
 */
import type { Bytes } from '../base/types.ts'
import { type KeyPath, NO_LIMIT } from './memtable-rep.ts'
import { leafKeyLength, leafKeyOffset, leafOf, versionsOf } from './radix-leaf.ts'
import {
  findLink,
  LINKS_MAX,
  linkAfter,
  listLinks,
  loadLink,
  nodeDepth,
  settledDepth,
  TAG_MASK,
  TERMINAL,
} from './radix-node.ts'
import { type RadixTree, ROOT_LINK } from './radix-tree.ts'

const NODE = 0
const LINK = 1
const PLACE = 2
const COUNT = 3
const LIST = 4
const FRAME_WORDS: number = LIST + LINKS_MAX
const FIRST_FRAMES = 16
/** Leaves that are looked for at once: with so many loads under way, waiting for memory is shared by all of them. */
const AHEAD_MAX = 32
/** Words from the start of a leaf, or a node, to one that is needed as well and may lie in the next cache line. */
const LEAF_REACH = 7
const NODE_REACH = 8

export class RadixPath implements KeyPath {
  /** The visible leaf that it leads to; 0 for none. */
  node: number

  readonly #tree: RadixTree
  readonly #words: Int32Array<ArrayBufferLike>
  readonly #limit: number
  /** Where the last link led when it was followed. */
  #target: number
  #frames: Int32Array
  /** Where the last frame starts. */
  #top: number
  #addedKeys: number
  /** The link by which the leaf was found. */
  #link: number
  /** Leaves that were found ahead, from #aheadAt on: the links to them, and from AHEAD_MAX on where these led. */
  readonly #ahead: Int32Array
  #aheadAt: number
  #aheadCount: number
  /** How many to look for when there are none left. */
  #stride: number
  /** Keeps what is only touched from being optimised away. */
  #touched: number

  constructor(tree: RadixTree, limit: number) {
    this.node = 0
    this.#tree = tree
    this.#words = tree.arena.words
    this.#limit = limit
    this.#target = 0
    this.#frames = new Int32Array(FIRST_FRAMES * FRAME_WORDS)
    this.#frames[LINK] = ROOT_LINK
    this.#top = 0
    this.#addedKeys = 0
    this.#link = ROOT_LINK
    this.#ahead = new Int32Array(2 * AHEAD_MAX)
    this.#aheadAt = 0
    this.#aheadCount = 0
    this.#stride = 1
    this.#touched = 0
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
    const words = this.#words
    const sought = this.#tree.key
    sought.load(key, keyOff, keyLen)
    this.#begin()
    let settled = 0
    let skippedTo = 0
    let target = loadLink(words, ROOT_LINK, this.#limit)
    while (target !== 0 && (target & TAG_MASK) === 0) {
      const depth = nodeDepth(words, target)
      if (depth > settled) skippedTo = depth
      if (depth > keyLen) break
      const symbol = depth === keyLen ? TERMINAL : sought.bytes[depth]
      const link = findLink(words, target, symbol)
      const below = link === 0 ? 0 : loadLink(words, link, this.#limit)
      if (below === 0) return this.#seekInNode(target, symbol, skippedTo)
      this.#push(target, link)
      settled = settledDepth(words, target)
      target = below
    }
    return target === 0 ? this.#leave() : this.#seekBeside(this.#tree.anyLeaf(target, this.#limit))
  }

  /** From a leaf to the next one. */
  next(): void {
    this.#renew()
    if (this.#aheadAt === this.#aheadCount) this.#collect()
    const at = this.#aheadAt
    if (at === this.#aheadCount) {
      this.node = 0
      return
    }
    this.#aheadAt = at + 1
    this.#link = this.#ahead[at]
    this.#target = this.#ahead[AHEAD_MAX + at]
    this.node = leafOf(this.#words, this.#target)
  }

  prev(): void {
    this.#renew()
    // The frames are ahead of the leaf, or beyond the last one.
    if (this.#aheadCount > 0) this.#seekOwn()
    if (this.#toPrevLink()) this.#settleBackwards()
    else this.node = 0
  }

  /** Head of the chain of the leaf's versions. */
  versions(): number {
    if (this.#limit === NO_LIMIT) {
      this.#renew()
      this.#target = this.#words[this.#link]
    }
    return versionsOf(this.#words, this.#target, this.#limit)
  }

  keyOffset(): number {
    return leafKeyOffset(this.node)
  }

  keyLength(): number {
    return leafKeyLength(this.#words, this.node)
  }

  /** The node has no branch for the key's next symbol. */
  #seekInNode(node: number, symbol: number, skippedTo: number): boolean {
    const words = this.#words
    if (skippedTo > 0) {
      const leaf = this.#tree.anyLeaf(node, this.#limit)
      if (this.#tree.commonPrefix(leaf) < nodeDepth(words, node)) return this.#seekBeside(leaf)
    }
    const link = linkAfter(words, node, symbol, this.#limit)
    if (link !== 0) this.#push(node, link)
    else if (!this.#toNextLink()) return this.#leave()
    this.#settleForwards()
    return false
  }

  /** The path has led to `leaf`, or to a node above it. Where the key leaves that path, all that follows is on one side. */
  #seekBeside(leaf: number): boolean {
    const words = this.#words
    const sought = this.#tree.key
    const length = leafKeyLength(words, leaf)
    const shared = this.#tree.commonPrefix(leaf)
    while (this.#top > 0 && nodeDepth(words, this.#frames[this.#top + NODE]) > shared) this.#top -= FRAME_WORDS
    const isAfter =
      shared === length
        ? sought.length > length
        : shared < sought.length && sought.bytes[shared] > this.#tree.arena.bytes[leafKeyOffset(leaf) + shared]
    if (isAfter && !this.#toNextLink()) return this.#leave()
    this.#settleForwards()
    return this.node === leaf && shared === length && shared === sought.length
  }

  #begin(): void {
    this.#top = 0
    this.#aheadAt = 0
    this.#aheadCount = 0
    this.#stride = 1
    this.#addedKeys = this.#tree.addedKeys
  }

  /** Beyond the first or the last leaf. */
  #leave(): false {
    this.node = 0
    return false
  }

  /** To the first visible leaf at or after the last link. */
  #settleForwards(): void {
    const words = this.#words
    for (;;) {
      const target = loadLink(words, this.#frames[this.#top + LINK], this.#limit)
      if (target !== 0 && (target & TAG_MASK) === 0) this.#pushFirst(target)
      else if (this.#isAt(target)) return
      else if (!this.#toNextLink()) {
        this.node = 0
        return
      }
    }
  }

  #settleBackwards(): void {
    const words = this.#words
    for (;;) {
      const target = loadLink(words, this.#frames[this.#top + LINK], this.#limit)
      if (target !== 0 && (target & TAG_MASK) === 0) this.#pushLast(target)
      else if (this.#isAt(target)) return
      else if (!this.#toPrevLink()) {
        this.node = 0
        return
      }
    }
  }

  /** Whether a target, which is not a node, is a visible leaf; then the path ends there. */
  #isAt(target: number): boolean {
    if (target === 0) return false
    const leaf = leafOf(this.#words, target)
    if (leaf >= this.#limit) return false
    this.#link = this.#frames[this.#top + LINK]
    this.#target = target
    this.node = leaf
    return true
  }

  /** Find the leaves that come next, up to as many as the stride says; none if there are no more. */
  #collect(): void {
    const words = this.#words
    const limit = this.#limit
    const stride = this.#stride
    let count = 0
    while (count < stride && this.#toNextLink()) {
      let link = this.#frames[this.#top + LINK]
      let target = loadLink(words, link, limit)
      while (target !== 0 && (target & TAG_MASK) === 0) {
        this.#pushFirst(target)
        link = this.#frames[this.#top + LINK]
        target = loadLink(words, link, limit)
      }
      if (target === 0 || leafOf(words, target) >= limit) continue
      this.#ahead[AHEAD_MAX + count] = target
      this.#ahead[count++] = link
    }
    this.#aheadAt = 0
    this.#aheadCount = count
    if (stride < AHEAD_MAX) this.#stride = stride * 2
    if (count > 1) this.#touchAhead(count)
  }

  /** Load two words of every leaf that was found: these loads are independent of each other, and wait for memory together. */
  #touchAhead(count: number): void {
    const words = this.#words
    const ahead = this.#ahead
    const last = words.length - 1
    let touched = 0
    for (let i = AHEAD_MAX; i < AHEAD_MAX + count; i++) {
      const at = ahead[i] >> 2
      const further = at + LEAF_REACH
      touched ^= words[at] ^ words[further < last ? further : last]
    }
    this.#touched ^= touched
  }

  /** To the next link in key order that is not below the last one. @returns false if there is none */
  #toNextLink(): boolean {
    for (; this.#top > 0; this.#top -= FRAME_WORDS) {
      if (this.#frames[this.#top + COUNT] === 0) this.#list()
      const place = this.#frames[this.#top + PLACE] + 1
      if (place < this.#frames[this.#top + COUNT]) {
        this.#follow(place)
        return true
      }
    }
    return false
  }

  #toPrevLink(): boolean {
    for (; this.#top > 0; this.#top -= FRAME_WORDS) {
      if (this.#frames[this.#top + COUNT] === 0) this.#list()
      const place = this.#frames[this.#top + PLACE] - 1
      if (place >= 0) {
        this.#follow(place)
        return true
      }
    }
    return false
  }

  #pushFirst(node: number): void {
    this.#push(node, 0)
    this.#list()
    this.#follow(0)
  }

  #pushLast(node: number): void {
    this.#push(node, 0)
    this.#list()
    this.#follow(this.#frames[this.#top + COUNT] - 1)
  }

  #push(node: number, link: number): void {
    this.#top += FRAME_WORDS
    if (this.#top === this.#frames.length) {
      const grown = new Int32Array(this.#frames.length * 2)
      grown.set(this.#frames)
      this.#frames = grown
    }
    this.#frames[this.#top + NODE] = node
    this.#frames[this.#top + LINK] = link
    this.#frames[this.#top + COUNT] = 0
  }

  /** Make the last frame's list, and find its link there. */
  #list(): void {
    const frames = this.#frames
    const top = this.#top
    const count = listLinks(this.#words, frames[top + NODE], this.#limit, frames, top + LIST)
    const link = frames[top + LINK]
    let place = 0
    while (place < count - 1 && frames[top + LIST + place] !== link) place++
    frames[top + PLACE] = place
    frames[top + COUNT] = count
    this.#touch(count)
  }

  /** Load the list's nodes, as #touchAhead does leaves: two words of each, since most lie in two cache lines. */
  #touch(count: number): void {
    const words = this.#words
    const frames = this.#frames
    const list = this.#top + LIST
    const last = words.length - 1
    let touched = 0
    for (let i = list; i < list + count; i++) {
      const target = words[frames[i]]
      if ((target & TAG_MASK) !== 0) continue
      const further = (target >> 2) + NODE_REACH
      touched ^= words[target >> 2] ^ words[further < last ? further : last]
    }
    this.#touched ^= touched
  }

  #follow(place: number): void {
    const frames = this.#frames
    frames[this.#top + PLACE] = place
    frames[this.#top + LINK] = frames[this.#top + LIST + place]
  }

  /** In the writer's own path, after it added keys: lead to the same leaf as the tree is now. */
  #renew(): void {
    if (this.#limit === NO_LIMIT && this.#addedKeys !== this.#tree.addedKeys) this.#seekOwn()
  }

  /** Let the frames lead to the leaf, and nothing be ahead. */
  #seekOwn(): void {
    this.seek(this.#tree.arena.bytes, this.keyOffset(), this.keyLength())
  }
}

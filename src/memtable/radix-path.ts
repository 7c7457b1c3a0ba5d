/**
 * RadixPath: a place in a RadixTree: the nodes and links that lead to a leaf, and the moves to its neighbours.
 *
 * A path is a stack of frames; it grows with the deepest key and is kept, and nothing else is allocated.
 * Format   frame := node | place of the followed link in the list | length of the list, 0 before it is made | list of the
 *                   node's links, as word indexes, in key order; before it is made, the followed link alone
 *          The lowest frame is of no node, and lists the root link. Lists are made when a neighbour is asked for: nodes keep
 *          their bytes as they came, and searching for the next one at each step made a scan take 1.6 times as long
 *          (measured in the cache, Node 20).
 *          The next leaves are found some at a time, twice as many each time (`collect`). The frames then lead to the last of
 *          them.
 * Threads  any; one path belongs to one thread. At a limit it needs no look back: what was added since lies at or above it.
 *          A path of the writer's own finds its leaf again when keys were added since: nodes of it may have been replaced.
 */
import type { Bytes } from '../base/types.ts'
import { type KeyPath, NO_LIMIT, RUN_MAX } from './memtable-rep.ts'
import { leafKeyLength, leafKeyOffset, leafOf, versionsOf } from './radix-leaf.ts'
import {
  findLink,
  LEAF,
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
const PLACE = 1
const COUNT = 2
const LIST = 3
const FRAME_WORDS: number = LIST + LINKS_MAX
const FIRST_FRAMES = 16
/** Words from the start of a node to one that is needed as well and may lie in the next cache line. */
const NODE_REACH = 5
/** Words of a leaf that are not its key's, up to the first of its value. */
const LEAF_WORDS = 4
/** In a list of fewer links there are too few nodes to wait for them together. */
const TOUCHED_MIN = 5
/** From a leaf to one that lies behind it. */
const NEAR_BYTES = 1024

export class RadixPath implements KeyPath {
  readonly keyLengthShift: number = 0
  /** The visible leaf that it leads to; 0 for none. */
  node: number

  readonly #tree: RadixTree
  readonly #words: Int32Array<ArrayBufferLike>
  readonly #limit: number
  /** Where the link to the leaf led when it was followed; 0 if the leaf was collected. */
  #target: number
  #frames: Int32Array
  /** Where the last frame starts; 0 too once it has gone beyond the last leaf. */
  #top: number
  #addedKeys: number
  /** How many leaves to look for next. */
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
    this.#frames[COUNT] = 1
    this.#frames[LIST] = ROOT_LINK
    this.#top = 0
    this.#addedKeys = 0
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

  collect(node: number, nodes: Int32Array, heads: Int32Array): number {
    this.#return(node)
    const stride = this.#stride
    const count = this.#findLeaves(stride, nodes, heads)
    this.node = count === 0 ? 0 : nodes[count - 1]
    this.#target = 0
    if (stride < RUN_MAX) this.#stride = stride * 2
    if (count > 1) this.#touchLeaves(count, nodes, LEAF_WORDS + ((leafKeyLength(this.#words, node) + 3) >> 2))
    return count
  }

  prev(node: number): void {
    this.#return(node)
    // It may have gone beyond the last leaf.
    if (this.#top === 0) this.#seekLeaf(node)
    if (this.#toPrevLink()) this.#settleBackwards()
    else this.node = 0
  }

  versions(node: number): number {
    this.#return(node)
    if (this.#target === 0) this.#seekLeaf(node)
    // At a limit the link may lead to a fork above the leaf by now.
    if (this.#limit === NO_LIMIT) this.#target = this.#words[this.#link()]
    return versionsOf(this.#words, this.#target, this.#limit)
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
      const target = loadLink(words, this.#link(), this.#limit)
      if (target !== 0 && (target & TAG_MASK) === 0) this.#pushList(target, false)
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
      const target = loadLink(words, this.#link(), this.#limit)
      if (target !== 0 && (target & TAG_MASK) === 0) this.#pushList(target, true)
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
    this.#target = target
    this.node = leaf
    return true
  }

  /** Go on to the visible leaves that come next, up to `most`. @returns how many */
  #findLeaves(most: number, leaves: Int32Array, heads: Int32Array): number {
    const words = this.#words
    const limit = this.#limit
    let count = 0
    while (count < most && this.#toNextLink()) {
      const frames = this.#frames
      const top = this.#top
      const last = top + LIST + frames[top + COUNT] - 1
      let at = top + LIST + frames[top + PLACE]
      let below = 0
      // Leaves side by side.
      for (; ; at++) {
        const target = loadLink(words, frames[at], limit)
        if (target !== 0) {
          if ((target & TAG_MASK) === 0) {
            below = target
            break
          }
          const leaf = leafOf(words, target)
          if (leaf < limit) {
            leaves[count] = leaf
            heads[count++] = (target & LEAF) !== 0 ? 0 : versionsOf(words, target, limit)
          }
        }
        if (at === last || count === most) break
      }
      frames[top + PLACE] = at - top - LIST
      if (below !== 0) this.#pushBefore(below)
    }
    return count
  }

  /**
   * Load two words of every leaf that was found: these loads are independent of each other, and wait for memory together.
   * Leaves one behind the other need it not: the processor sees them coming.
   * @param reach words to the second one, where the value begins if the key is as long as that of the leaf before
   */
  #touchLeaves(count: number, leaves: Int32Array, reach: number): void {
    const words = this.#words
    const last = words.length - 1
    let touched = 0
    let end = 0
    for (let i = 0; i < count; i++) {
      const leaf = leaves[i]
      const isFar = (leaf - end) >>> 0 > NEAR_BYTES
      end = leaf
      if (!isFar) continue
      const further = (leaf >> 2) + reach
      touched ^= words[leaf >> 2] ^ words[further < last ? further : last]
    }
    this.#touched ^= touched
  }

  /** The link that was followed last, its word index. */
  #link(): number {
    const frames = this.#frames
    return frames[this.#top + LIST + frames[this.#top + PLACE]]
  }

  /** To the next link in key order that is not below the last one. @returns false if there is none */
  #toNextLink(): boolean {
    const frames = this.#frames
    for (; this.#top > 0; this.#top -= FRAME_WORDS) {
      if (frames[this.#top + COUNT] === 0) this.#list()
      const place = frames[this.#top + PLACE] + 1
      if (place < frames[this.#top + COUNT]) {
        frames[this.#top + PLACE] = place
        return true
      }
    }
    return false
  }

  #toPrevLink(): boolean {
    const frames = this.#frames
    for (; this.#top > 0; this.#top -= FRAME_WORDS) {
      if (frames[this.#top + COUNT] === 0) this.#list()
      const place = frames[this.#top + PLACE] - 1
      if (place >= 0) {
        frames[this.#top + PLACE] = place
        return true
      }
    }
    return false
  }

  /** Go on to a node, at its first link or its last. */
  #pushList(node: number, isLast: boolean): void {
    this.#pushBefore(node)
    const frames = this.#frames
    frames[this.#top + PLACE] = isLast ? frames[this.#top + COUNT] - 1 : 0
  }

  /** Go on to a node, right before its first link. */
  #pushBefore(node: number): void {
    this.#pushFrame(node)
    this.#fillList()
    this.#frames[this.#top + PLACE] = -1
  }

  /** Go on by one of a node's links; the list can wait. */
  #push(node: number, link: number): void {
    this.#pushFrame(node)
    const frames = this.#frames
    frames[this.#top + PLACE] = 0
    frames[this.#top + COUNT] = 0
    frames[this.#top + LIST] = link
  }

  #pushFrame(node: number): void {
    this.#top += FRAME_WORDS
    if (this.#top === this.#frames.length) {
      const grown = new Int32Array(this.#frames.length * 2)
      grown.set(this.#frames)
      this.#frames = grown
    }
    this.#frames[this.#top + NODE] = node
  }

  /** Make the last frame's list, and find its link there. */
  #list(): void {
    const frames = this.#frames
    const top = this.#top
    const link = frames[top + LIST]
    this.#fillList()
    const count = frames[top + COUNT]
    let place = 0
    while (place < count - 1 && frames[top + LIST + place] !== link) place++
    frames[top + PLACE] = place
  }

  #fillList(): void {
    const frames = this.#frames
    const list = this.#top + LIST
    const count = listLinks(this.#words, frames[this.#top + NODE], this.#limit, frames, list)
    frames[this.#top + COUNT] = count
    if (count >= TOUCHED_MIN) this.#touchNodes(list, count)
  }

  /** Load two words of every node of a list, since most lie in two cache lines: as #touchLeaves does, all of them together. */
  #touchNodes(list: number, count: number): void {
    const words = this.#words
    const frames = this.#frames
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

  /** Lead to a leaf as the tree is now, unless the path does, or has just gone beyond it as the last one. */
  #return(node: number): void {
    const isOld = this.#limit === NO_LIMIT && this.#addedKeys !== this.#tree.addedKeys
    if (isOld || this.node !== node) this.#seekLeaf(node)
  }

  #seekLeaf(node: number): void {
    this.seek(this.#tree.arena.bytes, leafKeyOffset(node), leafKeyLength(this.#words, node))
  }
}

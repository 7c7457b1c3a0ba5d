/**
 * RadixDescent: ways down a RadixTree by shares of its order, for estimates and samples. At each node the share decides which
 * branch to take, as if all of them had the same number of keys; the product of the branches' numbers is then one over
 * the chance of the key where it ends, and its mean over random shares the number of keys, whatever shape the tree has.
 * Descents within bounds take only branches that can lie between them.
 * Threads  any; one descent belongs to one thread
 * Source   D. E. Knuth, Estimating the efficiency of backtrack programs (1975)
 */
import { compareBytes } from '../base/bytes.ts'
import type { Bytes } from '../base/types.ts'
import type { KeyDescent } from './memtable-rep.ts'
import { leafKeyLength, leafKeyOffset, leafOf } from './radix-leaf.ts'
import { findLink, LINKS_MAX, linkAfter, listLinks, loadLink, nodeDepth, TAG_MASK, TERMINAL } from './radix-node.ts'
import { type RadixTree, ROOT_LINK } from './radix-tree.ts'

export class RadixDescent implements KeyDescent {
  keyOff: number
  keyLen: number

  readonly #tree: RadixTree
  readonly #words: Int32Array<ArrayBufferLike>
  readonly #limit: number
  readonly #start: Bytes | undefined
  readonly #end: Bytes | undefined
  readonly #links: Int32Array
  #count: number

  constructor(tree: RadixTree, limit: number, start: Bytes | undefined, end: Bytes | undefined) {
    this.keyOff = 0
    this.keyLen = 0
    this.#tree = tree
    this.#words = tree.arena.words
    this.#limit = limit
    this.#start = start
    this.#end = end
    this.#links = new Int32Array(LINKS_MAX)
    this.#count = 0
  }

  descend(share: number): number {
    const words = this.#words
    let start = this.#start
    let end = this.#end
    let rest = share
    let weight = 1
    let target = loadLink(words, ROOT_LINK, this.#limit)
    while (target !== 0 && (target & TAG_MASK) === 0) {
      const leaf = start === undefined && end === undefined ? 0 : this.#tree.anyLeaf(target, this.#limit)
      const startOrder = start === undefined ? 1 : this.#order(target, leaf, start)
      const endOrder = end === undefined ? -1 : this.#order(target, leaf, end)
      if (startOrder < 0 || endOrder > 0) return 0
      if (startOrder > 0) start = undefined
      if (endOrder < 0) end = undefined
      this.#count = listLinks(words, target, this.#limit, this.#links, 0)
      const from = start === undefined ? 0 : this.#placeOf(target, start, true)
      const to = end === undefined ? this.#count : this.#placeOf(target, end, false)
      if (to <= from) return 0
      const place = from + Math.floor(rest * (to - from))
      rest = rest * (to - from) - (place - from)
      weight *= to - from
      if (place > from) start = undefined
      if (place < to - 1) end = undefined
      target = loadLink(words, this.#links[place], this.#limit)
    }
    return target === 0 ? 0 : this.#arrive(leafOf(words, target), weight)
  }

  /** @returns the weight if the leaf is visible and within the bounds, else 0 */
  #arrive(leaf: number, weight: number): number {
    if (leaf >= this.#limit) return 0
    const { bytes } = this.#tree.arena
    const start = this.#start
    const end = this.#end
    this.keyOff = leafKeyOffset(leaf)
    this.keyLen = leafKeyLength(this.#words, leaf)
    if (start !== undefined && compareBytes(bytes, this.keyOff, this.keyLen, start, 0, start.length) < 0) return 0
    if (end !== undefined && compareBytes(bytes, this.keyOff, this.keyLen, end, 0, end.length) > 0) return 0
    return weight
  }

  /** Whether all keys below a node are before a bound (< 0) or behind it (> 0), or it can lie between them (0). */
  #order(node: number, leaf: number, bound: Bytes): number {
    const depth = nodeDepth(this.#words, node)
    const shared = depth < bound.length ? depth : bound.length
    const order = compareBytes(this.#tree.arena.bytes, leafKeyOffset(leaf), shared, bound, 0, shared)
    // A bound that ends above the node sorts before all of it.
    return order !== 0 ? order : depth > bound.length ? 1 : 0
  }

  /** In the list: the first link that can hold keys from the bound on, or the end of those that can up to it. */
  #placeOf(node: number, bound: Bytes, isStart: boolean): number {
    const words = this.#words
    const depth = nodeDepth(words, node)
    const symbol = depth === bound.length ? TERMINAL : bound[depth]
    const link = findLink(words, node, symbol)
    const isListed = link !== 0 && loadLink(words, link, this.#limit) !== 0
    const wanted = isListed ? link : linkAfter(words, node, symbol, this.#limit)
    for (let place = 0; place < this.#count; place++) {
      if (this.#links[place] === wanted) return isListed && !isStart ? place + 1 : place
    }
    return this.#count
  }
}

/**
 * RangePainter: makes the next map from the newest one, by painting [start, end) with a new range tombstone: the boundaries
 * from start to end go, and two take their place. What a range covers does not matter to its cost.
 *
 * The tree is split at both keys and joined again around the new boundaries, by joins that descend only as far as the two
 * heights differ. Where no boundary lies from start to end, one way down finds the place of both. A node that was made in this
 * painting is changed in place, an older one at most in one child (range-map.ts); a second change makes a copy, so that no old
 * node is copied twice, and few are copied at all.
 *
 * Invariant  a painting makes at most 4h + 16 nodes, of a map of height h: (1) it copies at most the nodes on the ways to start
 *            and to end, 2h; (2) joins copy as many nodes of the taller side as the heights differ, and the result is at
 *            least as high as the taller side, so the differences on each way add up to its height, and those of both ways,
 *            of the joint between them and of the common way to at most 2h; (3) a painted tree is at most two higher than
 *            the one it replaces, which costs up to 14 more in joins on its own side; (4) two nodes are new.
 * Threads    writer
 * Source     G. Blelloch, D. Ferizovic, Y. Sun, Just Join for Parallel Ordered Sets (2016), for the joins
 */
import type { Comparator } from '../base/comparator.ts'
import type { Bytes } from '../base/types.ts'
import type { Arena } from './arena.ts'
import { ARENA_BYTES_MAX } from './arena-layout.ts'
import { KeyProbe } from './key-probe.ts'
import { NO_LIMIT } from './memtable-rep.ts'
import {
  BOUNDARY,
  BOUNDARY_BYTES,
  boundaryBytes,
  CHANGE,
  CHANGES_RIGHT,
  COVER,
  compareBoundary,
  HEIGHT,
  LEFT,
  leftOf,
  NODE_BYTES,
  RIGHT,
  rightOf,
  SINCE,
  TOMBSTONE_BYTES,
  UNCHANGED,
} from './range-map.ts'
import { putPadded } from './version-record.ts'

/** What every painting takes of the arena: two boundaries with a node each, and its tombstone. It adds two boundaries. */
const PAINTING_BYTES_MIN: number = 2 * (NODE_BYTES + boundaryBytes(0)) + TOMBSTONE_BYTES
/** Height of the highest map that fits an arena. */
const HEIGHT_MAX: number = heightMax(2 * Math.floor(ARENA_BYTES_MAX / PAINTING_BYTES_MIN))
/** Of a node on a way, whose offset leaves the bit free: the way goes on to its left. */
const TO_LEFT = 1

/** The most bytes that painting a range takes, in a map of this height; by default, in any. */
export function paintingBytesMax(startLen: number, endLen: number, height: number = HEIGHT_MAX): number {
  return TOMBSTONE_BYTES + boundaryBytes(startLen) + boundaryBytes(endLen) + (4 * height + 16) * NODE_BYTES
}

export class RangePainter {
  readonly #arena: Arena
  readonly #words: Int32Array<ArrayBufferLike>
  readonly #start: KeyProbe
  readonly #end: KeyProbe
  /** Of the painting under way: the nodes from the root to the start, and those after the end that lead to it from there. */
  readonly #way: Int32Array
  readonly #endWay: Int32Array
  /** Whether nodes of the newest map have changed for one that is not there yet: no other can be made then. */
  isPainting: boolean
  /** Of the painting under way: its tombstone, where its nodes begin, and the two new ones. */
  #tombstone: number
  #fresh: number
  #startNode: number
  #endNode: number

  constructor(arena: Arena, comparator: Comparator) {
    this.#arena = arena
    this.#words = arena.words
    this.#start = new KeyProbe(comparator)
    this.#end = new KeyProbe(comparator)
    this.#way = new Int32Array(HEIGHT_MAX)
    this.#endWay = new Int32Array(HEIGHT_MAX)
    this.isPainting = false
    this.#tombstone = 0
    this.#fresh = 0
    this.#startNode = 0
    this.#endNode = 0
  }

  /**
   * The map after a range tombstone that is newer than all of it; the arena has room for `paintingBytesMax`.
   * @param start before `end`
   * @returns its root
   */
  paint(
    root: number,
    tagLow: number,
    tagHigh: number,
    start: Bytes,
    startOff: number,
    startLen: number,
    end: Bytes,
    endOff: number,
    endLen: number,
  ): number {
    this.#start.load(start, startOff, startLen)
    this.#end.load(end, endOff, endLen)
    const tombstone = this.#arena.allocate(TOMBSTONE_BYTES + boundaryBytes(startLen) + boundaryBytes(endLen))
    this.#words[tombstone >> 2] = tagLow
    this.#words[(tombstone >> 2) + 1] = tagHigh
    const first = tombstone + TOMBSTONE_BYTES
    const last = first + boundaryBytes(startLen)
    this.#putBoundary(first, start, startOff, startLen)
    this.#putBoundary(last, end, endOff, endLen)
    this.#tombstone = tombstone
    this.#fresh = this.#arena.tail
    this.#startNode = this.#newNode(first, tombstone, 0, 0)
    this.#endNode = this.#newNode(last, 0, 0, 0)
    return this.#painted(root)
  }

  /** A map in which the new boundaries are in place of those from start to end. */
  #painted(root: number): number {
    // All comparisons come first: an order of the caller's own may throw.
    const length = this.#findStart(root)
    const top = this.#topCovered(length)
    const covered = top === length ? 0 : this.#way[top] & ~TO_LEFT
    this.#setEndCover(covered === 0 ? this.#floorCover(length) : this.#words[(covered >> 2) + COVER])
    const endLength = covered === 0 ? 0 : this.#findEnd(this.#right(covered))
    this.isPainting = true
    this.#arena.isTorn = true
    if (covered === 0) return this.#rebuilt(this.#link(this.#startNode, 0, this.#endNode), 0, top, root)
    const joined = this.#join(this.#before(length, top), this.#startNode, this.#after(endLength))
    return this.#rebuilt(joined, this.#height(covered), top, root)
  }

  /** Go down to the start, and keep the way. @returns its length */
  #findStart(root: number): number {
    const way = this.#way
    let length = 0
    for (let node = root; node !== 0; ) {
      if (this.#order(node, this.#start) < 0) {
        way[length++] = node
        node = this.#right(node)
      } else {
        way[length++] = node | TO_LEFT
        node = this.#left(node)
      }
    }
    return length
  }

  /**
   * Where on the way the first boundary is that lies from start to end; else its length. Those that are not before the start
   * descend along the way, so the lowest of them alone tells that there is none.
   */
  #topCovered(length: number): number {
    let top = length
    for (let i = length - 1; i >= 0; i--) {
      if ((this.#way[i] & TO_LEFT) === 0) continue
      if (this.#order(this.#way[i] & ~TO_LEFT, this.#end) > 0) break
      top = i
    }
    return top
  }

  /** What covers the start until now. */
  #floorCover(length: number): number {
    for (let i = length - 1; i >= 0; i--) {
      if ((this.#way[i] & TO_LEFT) === 0) return this.#words[(this.#way[i] >> 2) + COVER]
    }
    return 0
  }

  #setEndCover(cover: number): void {
    this.#words[(this.#endNode >> 2) + COVER] = cover
  }

  /** What lies before the start, under the place `top` of the way. */
  #before(length: number, top: number): number {
    let tree = 0
    let isWhole = true
    for (let i = length - 1; i > top; i--) {
      const node = this.#way[i]
      if ((node & TO_LEFT) !== 0) isWhole = false
      else tree = isWhole ? node : this.#join(this.#left(node), node, tree)
    }
    return tree
  }

  /**
   * Go down to the end, and keep the nodes after it. The last node that is not tells what covered the keys from the end on.
   * @returns how many there are
   */
  #findEnd(root: number): number {
    const way = this.#endWay
    let length = 0
    for (let node = root; node !== 0; ) {
      if (this.#order(node, this.#end) > 0) {
        way[length++] = node
        node = this.#left(node)
      } else {
        this.#setEndCover(this.#words[(node >> 2) + COVER])
        node = this.#right(node)
      }
    }
    return length
  }

  /** The end, and what lies after it, under the first `length` nodes that lead there. */
  #after(length: number): number {
    const way = this.#endWay
    let tree = this.#endNode
    for (let i = length - 1; i >= 0; i--) tree = this.#join(tree, way[i], this.#right(way[i]))
    return tree
  }

  /**
   * The map with a tree in place of what is under the first `count` nodes of the way, which was of height `height`. Above a
   * node that stays where it is, as high as it was, nothing changes.
   */
  #rebuilt(tree: number, height: number, count: number, root: number): number {
    let joined = tree
    let replaced = -1
    let before = height
    for (let i = count - 1; i >= 0; i--) {
      if (joined === replaced && this.#height(joined) === before) return root
      const isLeft = (this.#way[i] & TO_LEFT) !== 0
      const node = this.#way[i] & ~TO_LEFT
      const nodeHeight = this.#height(node)
      joined = isLeft ? this.#join(joined, node, this.#right(node)) : this.#join(this.#left(node), node, joined)
      replaced = node
      before = nodeHeight
    }
    return joined
  }

  /** A balanced tree of the two and the pivot between them. */
  #join(left: number, pivot: number, right: number): number {
    const difference = this.#height(left) - this.#height(right)
    if (difference > 1) return this.#joinToRight(left, pivot, right)
    if (difference < -1) return this.#joinToLeft(left, pivot, right)
    return this.#link(pivot, left, right)
  }

  /** The left one is higher by at least two: the right one goes where its right edge is as low. */
  #joinToRight(left: number, pivot: number, right: number): number {
    const edge = this.#right(left)
    const isLow = this.#height(edge) <= this.#height(right) + 1
    const joined = isLow ? this.#link(pivot, edge, right) : this.#joinToRight(edge, pivot, right)
    return this.#balance(left, this.#left(left), joined)
  }

  #joinToLeft(left: number, pivot: number, right: number): number {
    const edge = this.#left(right)
    const isLow = this.#height(edge) <= this.#height(left) + 1
    const joined = isLow ? this.#link(pivot, left, edge) : this.#joinToLeft(left, pivot, edge)
    return this.#balance(right, joined, this.#right(right))
  }

  /** A node with these children, whose heights differ by at most two, rotated if they do by two. */
  #balance(node: number, left: number, right: number): number {
    const difference = this.#height(left) - this.#height(right)
    if (difference > 1) return this.#rotateRight(node, left, right)
    if (difference < -1) return this.#rotateLeft(node, left, right)
    return this.#link(node, left, right)
  }

  #rotateLeft(node: number, left: number, right: number): number {
    const inner = this.#left(right)
    const outer = this.#right(right)
    if (this.#height(inner) <= this.#height(outer)) return this.#link(right, this.#link(node, left, inner), outer)
    const above = this.#right(inner)
    const below = this.#link(node, left, this.#left(inner))
    return this.#link(inner, below, this.#link(right, above, outer))
  }

  #rotateRight(node: number, left: number, right: number): number {
    const outer = this.#left(left)
    const inner = this.#right(left)
    if (this.#height(inner) <= this.#height(outer)) return this.#link(left, outer, this.#link(node, inner, right))
    const above = this.#left(inner)
    const below = this.#link(node, this.#right(inner), right)
    return this.#link(inner, this.#link(left, outer, above), below)
  }

  /** Give a node its children in the new map. @returns the node, or a copy in its place */
  #link(node: number, left: number, right: number): number {
    const words = this.#words
    const leftHeight = this.#height(left)
    const rightHeight = this.#height(right)
    const linked = this.#withChildren(node, left, right)
    words[(linked >> 2) + HEIGHT] = 1 + (leftHeight > rightHeight ? leftHeight : rightHeight)
    return linked
  }

  #withChildren(node: number, left: number, right: number): number {
    const words = this.#words
    const at = node >> 2
    if (node >= this.#fresh) {
      words[at + LEFT] = left
      words[at + RIGHT] = right
      return node
    }
    const isLeft = this.#left(node) !== left
    if (isLeft === (this.#right(node) !== right)) {
      return isLeft ? this.#newNode(words[at + BOUNDARY], words[at + COVER], left, right) : node
    }
    const change = isLeft ? left : right | CHANGES_RIGHT
    const isFree = words[at + SINCE] === UNCHANGED
    // A change of this very painting may be made anew.
    const isOwn = words[at + SINCE] === this.#tombstone && ((words[at + CHANGE] ^ change) & CHANGES_RIGHT) === 0
    if (!isFree && !isOwn) return this.#newNode(words[at + BOUNDARY], words[at + COVER], left, right)
    words[at + CHANGE] = change
    words[at + SINCE] = this.#tombstone
    return node
  }

  #newNode(boundary: number, cover: number, left: number, right: number): number {
    const words = this.#words
    const node = this.#arena.allocate(NODE_BYTES)
    const at = node >> 2
    words[at + LEFT] = left
    words[at + RIGHT] = right
    words[at + BOUNDARY] = boundary
    words[at + COVER] = cover
    words[at + HEIGHT] = 1
    words[at + SINCE] = UNCHANGED
    words[at + CHANGE] = 0
    return node
  }

  #left(node: number): number {
    return leftOf(this.#words, node, NO_LIMIT)
  }

  #right(node: number): number {
    return rightOf(this.#words, node, NO_LIMIT)
  }

  #putBoundary(offset: number, key: Bytes, keyOff: number, keyLen: number): void {
    const at = offset >> 2
    this.#words[at] = keyLen
    this.#words[at + 1] = 0
    this.#words[at + 2] = 0
    putPadded(this.#arena, offset + BOUNDARY_BYTES, key, keyOff, keyLen)
  }

  #height(node: number): number {
    return node === 0 ? 0 : this.#words[(node >> 2) + HEIGHT]
  }

  #order(node: number, probe: KeyProbe): number {
    return compareBoundary(this.#words, this.#arena.bytes, node, probe)
  }
}

/** Height of the highest AVL tree that `nodes` nodes make: one of height h has at least those of h − 1 and h − 2, and one. */
function heightMax(nodes: number): number {
  let least = 1
  let lower = 0
  let height = 0
  for (; least <= nodes; height++) {
    const next = least + lower + 1
    lower = least
    least = next
  }
  return height
}

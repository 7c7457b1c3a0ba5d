/**
 * RangePainter: makes the next map from the newest one, by painting [start, end) with a new range tombstone: the boundaries
 * from start to end go, and two take their place. What a range covers does not matter to its cost.
 *
 * The tree is split at both keys and joined again around the new boundaries, by joins that descend only as far as the two
 * heights differ. A node that was made in this painting is changed in place, so that no old node is copied twice.
 *
 * Invariant  a painting makes at most 4h + 16 nodes, of a map of height h: (1) it copies the nodes on the ways to start and
 *            to end, at most 2h; (2) joins copy as many nodes of the taller side as the heights differ, and the result is at
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
import {
  BOUNDARY,
  BOUNDARY_BYTES,
  boundaryBytes,
  COVER,
  compareBoundary,
  HEIGHT,
  LEFT,
  NODE_BYTES,
  RIGHT,
  TOMBSTONE_BYTES,
} from './range-map.ts'
import { putPadded } from './version-record.ts'

/** What every painting takes of the arena: two boundaries with a node each, and its tombstone. It adds two boundaries. */
const PAINTING_BYTES_MIN: number = 2 * (NODE_BYTES + boundaryBytes(0)) + TOMBSTONE_BYTES
/** Height of the highest map that fits an arena. */
const HEIGHT_MAX: number = heightMax(2 * Math.floor(ARENA_BYTES_MAX / PAINTING_BYTES_MIN))

/** The most bytes that painting a range takes, in a map of this height; by default, in any. */
export function paintingBytesMax(startLen: number, endLen: number, height: number = HEIGHT_MAX): number {
  return TOMBSTONE_BYTES + boundaryBytes(startLen) + boundaryBytes(endLen) + (4 * height + 16) * NODE_BYTES
}

export class RangePainter {
  readonly #arena: Arena
  readonly #words: Int32Array<ArrayBufferLike>
  readonly #start: KeyProbe
  readonly #end: KeyProbe
  /** Of the painting under way: where its nodes begin, and the two new ones. */
  #fresh: number
  #startNode: number
  #endNode: number

  constructor(arena: Arena, comparator: Comparator) {
    this.#arena = arena
    this.#words = arena.words
    this.#start = new KeyProbe(comparator)
    this.#end = new KeyProbe(comparator)
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
    this.#fresh = this.#arena.tail
    this.#startNode = this.#newNode(first, tombstone)
    this.#endNode = this.#newNode(last, 0)
    return this.#painted(root)
  }

  /** A tree in which the new boundaries are in place of those from start to end. */
  #painted(node: number): number {
    if (node === 0) return this.#link(this.#startNode, 0, this.#endNode)
    const left = this.#words[(node >> 2) + LEFT]
    const right = this.#words[(node >> 2) + RIGHT]
    if (this.#isAfterEnd(node)) return this.#join(this.#painted(left), this.#owned(node), right)
    if (this.#order(node, this.#start) < 0) return this.#join(left, this.#owned(node), this.#painted(right))
    return this.#join(this.#before(left), this.#startNode, this.#after(right))
  }

  /** What lies before the start. */
  #before(node: number): number {
    if (node === 0) return 0
    const left = this.#words[(node >> 2) + LEFT]
    const order = this.#order(node, this.#start)
    if (order === 0) return left
    if (order > 0) return this.#before(left)
    const right = this.#words[(node >> 2) + RIGHT]
    const rest = this.#before(right)
    return rest === right ? node : this.#join(left, this.#owned(node), rest)
  }

  /** The end, and what lies after it. */
  #after(node: number): number {
    if (node === 0) return this.#endNode
    const right = this.#words[(node >> 2) + RIGHT]
    if (!this.#isAfterEnd(node)) return this.#after(right)
    return this.#join(this.#after(this.#words[(node >> 2) + LEFT]), this.#owned(node), right)
  }

  /** Of the nodes on the way to the end; the last one that is not after it tells what covered the keys from there on. */
  #isAfterEnd(node: number): boolean {
    if (this.#order(node, this.#end) > 0) return true
    this.#words[(this.#endNode >> 2) + COVER] = this.#words[(node >> 2) + COVER]
    return false
  }

  /** A balanced tree of the two and the pivot between them, which is a node of this painting. */
  #join(left: number, pivot: number, right: number): number {
    const difference = this.#height(left) - this.#height(right)
    if (difference > 1) return this.#joinToRight(left, pivot, right)
    if (difference < -1) return this.#joinToLeft(left, pivot, right)
    return this.#link(pivot, left, right)
  }

  /** The left one is higher by at least two: the right one goes where its right edge is as low. */
  #joinToRight(left: number, pivot: number, right: number): number {
    const node = this.#owned(left)
    const edge = this.#words[(node >> 2) + RIGHT]
    const isLow = this.#height(edge) <= this.#height(right) + 1
    const joined = isLow ? this.#link(pivot, edge, right) : this.#joinToRight(edge, pivot, right)
    return this.#balance(node, this.#words[(node >> 2) + LEFT], joined)
  }

  #joinToLeft(left: number, pivot: number, right: number): number {
    const node = this.#owned(right)
    const edge = this.#words[(node >> 2) + LEFT]
    const isLow = this.#height(edge) <= this.#height(left) + 1
    const joined = isLow ? this.#link(pivot, left, edge) : this.#joinToLeft(left, pivot, edge)
    return this.#balance(node, joined, this.#words[(node >> 2) + RIGHT])
  }

  /** A node with these children, whose heights differ by at most two, rotated if they do by two. */
  #balance(node: number, left: number, right: number): number {
    const difference = this.#height(left) - this.#height(right)
    if (difference > 1) return this.#rotateRight(node, this.#owned(left), right)
    if (difference < -1) return this.#rotateLeft(node, left, this.#owned(right))
    return this.#link(node, left, right)
  }

  #rotateLeft(node: number, left: number, right: number): number {
    const inner = this.#words[(right >> 2) + LEFT]
    const outer = this.#words[(right >> 2) + RIGHT]
    if (this.#height(inner) <= this.#height(outer)) return this.#link(right, this.#link(node, left, inner), outer)
    const top = this.#owned(inner)
    const below = this.#link(node, left, this.#words[(top >> 2) + LEFT])
    return this.#link(top, below, this.#link(right, this.#words[(top >> 2) + RIGHT], outer))
  }

  #rotateRight(node: number, left: number, right: number): number {
    const outer = this.#words[(left >> 2) + LEFT]
    const inner = this.#words[(left >> 2) + RIGHT]
    if (this.#height(inner) <= this.#height(outer)) return this.#link(left, outer, this.#link(node, inner, right))
    const top = this.#owned(inner)
    const below = this.#link(node, this.#words[(top >> 2) + RIGHT], right)
    return this.#link(top, this.#link(left, outer, this.#words[(top >> 2) + LEFT]), below)
  }

  /** Give a node of this painting its children. @returns the node */
  #link(node: number, left: number, right: number): number {
    const words = this.#words
    const leftHeight = this.#height(left)
    const rightHeight = this.#height(right)
    words[(node >> 2) + LEFT] = left
    words[(node >> 2) + RIGHT] = right
    words[(node >> 2) + HEIGHT] = 1 + (leftHeight > rightHeight ? leftHeight : rightHeight)
    return node
  }

  /** The node itself if this painting made it, else a copy. */
  #owned(node: number): number {
    if (node >= this.#fresh) return node
    const copy = this.#arena.allocate(NODE_BYTES)
    for (let i = 0; i < NODE_BYTES >> 2; i++) this.#words[(copy >> 2) + i] = this.#words[(node >> 2) + i]
    return copy
  }

  #newNode(boundary: number, cover: number): number {
    const node = this.#arena.allocate(NODE_BYTES)
    const at = node >> 2
    this.#words[at + LEFT] = 0
    this.#words[at + RIGHT] = 0
    this.#words[at + BOUNDARY] = boundary
    this.#words[at + COVER] = cover
    this.#words[at + HEIGHT] = 1
    return node
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

/**
 * MergingIterator: the union of several InternalIterators, in internal-key order, in both directions.
 *
 * Structure   a binary heap of child numbers; its root is the child whose entry is shown. Moving forwards the root is the
 *             least entry, moving backwards the greatest. Which of the root's two sons comes first is remembered, so that
 *             while one child gives entry after entry (the usual case: most entries lie in the deepest level) a move
 *             costs one comparison.
 * Direction   on a turn, every other child is sought anew around the entry shown.
 * Ties        no two children have the same internal key, by the rules of sequence numbers. If they do all the same, both
 *             entries are shown, the lower child's first, in either direction consistently.
 * Threads     as its children
 */
import { EMPTY } from '../base/bytes.ts'
import type { Comparator } from '../base/comparator.ts'
import { compareTags } from '../base/internal-key.ts'
import type { InternalIterator } from '../base/iterator.ts'
import type { Bytes } from '../base/types.ts'

const FORWARDS = 1
const BACKWARDS = -1
/** `#second` when it must be found anew; no son has this place. */
const UNKNOWN = 0

export class MergingIterator implements InternalIterator {
  valid: boolean
  keyBuf: Bytes
  keyOff: number
  keyLen: number
  tagLow: number
  tagHigh: number
  valBuf: Bytes
  valOff: number
  valLen: number

  readonly #comparator: Comparator
  readonly #children: readonly InternalIterator[]
  /** heap[0, heapCount): numbers of the valid children. */
  readonly #heap: Int32Array
  #heapCount: number
  /** Place in the heap of the root's son that comes first. */
  #second: number
  #direction: number

  /** @param children in any state; from here on only this iterator moves them */
  constructor(comparator: Comparator, children: readonly InternalIterator[]) {
    this.valid = false
    this.keyBuf = EMPTY
    this.keyOff = 0
    this.keyLen = 0
    this.tagLow = 0
    this.tagHigh = 0
    this.valBuf = EMPTY
    this.valOff = 0
    this.valLen = 0
    this.#comparator = comparator
    this.#children = children
    this.#heap = new Int32Array(children.length)
    this.#heapCount = 0
    this.#second = UNKNOWN
    this.#direction = FORWARDS
  }

  seekToFirst(): void {
    this.valid = false
    for (let i = 0; i < this.#children.length; i++) this.#children[i].seekToFirst()
    this.#rebuild(FORWARDS)
  }

  seekToLast(): void {
    this.valid = false
    for (let i = 0; i < this.#children.length; i++) this.#children[i].seekToLast()
    this.#rebuild(BACKWARDS)
  }

  seek(key: Bytes, keyOff: number, keyLen: number, tagLow: number, tagHigh: number): void {
    this.valid = false
    for (let i = 0; i < this.#children.length; i++) this.#children[i].seek(key, keyOff, keyLen, tagLow, tagHigh)
    this.#rebuild(FORWARDS)
  }

  next(): void {
    this.#step(FORWARDS)
  }

  prev(): void {
    this.#step(BACKWARDS)
  }

  #step(direction: number): void {
    this.valid = false
    const root = this.#heap[0]
    const child = this.#children[root]
    const isTurn = this.#direction !== direction
    if (isTurn) this.#turnOthers(root, direction)
    if (direction === FORWARDS) child.next()
    else child.prev()
    if (isTurn) this.#rebuild(direction)
    else this.#settleRoot(child)
  }

  /** Put every child but `root` at its nearest entry beyond the root's, in the new direction. */
  #turnOthers(root: number, direction: number): void {
    const { keyBuf, keyOff, keyLen, tagLow, tagHigh } = this.#children[root]
    for (let i = 0; i < this.#children.length; i++) {
      if (i === root) continue
      const child = this.#children[i]
      child.seek(keyBuf, keyOff, keyLen, tagLow, tagHigh)
      const isTieBefore = child.valid && i < root && this.#compareKeys(child, this.#children[root]) === 0
      if (direction === FORWARDS) {
        if (isTieBefore) child.next()
      } else if (!child.valid) {
        child.seekToLast()
      } else if (!isTieBefore) {
        child.prev()
      }
    }
  }

  /** The root's child has moved: restore the heap and show what is on top. */
  #settleRoot(child: InternalIterator): void {
    if (!child.valid) {
      this.#heapCount--
      if (this.#heapCount === 0) return
      this.#heap[0] = this.#heap[this.#heapCount]
      this.#second = UNKNOWN
    }
    if (this.#second === UNKNOWN) this.#second = this.#firstSon(0)
    const second = this.#second
    if (second < this.#heapCount && this.#comesBefore(this.#heap[second], this.#heap[0])) {
      this.#siftDown(0)
      this.#second = UNKNOWN
    }
    this.#show()
  }

  #rebuild(direction: number): void {
    this.#direction = direction
    this.#second = UNKNOWN
    let count = 0
    for (let i = 0; i < this.#children.length; i++) {
      if (this.#children[i].valid) this.#heap[count++] = i
    }
    this.#heapCount = count
    for (let at = (count >>> 1) - 1; at >= 0; at--) this.#siftDown(at)
    if (count > 0) this.#show()
  }

  #siftDown(from: number): void {
    const heap = this.#heap
    const moving = heap[from]
    let at = from
    for (;;) {
      const son = this.#firstSon(at)
      if (son >= this.#heapCount || !this.#comesBefore(heap[son], moving)) break
      heap[at] = heap[son]
      at = son
    }
    heap[at] = moving
  }

  /** Place of the son of a place that comes first; ≥ heapCount if there is none. */
  #firstSon(at: number): number {
    const left = 2 * at + 1
    const right = left + 1
    return right < this.#heapCount && this.#comesBefore(this.#heap[right], this.#heap[left]) ? right : left
  }

  /** Whether child a's entry is to be shown before child b's, in the present direction. */
  #comesBefore(a: number, b: number): boolean {
    const order = this.#compareKeys(this.#children[a], this.#children[b]) || a - b
    return order * this.#direction < 0
  }

  #compareKeys(a: InternalIterator, b: InternalIterator): number {
    const order = this.#comparator.compare(a.keyBuf, a.keyOff, a.keyLen, b.keyBuf, b.keyOff, b.keyLen)
    return order !== 0 ? order : compareTags(a.tagLow, a.tagHigh, b.tagLow, b.tagHigh)
  }

  #show(): void {
    const child = this.#children[this.#heap[0]]
    this.keyBuf = child.keyBuf
    this.keyOff = child.keyOff
    this.keyLen = child.keyLen
    this.tagLow = child.tagLow
    this.tagHigh = child.tagHigh
    this.valBuf = child.valBuf
    this.valOff = child.valOff
    this.valLen = child.valLen
    this.valid = true
  }
}

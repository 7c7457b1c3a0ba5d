/**
 * SkipListPath: a place in a SkipList, and the moves to its neighbours; nodes that are not visible are passed through.
 * Threads  any; one path belongs to one thread
 */
import type { Bytes } from '../base/types.ts'
import type { KeyPath } from './memtable-rep.ts'
import { HEIGHT_BITS, type SkipList } from './skiplist.ts'

export class SkipListPath implements KeyPath {
  readonly keyLengthShift: number = HEIGHT_BITS
  node: number

  readonly #list: SkipList
  readonly #limit: number

  constructor(list: SkipList, limit: number) {
    this.node = 0
    this.#list = list
    this.#limit = limit
  }

  first(): void {
    this.#forwards(this.#list.nextNode(this.#list.head, this.#limit))
  }

  last(): void {
    this.#backwards(this.#list.lastNode(this.#limit))
  }

  seek(key: Bytes, keyOff: number, keyLen: number): boolean {
    this.#forwards(this.#list.findNode(key, keyOff, keyLen, this.#limit))
    return this.node !== 0 && this.#list.isSoughtKey(this.node)
  }

  prev(node: number): void {
    this.#backwards(this.#list.prevNode(node, this.#limit))
  }

  /** One at a time: where the next one is says only the one before. */
  collect(node: number, nodes: Int32Array, heads: Int32Array): number {
    this.#forwards(this.#list.nextNode(node, this.#limit))
    if (this.node === 0) return 0
    nodes[0] = this.node
    heads[0] = this.versions(this.node)
    return 1
  }

  versions(node: number): number {
    return this.#list.versions(node, this.#limit)
  }

  /** At `node`, or at the first one after it that is visible. */
  #forwards(node: number): void {
    let visible = node
    while (visible >= this.#limit) visible = this.#list.nextNode(visible, this.#limit)
    this.node = visible
  }

  #backwards(node: number): void {
    let visible = node
    while (visible >= this.#limit) visible = this.#list.prevNode(visible, this.#limit)
    this.node = visible
  }
}

/**
 * SkipListPath: a place in a SkipList, and the moves to its neighbours; nodes that are not visible are passed through.
 * Threads  any; one path belongs to one thread
 */
import type { Bytes } from '../base/types.ts'
import type { KeyPath } from './memtable-rep.ts'
import type { SkipList } from './skiplist.ts'

export class SkipListPath implements KeyPath {
  node: number

  readonly #list: SkipList
  readonly #limit: number

  constructor(list: SkipList, limit: number) {
    this.node = 0
    this.#list = list
    this.#limit = limit
  }

  first(): void {
    this.#forwards(this.#list.firstNode(this.#limit))
  }

  last(): void {
    this.#backwards(this.#list.lastNode(this.#limit))
  }

  seek(key: Bytes, keyOff: number, keyLen: number): boolean {
    this.#forwards(this.#list.findNode(key, keyOff, keyLen, this.#limit))
    return this.node !== 0 && this.#list.isSoughtKey(this.node)
  }

  next(): void {
    this.#forwards(this.#list.nextNode(this.node, this.#limit))
  }

  prev(): void {
    this.#backwards(this.#list.prevNode(this.node, this.#limit))
  }

  versions(): number {
    return this.#list.versions(this.node, this.#limit)
  }

  keyOffset(): number {
    return this.#list.keyOffset(this.node)
  }

  keyLength(): number {
    return this.#list.keyLength(this.node)
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

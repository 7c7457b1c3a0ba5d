/**
 * SkipListDescent: ways down a SkipList by shares of its order, for samples. The nodes of one level, the highest that has enough
 * of them, are listed once; from there on, each level takes one of the nodes that lie between two neighbours of the level
 * above. The product of their numbers is one over the chance of the node where it ends.
 * Threads  any; one descent belongs to one thread
 */
import type { KeyDescent } from './memtable-rep.ts'
import type { SkipList } from './skiplist.ts'

/** Nodes to begin with: each level that is left makes chances more uneven. */
const FIRST_NODES = 512

export class SkipListDescent implements KeyDescent {
  keyOff: number
  keyLen: number

  readonly #list: SkipList
  readonly #limit: number
  /** A level's nodes, the list's head included. */
  readonly #first: number[]
  #level: number

  constructor(list: SkipList, limit: number) {
    this.keyOff = 0
    this.keyLen = 0
    this.#list = list
    this.#limit = limit
    this.#first = []
    this.#level = list.height
    while (this.#level > 0 && this.#first.length < FIRST_NODES) this.#listLevel(--this.#level)
  }

  descend(share: number): number {
    const list = this.#list
    const first = this.#first
    let weight = first.length
    let place = Math.floor(share * weight)
    let rest = share * weight - place
    let node = first[place]
    // The node behind the stretch that is left; 0 at the end of the list.
    let bound = place + 1 < first.length ? first[place + 1] : 0
    for (let level = this.#level - 1; level >= 0; level--) {
      let count = 1
      for (let at = list.nextOn(level, node, this.#limit); at !== bound; at = list.nextOn(level, at, this.#limit))
        count++
      place = Math.floor(rest * count)
      rest = rest * count - place
      weight *= count
      for (; place > 0; place--) node = list.nextOn(level, node, this.#limit)
      bound = list.nextOn(level, node, this.#limit)
    }
    if (node === list.head || node >= this.#limit) return 0
    this.keyOff = list.keyOffset(node)
    this.keyLen = list.keyLength(node)
    return weight
  }

  #listLevel(level: number): void {
    this.#first.length = 0
    for (let at = this.#list.head; at !== 0; at = this.#list.nextOn(level, at, this.#limit)) this.#first.push(at)
  }
}

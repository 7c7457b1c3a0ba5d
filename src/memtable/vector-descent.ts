/**
 * VectorDescent: ways to the keys of a SortedVector by shares of its order, for samples: every entry has one place.
 * Threads  one descent belongs to one thread
 */
import type { KeyDescent } from './memtable-rep.ts'
import type { SortedVector } from './sorted-vector.ts'

/** Any entry by its place; an older version is no key. */
export class VectorDescent implements KeyDescent {
  keyOff: number
  keyLen: number
  readonly #vector: SortedVector

  constructor(vector: SortedVector) {
    this.keyOff = 0
    this.keyLen = 0
    this.#vector = vector
    vector.order()
  }

  descend(share: number): number {
    const vector = this.#vector
    const place = Math.floor(share * vector.count)
    if (place >= vector.count || !vector.isNewest(place)) return 0
    this.keyOff = vector.keyOffset(place)
    this.keyLen = vector.keyLength(place)
    return 1
  }
}

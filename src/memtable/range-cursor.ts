/**
 * RangeCursor: where a key lies in one map of range tombstones (range-map.ts): the stretch between two boundaries, and the
 * tombstone that covers it.
 * Threads  one cursor belongs to one thread; the map is whole and does not change
 */
import { ownedCopy } from '../base/bytes.ts'
import type { Comparator } from '../base/comparator.ts'
import { tagSequence } from '../base/internal-key.ts'
import type { RangeCover } from '../base/range-cover.ts'
import type { Bytes, SequenceNumber } from '../base/types.ts'
import type { Arena } from './arena.ts'
import type { MemTableRange } from './entry.ts'
import { KeyProbe } from './key-probe.ts'
import { BOUNDARY, BOUNDARY_BYTES, COVER, compareBoundary, leftOf, rightOf, rootOf } from './range-map.ts'

export class RangeCursor implements RangeCover {
  sequence: SequenceNumber
  hasStart: boolean
  startBuf: Bytes
  startOff: number
  startLen: number
  hasEnd: boolean
  endBuf: Bytes
  endOff: number
  endLen: number

  readonly #words: Int32Array<ArrayBufferLike>
  readonly #bytes: Bytes
  readonly #probe: KeyProbe
  readonly #version: number
  readonly #root: number

  /** @param version the one that the map is of; 0 for a map that covers nothing */
  constructor(arena: Arena, comparator: Comparator, version: number) {
    this.sequence = 0 as SequenceNumber
    this.hasStart = false
    this.startBuf = arena.bytes
    this.startOff = 0
    this.startLen = 0
    this.hasEnd = false
    this.endBuf = arena.bytes
    this.endOff = 0
    this.endLen = 0
    this.#words = arena.words
    this.#bytes = arena.bytes
    this.#probe = new KeyProbe(comparator)
    this.#version = version
    this.#root = version === 0 ? 0 : rootOf(arena.words, version)
  }

  /** Whether no range tombstone covers anything. */
  get isEmpty(): boolean {
    return this.#root === 0
  }

  seek(key: Bytes, keyOff: number, keyLen: number): void {
    const words = this.#words
    this.#probe.load(key, keyOff, keyLen)
    let node = this.#root
    let floor = 0
    let above = 0
    while (node !== 0) {
      if (compareBoundary(words, this.#bytes, node, this.#probe) <= 0) {
        floor = node
        node = rightOf(words, node, this.#version)
      } else {
        above = node
        node = leftOf(words, node, this.#version)
      }
    }
    this.#settle(floor, above)
  }

  /** To the stretch before the first boundary. */
  seekToFirst(): void {
    let first = 0
    for (let node = this.#root; node !== 0; node = leftOf(this.#words, node, this.#version)) first = node
    this.#settle(0, first)
  }

  /** The stretch, which has both ends. */
  range(): MemTableRange {
    const start = ownedCopy(this.startBuf, this.startOff, this.startLen)
    return { start, end: ownedCopy(this.endBuf, this.endOff, this.endLen), sequence: this.sequence }
  }

  #settle(floor: number, above: number): void {
    const words = this.#words
    const cover = floor === 0 ? 0 : words[(floor >> 2) + COVER]
    this.sequence = cover === 0 ? (0 as SequenceNumber) : tagSequence(words[cover >> 2] >>> 0, words[(cover >> 2) + 1])
    this.hasStart = floor !== 0
    if (floor !== 0) {
      const boundary = words[(floor >> 2) + BOUNDARY]
      this.startOff = boundary + BOUNDARY_BYTES
      this.startLen = words[boundary >> 2]
    }
    this.hasEnd = above !== 0
    if (above !== 0) {
      const boundary = words[(above >> 2) + BOUNDARY]
      this.endOff = boundary + BOUNDARY_BYTES
      this.endLen = words[boundary >> 2]
    }
  }
}

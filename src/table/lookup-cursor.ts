/**
 * LookupCursor: where the lookups of a database's tables stand: in one block of one table. All its tables share one, so
 * that open tables that are not asked hold on to no block; and a lookup in the block of the one before needs no search for it.
 *
 * Invariant  `block` is data block `at` of `owner`, unless there is no owner; it is held (block-memory.ts)
 * Threads    belongs to the thread of its tables; lookups do not overlap
 */
import { bytewiseComparator, type Comparator } from '../base/comparator.ts'
import { tagType } from '../base/internal-key.ts'
import * as Lookup from '../base/lookup.ts'
import type { Bytes } from '../base/types.ts'
import * as ValueType from '../base/value-type.ts'
import { type Block, EMPTY_BLOCK } from './block.ts'
import { BlockIterator } from './block-iterator.ts'
import type { BlockMemory } from './block-memory.ts'
import { BlockSearch, NONE, UNSURE } from './block-search.ts'

export class LookupCursor {
  /** The table, known only by its identity. */
  owner: object | undefined
  at: number
  /** The value found last is valBuf[valOff, valOff + valLen). */
  valBuf: Bytes
  valOff: number
  valLen: number

  readonly #comparator: Comparator
  readonly #memory: BlockMemory
  readonly #isBytewise: boolean
  readonly #search: BlockSearch
  readonly #entries: BlockIterator
  #block: Block

  /** @param memory that of the tables' blocks */
  constructor(comparator: Comparator, memory: BlockMemory) {
    this.owner = undefined
    this.at = 0
    this.valBuf = EMPTY_BLOCK.bytes
    this.valOff = 0
    this.valLen = 0
    this.#comparator = comparator
    this.#memory = memory
    this.#isBytewise = comparator === bytewiseComparator
    this.#search = new BlockSearch()
    this.#entries = new BlockIterator(comparator)
    this.#block = EMPTY_BLOCK
  }

  enter(owner: object | undefined, at: number, block: Block): void {
    const left = this.#block
    this.#memory.hold(block)
    this.#block = block
    this.valBuf = block.bytes
    this.owner = owner
    this.at = at
    this.#memory.release(left)
  }

  /** Hold on to nothing. */
  leave(): void {
    this.enter(undefined, 0, EMPTY_BLOCK)
  }

  /**
   * The first entry of a user key, in this block, whose tag is not before the one given.
   * @returns Lookup.FOUND, with the value in valBuf, valOff, valLen; Lookup.DELETED; or Lookup.ABSENT
   * @throws CorruptionError
   */
  find(key: Bytes, keyOff: number, keyLen: number, tagLow: number, tagHigh: number): number {
    const search = this.#search
    const answer = this.#isBytewise ? search.find(this.#block, key, keyOff, keyLen, tagLow, tagHigh) : UNSURE
    if (answer === UNSURE) return this.#seek(key, keyOff, keyLen, tagLow, tagHigh)
    if (answer === NONE) return Lookup.ABSENT
    this.valOff = search.valOff
    this.valLen = search.valLen
    return answerOf(search.tagLow)
  }

  #seek(key: Bytes, keyOff: number, keyLen: number, tagLow: number, tagHigh: number): number {
    const entries = this.#entries
    entries.reset(this.#block)
    entries.seek(key, keyOff, keyLen, tagLow, tagHigh)
    const isSame =
      entries.valid && this.#comparator.compare(entries.keyBuf, 0, entries.keyLen, key, keyOff, keyLen) === 0
    if (isSame) {
      this.valOff = entries.valOff
      this.valLen = entries.valLen
    }
    const answer = isSame ? answerOf(entries.tagLow) : Lookup.ABSENT
    entries.reset(EMPTY_BLOCK)
    return answer
  }
}

function answerOf(tagLow: number): number {
  return tagType(tagLow) === ValueType.DELETION ? Lookup.DELETED : Lookup.FOUND
}

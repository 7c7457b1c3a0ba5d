/**
 * EntryWalk: the entries of a table's data blocks, checked one by one, with what they add up to. A block counts whole or not at
 * all: one wrong entry, and none of its block is passed on.
 */
import { getFixed32 } from '../base/coding.ts'
import type { Comparator } from '../base/comparator.ts'
import { CorruptionError } from '../base/errors.ts'
import { compareTags, TAG_BYTES, tagIsValid, tagSequence } from '../base/internal-key.ts'
import { KeyCopy } from '../base/key-copy.ts'
import type { Bytes } from '../base/types.ts'
import type { Block } from '../table/block.ts'
import { BlockCursor } from '../table/block-cursor.ts'
import type { EntrySink } from '../table/entry-sink.ts'
import type { FilterBlockReader } from '../table/filter-block.ts'

/** First and last entry of a table, as internal keys. */
export interface TableBounds {
  readonly smallest: Bytes
  readonly largest: Bytes
}

export class EntryWalk {
  entries = 0
  lastSequence = 0
  #smallest: Bytes | undefined = undefined
  readonly #comparator: Comparator
  readonly #visitor: EntrySink | undefined
  readonly #cursor: BlockCursor = new BlockCursor()
  /** The last entry of the last block that counted, as an internal key. */
  readonly #last: KeyCopy = new KeyCopy()
  #filterMissed = false

  constructor(comparator: Comparator, visitor: EntrySink | undefined) {
    this.#comparator = comparator
    this.#visitor = visitor
  }

  /** Of the blocks that counted; undefined as long as there is no entry. */
  get bounds(): TableBounds | undefined {
    return this.#smallest && { smallest: this.#smallest, largest: this.#last.bytes.slice(0, this.#last.length) }
  }

  /**
   * Check a block, and pass its entries on if it is sound.
   * @param after  the separator before the block, undefined if there is none
   * @param upTo   the block's own separator, undefined if it is not known
   * @returns what is wrong with the block, or undefined
   */
  walk(
    block: Block,
    after: Bytes | undefined,
    upTo: Bytes | undefined,
    filter: FilterBlockReader | undefined,
  ): string | undefined {
    const fault = this.#check(block, after, upTo)
    if (fault !== undefined) return fault
    const cursor = this.#cursor
    cursor.reset(block)
    while (!cursor.isAtEnd) {
      cursor.advance()
      this.#count(cursor, block, filter)
    }
    if (block.entriesEnd > 0) this.#last.take(cursor.key, 0, cursor.keyLength)
    return undefined
  }

  /** Whether a filter has denied a key since the last call. */
  takeFilterMiss(): boolean {
    const missed = this.#filterMissed
    this.#filterMissed = false
    return missed
  }

  #check(block: Block, after: Bytes | undefined, upTo: Bytes | undefined): string | undefined {
    const cursor = this.#cursor
    const previous = new KeyCopy()
    previous.take(this.#last.bytes, 0, this.#last.length)
    let restarts = 0
    cursor.reset(block)
    try {
      while (!cursor.isAtEnd) {
        cursor.advance()
        const fault = entryFault(cursor)
        if (fault !== undefined) return fault
        if (restarts < block.restartCount && block.restart(restarts) === cursor.entryOffset) {
          if (cursor.shared > 0) return 'a restart point whose key is not whole'
          restarts++
        }
        const isAscending = previous.length === 0 || this.#order(previous.bytes, previous.length, cursor) < 0
        if (!isAscending) return 'entries that do not ascend'
        if (after !== undefined && this.#order(after, after.length, cursor) >= 0) return 'an entry before its block'
        previous.take(cursor.key, 0, cursor.keyLength)
        after = undefined
      }
    } catch (error) {
      if (error instanceof CorruptionError) return 'an entry that cannot be read'
      throw error
    }
    if (restarts < block.restartCount && block.entriesEnd > 0) return 'a restart point within an entry'
    const isBeyond = upTo !== undefined && block.entriesEnd > 0 && this.#order(upTo, upTo.length, cursor) < 0
    return isBeyond ? 'an entry beyond its block' : undefined
  }

  /** Order of an internal key and the cursor's. */
  #order(key: Bytes, length: number, cursor: BlockCursor): number {
    const a = length - TAG_BYTES
    const b = cursor.keyLength - TAG_BYTES
    const order = this.#comparator.compare(key, 0, a, cursor.key, 0, b)
    if (order !== 0) return order
    const low = getFixed32(cursor.key, b)
    return compareTags(getFixed32(key, a), getFixed32(key, a + 4), low, getFixed32(cursor.key, b + 4))
  }

  #count(cursor: BlockCursor, block: Block, filter: FilterBlockReader | undefined): void {
    const { key, keyLength, valueOffset, valueLength } = cursor
    const userLength = keyLength - TAG_BYTES
    const low = getFixed32(key, userLength)
    const high = getFixed32(key, userLength + 4)
    const sequence = tagSequence(low, high)
    this.entries++
    if (sequence > this.lastSequence) this.lastSequence = sequence
    this.#smallest ??= key.slice(0, keyLength)
    if (filter !== undefined && !filter.keyMayMatch(block.offset, key, 0, userLength)) this.#filterMissed = true
    this.#visitor?.add(key, 0, userLength, low, high, block.bytes, valueOffset, valueLength)
  }
}

function entryFault({ key, keyLength }: BlockCursor): string | undefined {
  if (keyLength < TAG_BYTES) return 'a key without a tag'
  const tag = keyLength - TAG_BYTES
  return tagIsValid(getFixed32(key, tag), getFixed32(key, tag + 4)) ? undefined : 'a key with an impossible tag'
}

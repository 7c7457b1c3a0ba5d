/**
 * LevelIterator: the entries of one level below 0, whose tables follow one another without overlap. Opens a table when it
 * gets there, so a seek opens one, and leaves it when it goes on: it is in one table at a time.
 */

import { EMPTY } from '../base/bytes.ts'
import { getFixed32 } from '../base/coding.ts'
import type { Comparator } from '../base/comparator.ts'
import { compareTags, TAG_BYTES } from '../base/internal-key.ts'
import type { InternalIterator } from '../base/iterator.ts'
import type { Bytes } from '../base/types.ts'
import type { FileMetadata } from './file-metadata.ts'

/** Opens an iterator over one table, which stays open until it is left, or for as long as the LevelIterator lives. */
export type OpenTableIterator = (file: FileMetadata) => InternalIterator

/** The iterator of a table is not used any more. */
export type LeaveTable = (file: FileMetadata) => void

export class LevelIterator implements InternalIterator {
  valid = false
  keyBuf: Bytes = EMPTY
  keyOff = 0
  keyLen = 0
  tagLow = 0
  tagHigh = 0
  valBuf: Bytes = EMPTY
  valOff = 0
  valLen = 0

  readonly #comparator: Comparator
  readonly #files: readonly FileMetadata[]
  readonly #open: OpenTableIterator
  readonly #leave: LeaveTable | undefined
  #index = 0
  #table: InternalIterator | undefined = undefined

  /**
   * @param files tables of one level, in ascending key
   * @param leave called for each table that was opened when another is; whoever made this iterator lets go of the last
   */
  constructor(
    comparator: Comparator,
    files: readonly FileMetadata[],
    open: OpenTableIterator,
    leave: LeaveTable | undefined = undefined,
  ) {
    this.#comparator = comparator
    this.#files = files
    this.#open = open
    this.#leave = leave
  }

  seekToFirst(): void {
    this.#enter(0)?.seekToFirst()
    this.#skipForwards()
  }

  seekToLast(): void {
    this.#enter(this.#files.length - 1)?.seekToLast()
    this.#skipBackwards()
  }

  seek(key: Bytes, keyOff: number, keyLen: number, tagLow: number, tagHigh: number): void {
    this.#enter(this.#firstEndingAtOrAfter(key, keyOff, keyLen, tagLow, tagHigh))?.seek(
      key,
      keyOff,
      keyLen,
      tagLow,
      tagHigh,
    )
    this.#skipForwards()
  }

  next(): void {
    this.#table?.next()
    this.#skipForwards()
  }

  prev(): void {
    this.#table?.prev()
    this.#skipBackwards()
  }

  #enter(index: number): InternalIterator | undefined {
    this.valid = false
    if (this.#table !== undefined && index === this.#index) return this.#table
    if (this.#table !== undefined) this.#leave?.(this.#files[this.#index])
    this.#table = undefined
    this.#index = index
    const file = this.#files[index]
    this.#table = file === undefined ? undefined : this.#open(file)
    return this.#table
  }

  #skipForwards(): void {
    while (this.#table !== undefined && !this.#table.valid) this.#enter(this.#index + 1)?.seekToFirst()
    this.#take()
  }

  #skipBackwards(): void {
    while (this.#table !== undefined && !this.#table.valid) this.#enter(this.#index - 1)?.seekToLast()
    this.#take()
  }

  #take(): void {
    const table = this.#table
    this.valid = table !== undefined
    if (table === undefined) return
    this.keyBuf = table.keyBuf
    this.keyOff = table.keyOff
    this.keyLen = table.keyLen
    this.tagLow = table.tagLow
    this.tagHigh = table.tagHigh
    this.valBuf = table.valBuf
    this.valOff = table.valOff
    this.valLen = table.valLen
  }

  /** Index of the first table whose last entry is ≥ the internal key. */
  #firstEndingAtOrAfter(key: Bytes, keyOff: number, keyLen: number, tagLow: number, tagHigh: number): number {
    let low = 0
    let high = this.#files.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const { largest } = this.#files[middle]
      const end = largest.length - TAG_BYTES
      const order =
        this.#comparator.compare(largest, 0, end, key, keyOff, keyLen) ||
        compareTags(getFixed32(largest, end), getFixed32(largest, end + 4), tagLow, tagHigh)
      if (order < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}

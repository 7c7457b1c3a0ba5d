/**
 * BlockIterator: the entries of one data block, as an InternalIterator that can be pointed at one block after another.
 *
 * Moves    next decodes one entry; seek searches the restart points, then scans; prev scans again from the restart
 *          point before. Keys lie in a buffer that the next move overwrites; values lie in the block itself.
 * Checked  while moving: every length (BlockCursor), a key holds at least its tag, the tag is one that an entry may have,
 *          a restart point holds a whole key
 * Threads  belongs to one thread; allocates only to grow its key buffer
 * Source   google/leveldb table/block.cc
 */
import { getFixed32 } from '../base/coding.ts'
import { bytewiseComparator, type Comparator } from '../base/comparator.ts'
import { compareTags, TAG_BYTES, tagIsValid } from '../base/internal-key.ts'
import type { InternalIterator } from '../base/iterator.ts'
import type { Bytes } from '../base/types.ts'
import { type Block, EMPTY_BLOCK } from './block.ts'
import { BlockCursor } from './block-cursor.ts'

export class BlockIterator implements InternalIterator {
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
  readonly #cursor: BlockCursor
  /** Reads keys at restart points while seek searches them. */
  readonly #probe: BlockCursor
  readonly #isBytewise: boolean
  #block: Block

  constructor(comparator: Comparator, block: Block = EMPTY_BLOCK) {
    this.valid = false
    this.keyOff = 0
    this.keyLen = 0
    this.tagLow = 0
    this.tagHigh = 0
    this.valBuf = block.bytes
    this.valOff = 0
    this.valLen = 0
    this.#comparator = comparator
    this.#cursor = new BlockCursor()
    this.#cursor.reset(block)
    this.#probe = new BlockCursor()
    this.#probe.reset(block)
    this.#isBytewise = comparator === bytewiseComparator
    this.#block = block
    this.keyBuf = this.#cursor.key
  }

  /** Go to another block; not valid then. */
  reset(block: Block): void {
    this.valid = false
    this.#block = block
    this.#cursor.reset(block)
    this.#probe.reset(block)
    this.valBuf = block.bytes
  }

  seekToFirst(): void {
    this.#cursor.rewind(0)
    this.next()
  }

  seekToLast(): void {
    const block = this.#block
    this.valid = false
    if (block.entriesEnd > 0) this.#scanTo(block.restart(block.restartCount - 1), block.entriesEnd)
  }

  seek(key: Bytes, keyOff: number, keyLen: number, tagLow: number, tagHigh: number): void {
    this.valid = false
    const block = this.#block
    let low = 0
    let high = block.restartCount - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.#restartIsBefore(block.restart(middle), key, keyOff, keyLen, tagLow, tagHigh)) low = middle
      else high = middle - 1
    }
    this.#cursor.rewind(block.restart(low))
    if (this.#isBytewise) this.#scanBytewise(key, keyOff, keyLen, tagLow, tagHigh)
    else this.#scan(key, keyOff, keyLen, tagLow, tagHigh)
  }

  next(): void {
    this.valid = false
    const cursor = this.#cursor
    if (cursor.isAtEnd) return
    cursor.advance()
    this.#take(cursor)
  }

  prev(): void {
    this.valid = false
    const current = this.#cursor.entryOffset
    if (current === 0) return
    this.#scanTo(this.#restartBefore(current), current)
  }

  /** Show the entry that the cursor has read. */
  #take(cursor: BlockCursor): void {
    const userLength = cursor.keyLength - TAG_BYTES
    if (userLength < 0) this.#block.damaged('a key is shorter than a tag')
    const { key } = cursor
    const low = getFixed32(key, userLength)
    const high = getFixed32(key, userLength + 4)
    if (!tagIsValid(low, high)) this.#block.damaged('an entry of unknown type or impossible sequence number')
    this.keyBuf = key
    this.keyLen = userLength
    this.tagLow = low
    this.tagHigh = high
    this.valOff = cursor.valueOffset
    this.valLen = cursor.valueLength
    this.valid = true
  }

  /** Go on to the first entry ≥ the internal key. */
  #scan(key: Bytes, keyOff: number, keyLen: number, tagLow: number, tagHigh: number): void {
    for (this.next(); this.valid; this.next()) {
      const order = this.#comparator.compare(this.keyBuf, 0, this.keyLen, key, keyOff, keyLen)
      if (order > 0 || (order === 0 && compareTags(this.tagLow, this.tagHigh, tagLow, tagHigh) >= 0)) return
    }
  }

  /**
   * As scan, in the order of bytes: what an entry shares with the one before it need not be compared again.
   * `matched` is how many bytes the last key read has in common with the key sought.
   */
  #scanBytewise(key: Bytes, keyOff: number, keyLen: number, tagLow: number, tagHigh: number): void {
    const cursor = this.#cursor
    let matched = 0
    let isSmallerAtMatched = false
    for (this.next(); this.valid; this.next()) {
      const { keyLen: userLength, keyBuf } = this
      const { shared } = cursor
      // It has the byte that made the key before it too small.
      if (isSmallerAtMatched && shared > matched && userLength > matched) continue
      const limit = userLength < keyLen ? userLength : keyLen
      // May be more than the limit: of keys that share a part of their tags, too.
      if (matched > shared) matched = shared
      while (matched < limit && keyBuf[matched] === key[keyOff + matched]) matched++
      isSmallerAtMatched = matched < limit
      if (isSmallerAtMatched) {
        if (keyBuf[matched] > key[keyOff + matched]) return
      } else if (userLength === keyLen) {
        if (compareTags(this.tagLow, this.tagHigh, tagLow, tagHigh) >= 0) return
      } else if (userLength > keyLen) {
        return
      }
    }
  }

  /** Whether the entry at a restart point sorts before an internal key. */
  #restartIsBefore(at: number, key: Bytes, keyOff: number, keyLen: number, tagLow: number, tagHigh: number): boolean {
    const probe = this.#probe
    probe.rewind(at)
    probe.advance()
    const userLength = probe.keyLength - TAG_BYTES
    if (userLength < 0) this.#block.damaged('a key is shorter than a tag')
    const order = this.#comparator.compare(probe.key, 0, userLength, key, keyOff, keyLen)
    if (order !== 0) return order < 0
    const low = getFixed32(probe.key, userLength)
    return compareTags(low, getFixed32(probe.key, userLength + 4), tagLow, tagHigh) < 0
  }

  /** Offset of the last restart point before an entry that is not the first. */
  #restartBefore(entryOffset: number): number {
    const block = this.#block
    let low = 0
    let high = block.restartCount - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (block.restart(middle) < entryOffset) low = middle
      else high = middle - 1
    }
    return block.restart(low)
  }

  /** Position at the entry that ends at `end`, reading on from a restart point before it. */
  #scanTo(restart: number, end: number): void {
    const cursor = this.#cursor
    cursor.rewind(restart)
    do cursor.advance()
    while (cursor.nextOffset < end)
    if (cursor.nextOffset > end) this.#block.damaged('a restart point that is not at an entry')
    this.#take(cursor)
  }
}

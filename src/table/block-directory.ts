/**
 * BlockDirectories: gives a block that is looked into again and again a directory, in which a lookup finds its entry without
 * a look at the others. In a cache that is larger than the processor's, each look is a wait for memory: the restart points, a
 * key for each halving, the entries of a run, one after another. A directory is one place, and the entry another.
 *
 * Layout    memory := contents ‖ prefix ‖ (word u32be ‖ offset u16be)[count]
 *           prefix := what all user keys of the block begin with
 *           word   := of entry i, the four bytes of its user key after the prefix, zeros for what it does not have; ascending
 *           offset := where entry i begins
 * For whom  Blocks of up to DIRECTORY_BLOCK_BYTES whose directory comes to an eighth of them at most, and whose entries all are as
 *           they should be; only where keys are in the order of bytes. A damaged block is left as it is: who reads it finds out.
 * Threads   belongs to one thread
 */
import { getFixed32 } from '../base/coding.ts'
import { CorruptionError } from '../base/errors.ts'
import { TAG_BYTES, tagIsValid } from '../base/internal-key.ts'
import type { Bytes } from '../base/types.ts'
import { type Block, EMPTY_BLOCK } from './block.ts'
import { BlockCursor } from './block-cursor.ts'
import { DIRECTORY_BLOCK_BYTES } from './block-memory.ts'

/** Bytes that a word stands for. */
export const WORD_BYTES = 4
/** A word and an offset. */
export const DIRECTORY_ENTRY_BYTES = 6
/** The share of a block that its directory may come to: there are 48 bytes and more to an entry then. */
const MAX_SHARE = 1 / 8
/** Fewer entries are found as fast without. */
const ENTRIES_MIN = 4

export class BlockDirectories {
  /** Reads lengths only: no key is rebuilt. */
  readonly #cursor: BlockCursor
  /** Of the block that was measured last. */
  #prefixLength: number
  #count: number

  constructor() {
    this.#cursor = new BlockCursor()
    this.#prefixLength = 0
    this.#count = 0
  }

  /** Bytes that a block's directory takes; 0 if it has one, or is to have none. */
  measure(block: Block): number {
    if (block.entryCount > 0 || block.length > DIRECTORY_BLOCK_BYTES) return 0
    try {
      if (!this.#survey(block)) return 0
    } catch (error) {
      if (error instanceof CorruptionError) return 0
      throw error
    } finally {
      this.#cursor.reset(EMPTY_BLOCK)
    }
    const bytes = this.#prefixLength + this.#count * DIRECTORY_ENTRY_BYTES
    return this.#count >= ENTRIES_MIN && bytes <= block.length * MAX_SHARE ? bytes : 0
  }

  /**
   * Write the directory of the block that was measured last, or of a copy of it, if its words ascend.
   * @requires as many bytes behind its contents as it was measured to take
   */
  write(block: Block): void {
    const { bytes, length } = block
    const prefixLength = this.#prefixLength
    const first = firstKey(this.#cursor, block)
    for (let i = 0; i < prefixLength; i++) bytes[length + i] = bytes[first + i]
    const isAscending = this.#fill(block, length + prefixLength)
    this.#cursor.reset(EMPTY_BLOCK)
    if (!isAscending) return
    block.prefixLength = prefixLength
    block.entryCount = this.#count
  }

  /** Count the entries, and find the prefix. @returns whether all of them are as they should be */
  #survey(block: Block): boolean {
    const cursor = this.#cursor
    const { bytes } = block
    const first = firstKey(cursor, block)
    let prefixLength = block.length
    let count = 0
    while (!cursor.isAtEnd) {
      cursor.readLengths()
      const { shared, unshared, valueOffset } = cursor
      const length = shared + unshared - TAG_BYTES
      if (length < 0) return false
      // Of two versions of a key the later one may have a part of its tag from the one before.
      if (unshared >= TAG_BYTES && !tagIsValid(getFixed32(bytes, valueOffset - 8), getFixed32(bytes, valueOffset - 4)))
        return false
      const own = valueOffset - unshared - shared
      const most = length < prefixLength ? length : prefixLength
      let same = shared
      while (same < most && bytes[own + same] === bytes[first + same]) same++
      prefixLength = same < most ? same : most
      cursor.keyLength = shared + unshared
      count++
    }
    this.#prefixLength = prefixLength
    this.#count = count
    return true
  }

  /** @returns whether the words ascend */
  #fill(block: Block, start: number): boolean {
    const cursor = this.#cursor
    const { bytes } = block
    const prefixLength = this.#prefixLength
    cursor.reset(block)
    let previous = 0
    // The four bytes after the prefix, whether they are of the user key, or of the tag behind it.
    let after = 0
    for (let at = start; !cursor.isAtEnd; at += DIRECTORY_ENTRY_BYTES) {
      cursor.readLengths()
      const { shared, unshared, valueOffset, entryOffset } = cursor
      const length = shared + unshared
      const own = valueOffset - length
      for (let i = shared > prefixLength ? shared - prefixLength : 0; i < WORD_BYTES; i++) {
        const shift = 24 - 8 * i
        const byte = prefixLength + i < length ? bytes[own + prefixLength + i] : 0
        after = (after & ~(0xff << shift)) | (byte << shift)
      }
      const rest = length - TAG_BYTES - prefixLength
      const word = (rest >= WORD_BYTES ? after : rest === 0 ? 0 : after & (-1 << (32 - 8 * rest))) >>> 0
      if (word < previous) return false
      previous = word
      bytes[at] = word >>> 24
      bytes[at + 1] = word >>> 16
      bytes[at + 2] = word >>> 8
      bytes[at + 3] = word
      bytes[at + 4] = entryOffset >>> 8
      bytes[at + 5] = entryOffset
      cursor.keyLength = length
    }
    return true
  }
}

/** Offset of the key of a block's first entry, which is stored whole; the cursor is then before that entry. */
function firstKey(cursor: BlockCursor, block: Block): number {
  cursor.reset(block)
  if (cursor.isAtEnd) return 0
  cursor.readLengths()
  const at = cursor.valueOffset - cursor.unshared
  cursor.rewind(0)
  return at
}

/** Up to four bytes, as a number that orders as they do; missing ones count as 0. */
export function wordAt(bytes: Bytes, offset: number, length: number): number {
  if (length >= WORD_BYTES)
    return ((bytes[offset] << 24) | (bytes[offset + 1] << 16) | (bytes[offset + 2] << 8) | bytes[offset + 3]) >>> 0
  let word = 0
  for (let i = 0; i < WORD_BYTES; i++) word = (word << 8) | (i < length ? bytes[offset + i] : 0)
  return word >>> 0
}

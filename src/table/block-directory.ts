/**
 * BlockDirectories: gives a block that is looked into again and again a directory, in which a lookup finds its entry without
 * a look at the others. In a cache that is larger than the processor's, each look is a wait for memory: the restart points, a
 * key for each halving, the entries of a run, one after another. A directory is one place, and the entry another.
 *
 * Layout    memory := contents ‖ prefix ‖ (word u32be ‖ offset u16be)[count]
 *           prefix := what all user keys of the block begin with
 *           word   := of entry i, the four bytes of its user key after the prefix, zeros for what it does not have; ascending
 *           offset := where entry i begins
 * For whom  Blocks of up to 64 KiB whose directory comes to an eighth of them at most, and whose entries all are as they should
 *           be; only where keys are in the order of bytes. A damaged block is left as it is: who reads it finds out.
 * Threads   belongs to one thread
 */
import { commonPrefixLength } from '../base/bytes.ts'
import { getFixed32 } from '../base/coding.ts'
import { CorruptionError } from '../base/errors.ts'
import { TAG_BYTES, tagIsValid } from '../base/internal-key.ts'
import type { Bytes } from '../base/types.ts'
import { Block, EMPTY_BLOCK } from './block.ts'
import { BlockCursor } from './block-cursor.ts'
import type { BlockMemory } from './block-memory.ts'

/** Bytes that a word stands for. */
export const WORD_BYTES = 4
/** A word and an offset. */
export const DIRECTORY_ENTRY_BYTES = 6
/** Offsets have 16 bits. */
const MAX_LENGTH = 2 ** 16
/** The share of a block that its directory may come to: there are 48 bytes and more to an entry then. */
const MAX_SHARE = 1 / 8
/** Fewer entries are found as fast without. */
const ENTRIES_MIN = 4

export class BlockDirectories {
  readonly #cursor: BlockCursor
  /** The first user key of the block under way; all of them begin with its first #prefixLength bytes. */
  #first: Uint8Array
  #prefixLength: number
  #count: number

  constructor() {
    this.#cursor = new BlockCursor()
    this.#first = new Uint8Array(0)
    this.#prefixLength = 0
    this.#count = 0
  }

  /**
   * @param memory what the copy is to lie in
   * @returns a copy of the block, with a directory, that nobody holds yet; undefined if it is to have none
   */
  copyWith(block: Block, memory: BlockMemory): Block | undefined {
    if (block.entryCount > 0 || block.length > MAX_LENGTH) return undefined
    try {
      return this.#survey(block) ? this.#copy(block, memory) : undefined
    } catch (error) {
      if (error instanceof CorruptionError) return undefined
      throw error
    } finally {
      this.#cursor.reset(EMPTY_BLOCK)
    }
  }

  /** Count the entries, and find the prefix. @returns whether the block is one for a directory */
  #survey(block: Block): boolean {
    const cursor = this.#cursor
    cursor.reset(block)
    this.#count = 0
    while (!cursor.isAtEnd) {
      cursor.advance()
      const length = cursor.keyLength - TAG_BYTES
      if (length < 0 || !tagIsValid(getFixed32(cursor.key, length), getFixed32(cursor.key, length + 4))) return false
      if (this.#count++ === 0) {
        this.#first = cursor.key.slice(0, length)
        this.#prefixLength = length
      } else if (cursor.shared < this.#prefixLength) {
        this.#prefixLength = commonPrefixLength(this.#first, 0, this.#prefixLength, cursor.key, 0, length)
      } else if (length < this.#prefixLength) {
        this.#prefixLength = length
      }
    }
    const bytes = this.#prefixLength + this.#count * DIRECTORY_ENTRY_BYTES
    return this.#count >= ENTRIES_MIN && bytes <= block.length * MAX_SHARE
  }

  #copy(block: Block, memory: BlockMemory): Block | undefined {
    const prefixLength = this.#prefixLength
    const bytes = memory.allocate(block.length + prefixLength + this.#count * DIRECTORY_ENTRY_BYTES)
    bytes.set(block.bytes.subarray(0, block.length))
    bytes.set(this.#first.subarray(0, prefixLength), block.length)
    if (!this.#fill(block, bytes, block.length + prefixLength)) {
      memory.free(bytes.buffer)
      return undefined
    }
    const copy = new Block(bytes, block.file, block.offset, block.length, bytes.buffer)
    copy.prefixLength = prefixLength
    copy.entryCount = this.#count
    return copy
  }

  /** @returns whether the words ascend */
  #fill(block: Block, bytes: Uint8Array, start: number): boolean {
    const cursor = this.#cursor
    const prefixLength = this.#prefixLength
    cursor.reset(block)
    let previous = 0
    for (let at = start; !cursor.isAtEnd; at += DIRECTORY_ENTRY_BYTES) {
      cursor.advance()
      const word = wordAt(cursor.key, prefixLength, cursor.keyLength - TAG_BYTES - prefixLength)
      if (word < previous) return false
      previous = word
      bytes[at] = word >>> 24
      bytes[at + 1] = word >>> 16
      bytes[at + 2] = word >>> 8
      bytes[at + 3] = word
      bytes[at + 4] = cursor.entryOffset >>> 8
      bytes[at + 5] = cursor.entryOffset
    }
    return true
  }
}

/** Up to four bytes, as a number that orders as they do; missing ones count as 0. */
export function wordAt(bytes: Bytes, offset: number, length: number): number {
  if (length >= WORD_BYTES)
    return ((bytes[offset] << 24) | (bytes[offset + 1] << 16) | (bytes[offset + 2] << 8) | bytes[offset + 3]) >>> 0
  let word = 0
  for (let i = 0; i < WORD_BYTES; i++) word = (word << 8) | (i < length ? bytes[offset + i] : 0)
  return word >>> 0
}

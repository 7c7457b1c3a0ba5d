/**
 * BlockCursor: decodes the entries of a block of any kind, one at a time, and rebuilds their keys. It knows no order and
 * no meaning of keys; BlockIterator and OrderedCursor add those for data blocks.
 *
 * Every length is checked before it is used, so that no entry can reach beyond the block or before its start, and
 * every entry takes at least three bytes: reading a block ends.
 */
import { copyBytes, grown } from '../base/bytes.ts'
import { Reader } from '../base/coding.ts'
import type { Bytes } from '../base/types.ts'
import { type Block, EMPTY_BLOCK } from './block.ts'

const FIRST_KEY_BYTES = 64
/** Key bytes up to here are copied in a loop, so that a step allocates no view (measured: even at 64 bytes). */
const LOOP_BYTES = 64

export class BlockCursor {
  block: Block
  /** The entry's key is key[0, keyLength); overwritten by the next read. */
  key: Bytes
  keyLength: number
  /** How many bytes the key has in common with the one before it, as stored, and how many follow them. */
  shared: number
  unshared: number
  /** The entry's value is block.bytes[valueOffset, valueOffset + valueLength). */
  valueOffset: number
  valueLength: number
  /** Where the entry begins, and where the next one does. */
  entryOffset: number
  nextOffset: number

  /** Lengths of an entry that does not have them in one byte each. */
  readonly #reader: Reader

  constructor() {
    this.block = EMPTY_BLOCK
    this.key = new Uint8Array(FIRST_KEY_BYTES)
    this.keyLength = 0
    this.shared = 0
    this.unshared = 0
    this.valueOffset = 0
    this.valueLength = 0
    this.entryOffset = 0
    this.nextOffset = 0
    this.#reader = new Reader(EMPTY_BLOCK.bytes)
  }

  /** Go to another block, before its first entry. */
  reset(block: Block): void {
    this.block = block
    this.rewind(0)
  }

  /** Go to before the entry at a restart point, whose key is stored whole. */
  rewind(offset: number): void {
    this.keyLength = 0
    this.nextOffset = offset
  }

  /** Whether there is no further entry. */
  get isAtEnd(): boolean {
    return this.nextOffset >= this.block.entriesEnd
  }

  /**
   * Read the next entry.
   * @requires not isAtEnd
   * @throws CorruptionError if its lengths are impossible; the cursor is then of no use until reset or rewind
   */
  advance(): void {
    this.readLengths()
    this.completeKey(this.shared)
  }

  /** The first half of `advance`: the key is still the one before. Its new bytes lie in the block, right before the value. */
  readLengths(): void {
    const { block } = this
    const { bytes } = block
    const limit = block.entriesEnd
    let at = this.nextOffset
    if (at + 3 > limit) block.damaged('an entry is cut off by the end of its block')
    this.entryOffset = at
    let shared = bytes[at]
    let unshared = bytes[at + 1]
    let valueLength = bytes[at + 2]
    at += 3
    if ((shared | unshared | valueLength) >= 128) {
      const reader = this.#reader.reset(bytes, at - 3, limit)
      shared = reader.varint32()
      unshared = reader.varint32()
      valueLength = reader.varint32()
      at = reader.offset
      if (reader.failed) block.damaged('an entry has no readable lengths')
    }
    // Up to 2^32 − 1 each: the sum is exact.
    if (shared > this.keyLength || unshared + valueLength > limit - at) {
      block.damaged('an entry reaches beyond its block or its neighbour')
    }
    this.shared = shared
    this.unshared = unshared
    this.valueOffset = at + unshared
    this.valueLength = valueLength
    this.nextOffset = at + unshared + valueLength
  }

  /** The second half. @param same so many bytes the key has in common with the one before, `shared` or more */
  completeKey(same: number): void {
    const length = this.shared + this.unshared
    if (length > this.key.length) this.key = grown(this.key, same, length)
    const { key } = this
    const rest = length - same
    const at = this.valueOffset - rest
    if (rest <= LOOP_BYTES) {
      const { bytes } = this.block
      for (let i = 0; i < rest; i++) key[same + i] = bytes[at + i]
    } else {
      copyBytes(this.block.bytes, at, key, same, rest)
    }
    this.keyLength = length
  }
}

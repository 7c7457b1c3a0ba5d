/**
 * BlockSearch: point lookups in a data block whose keys are in the order of bytes, without rebuilding any key.
 *
 * How      The restart points are searched by halves; a key there is stored whole. From there on `matched` says how many
 *          bytes the entry passed last has in common with the key sought. An entry that shares more than that with the one
 *          before it has the byte that made that one too small, and is passed unseen; of any other, all bytes that still
 *          matter are its own, and lie in the block.
 * Directory  A block that has one (block-directory.ts) is searched there, for the first entry with the word of the key sought.
 *          The one before differs in the word, or is none: as far as the word goes, the entry matches.
 * Unsure   Only where bytes are wanted that the entry leaves to those before it (versions of one key that share a part of
 *          their tags; a key that goes on with what was the tag of the one before) is there no telling: BlockIterator
 *          then seeks in its own way.
 * Checked  as by BlockIterator, of every entry passed: lengths, a tag in every key, its type and sequence
 * Threads  belongs to one thread; allocates nothing
 */
import { getFixed32, Reader } from '../base/coding.ts'
import { compareTags, TAG_BYTES, tagIsValid } from '../base/internal-key.ts'
import type { Bytes } from '../base/types.ts'
import { type Block, EMPTY_BLOCK } from './block.ts'
import { DIRECTORY_ENTRY_BYTES, WORD_BYTES, wordAt } from './block-directory.ts'

/** No entry of the user key at or below the sequence. */
export const NONE = 0
/** There is one: its type, and where its value is, are in the fields. */
export const FOUND = 1
/** It takes whole keys to tell. */
export const UNSURE = 2

/** More entries with one word are searched by restart points. */
const MAX_SAME = 16
/** No entry has the word. */
const NOWHERE = -1
const MANY = -2

export class BlockSearch {
  tagLow: number
  /** The value is block.bytes[valOff, valOff + valLen). */
  valOff: number
  valLen: number

  /** Lengths of the entry read last, and where its own part of the key begins. */
  #shared: number
  #unshared: number
  #valueLength: number
  #keyAt: number
  /** Lengths that do not take one byte each. */
  readonly #reader: Reader

  constructor() {
    this.tagLow = 0
    this.valOff = 0
    this.valLen = 0
    this.#shared = 0
    this.#unshared = 0
    this.#valueLength = 0
    this.#keyAt = 0
    this.#reader = new Reader(EMPTY_BLOCK.bytes)
  }

  /**
   * The first entry of a user key whose tag is not before the one given.
   * @returns NONE, FOUND or UNSURE
   * @throws CorruptionError if an entry on the way is not as it should be
   */
  find(block: Block, key: Bytes, keyOff: number, keyLen: number, tagLow: number, tagHigh: number): number {
    if (block.entryCount > 0) {
      const at = inDirectory(block, key, keyOff, keyLen)
      if (at === NOWHERE) return NONE
      if (at !== MANY)
        return this.#pass(block, at, block.prefixLength + WORD_BYTES, key, keyOff, keyLen, tagLow, tagHigh)
    }
    const run = this.#run(block, key, keyOff, keyLen, tagLow, tagHigh)
    return this.#pass(block, run, 0, key, keyOff, keyLen, tagLow, tagHigh)
  }

  /**
   * Pass entries from `start` on.
   * @param known how many bytes of the key sought are known to be those of the first entry, as far as it shares them
   */
  #pass(
    block: Block,
    start: number,
    known: number,
    key: Bytes,
    keyOff: number,
    keyLen: number,
    tagLow: number,
    tagHigh: number,
  ): number {
    const limit = block.entriesEnd
    const { bytes } = block
    let matched = known
    // A directory is made of entries that have been checked against the ones before.
    let length = known > 0 ? limit : 0
    let isSmallerAtMatched = false
    for (let next = start; next < limit; ) {
      this.#read(block, next)
      const shared = this.#shared
      const unshared = this.#unshared
      const at = this.#keyAt
      const valOff = at + unshared
      if (shared > length) block.damaged('an entry reaches beyond its block or its neighbour')
      if (unshared < TAG_BYTES) return UNSURE
      length = shared + unshared
      const userLength = length - TAG_BYTES
      const low = getFixed32(bytes, valOff - TAG_BYTES)
      const high = getFixed32(bytes, valOff - 4)
      if (!tagIsValid(low, high)) block.damaged('an entry of unknown type or impossible sequence number')
      next = valOff + this.#valueLength
      if (shared > matched) {
        if (isSmallerAtMatched) continue
        return UNSURE
      }
      matched = shared
      const common = userLength < keyLen ? userLength : keyLen
      const own = at - shared
      while (matched < common && bytes[own + matched] === key[keyOff + matched]) matched++
      isSmallerAtMatched = matched < common
      if (isSmallerAtMatched) {
        if (bytes[own + matched] > key[keyOff + matched]) return NONE
      } else if (userLength > keyLen) {
        return NONE
      } else if (userLength === keyLen && compareTags(low, high, tagLow, tagHigh) >= 0) {
        this.tagLow = low
        this.valOff = valOff
        this.valLen = this.#valueLength
        return FOUND
      }
    }
    return NONE
  }

  /** Offset of the last restart point whose entry is before the internal key, or of the first one. */
  #run(block: Block, key: Bytes, keyOff: number, keyLen: number, tagLow: number, tagHigh: number): number {
    let low = 0
    let high = block.restartCount - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.#isBefore(block, block.restart(middle), key, keyOff, keyLen, tagLow, tagHigh)) low = middle
      else high = middle - 1
    }
    return block.restart(low)
  }

  #isBefore(
    block: Block,
    restart: number,
    key: Bytes,
    keyOff: number,
    keyLen: number,
    tagLow: number,
    tagHigh: number,
  ): boolean {
    this.#read(block, restart)
    if (this.#shared > 0) block.damaged('an entry reaches beyond its block or its neighbour')
    const userLength = this.#unshared - TAG_BYTES
    if (userLength < 0) block.damaged('a key is shorter than a tag')
    const { bytes } = block
    const at = this.#keyAt
    const common = userLength < keyLen ? userLength : keyLen
    for (let i = 0; i < common; i++) {
      const difference = bytes[at + i] - key[keyOff + i]
      if (difference !== 0) return difference < 0
    }
    if (userLength !== keyLen) return userLength < keyLen
    const tag = at + userLength
    return compareTags(getFixed32(bytes, tag), getFixed32(bytes, tag + 4), tagLow, tagHigh) < 0
  }

  /** Read and check the lengths of the entry at an offset. */
  #read(block: Block, offset: number): void {
    const { bytes } = block
    const limit = block.entriesEnd
    if (offset + 3 > limit) block.damaged('an entry is cut off by the end of its block')
    const shared = bytes[offset]
    const unshared = bytes[offset + 1]
    const valueLength = bytes[offset + 2]
    if ((shared | unshared | valueLength) >= 128) {
      this.#readLong(block, offset)
      return
    }
    if (unshared + valueLength > limit - offset - 3) {
      block.damaged('an entry reaches beyond its block or its neighbour')
    }
    this.#shared = shared
    this.#unshared = unshared
    this.#valueLength = valueLength
    this.#keyAt = offset + 3
  }

  #readLong(block: Block, offset: number): void {
    const limit = block.entriesEnd
    const reader = this.#reader.reset(block.bytes, offset, limit)
    this.#shared = reader.varint32()
    this.#unshared = reader.varint32()
    this.#valueLength = reader.varint32()
    this.#keyAt = reader.offset
    const { failed } = reader
    // A block may have half a gibibyte.
    reader.reset(EMPTY_BLOCK.bytes, 0, 0)
    if (failed) block.damaged('an entry has no readable lengths')
    // Up to 2^32 − 1 each: the sum is exact.
    if (this.#unshared + this.#valueLength > limit - this.#keyAt) {
      block.damaged('an entry reaches beyond its block or its neighbour')
    }
  }
}

/** Offset of the first entry that has the word of the key; NOWHERE, or MANY if there are so many that halving is better. */
function inDirectory(block: Block, key: Bytes, keyOff: number, keyLen: number): number {
  const { bytes, prefixLength, entryCount } = block
  if (keyLen < prefixLength) return NOWHERE
  const prefix = block.length
  for (let i = 0; i < prefixLength; i++) if (bytes[prefix + i] !== key[keyOff + i]) return NOWHERE
  const word = wordAt(key, keyOff + prefixLength, keyLen - prefixLength)
  const start = prefix + prefixLength
  let first = 0
  let count = entryCount
  while (count > 1) {
    const half = count >>> 1
    if (wordIn(bytes, start + (first + half - 1) * DIRECTORY_ENTRY_BYTES) < word) first += half
    count -= half
  }
  const at = start + first * DIRECTORY_ENTRY_BYTES
  if (wordIn(bytes, at) !== word) return NOWHERE
  const last = first + MAX_SAME
  if (last < entryCount && wordIn(bytes, start + last * DIRECTORY_ENTRY_BYTES) === word) return MANY
  return (bytes[at + 4] << 8) | bytes[at + 5]
}

function wordIn(bytes: Bytes, at: number): number {
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0
}

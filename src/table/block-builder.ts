/**
 * BlockBuilder: assembles the contents of one block after another (format in block.ts). Keys are raw bytes in ascending
 * order; every `restartInterval` entries a key is stored whole.
 * Source   google/leveldb table/block_builder.cc
 */
import { commonPrefixLength, copyBytes, copyLong, copyWords, grown, LONG_COPY_BYTES, viewOf } from '../base/bytes.ts'
import { putFixed32, putVarint } from '../base/coding.ts'
import { TAG_BYTES } from '../base/internal-key.ts'
import type { Bytes } from '../base/types.ts'

const FIRST_KEY_BYTES = 64
/** Three varints of up to five bytes. */
const MAX_LENGTHS_BYTES = 15
/** Room beyond the intended size, for the entry that ends a block. */
const SLACK_BYTES = 1024

export class BlockBuilder {
  /** The last key added, also after reset, is lastKey[0, lastKeyLength). */
  lastKey: Uint8Array<ArrayBuffer>
  lastKeyLength: number

  readonly #restartInterval: number
  /** The block so far is buffer[0, length). */
  #buffer: Uint8Array
  #view: DataView
  #length: number
  readonly #restarts: number[]
  /** Entries since the last restart point. */
  #run: number

  /** @param blockBytes intended size; larger blocks are built all the same */
  constructor(restartInterval: number, blockBytes: number) {
    this.#buffer = new Uint8Array(blockBytes + SLACK_BYTES)
    this.#view = viewOf(this.#buffer)
    this.#length = 0
    this.lastKey = new Uint8Array(FIRST_KEY_BYTES)
    this.lastKeyLength = 0
    this.#restartInterval = restartInterval
    this.#restarts = [0]
    this.#run = 0
  }

  get isEmpty(): boolean {
    return this.#length === 0
  }

  /** Bytes of the block, were it finished now. */
  get finishedBytes(): number {
    return this.#length + 4 * this.#restarts.length + 4
  }

  /**
   * Add an entry.
   * @requires the key sorts after the one before; not finished
   */
  add(key: Bytes, keyLength: number, value: Bytes, valOff: number, valLen: number): void {
    const common = commonPrefixLength(key, 0, keyLength, this.lastKey, 0, this.lastKeyLength)
    if (keyLength > this.lastKey.length) this.lastKey = grown(this.lastKey, this.lastKeyLength, keyLength)
    copyBytes(key, common, this.lastKey, common, keyLength - common)
    this.#append(keyLength, common, value, valOff, valLen, undefined)
  }

  /**
   * Add an entry of a data block.
   * @param common how many bytes its internal key has in common with lastKey: whoever checks their order knows it
   * @param view of `value`, if it is to be copied by words
   */
  addEntry(
    key: Bytes,
    keyOff: number,
    keyLen: number,
    tagLow: number,
    tagHigh: number,
    common: number,
    value: Bytes,
    valOff: number,
    valLen: number,
    view: DataView | undefined,
  ): void {
    const keyLength = keyLen + TAG_BYTES
    if (keyLength > this.lastKey.length) this.lastKey = grown(this.lastKey, this.lastKeyLength, keyLength)
    const { lastKey } = this
    for (let i = common; i < keyLen; i++) lastKey[i] = key[keyOff + i]
    putFixed32(lastKey, keyLen, tagLow)
    putFixed32(lastKey, keyLen + 4, tagHigh)
    this.#append(keyLength, common, value, valOff, valLen, view)
  }

  /**
   * Append the restart points.
   * @returns the block; borrowed until reset
   */
  finish(): Bytes {
    this.#reserve(4 * this.#restarts.length + 4)
    for (const restart of this.#restarts) this.#appendFixed32(restart)
    this.#appendFixed32(this.#restarts.length)
    return this.#buffer.subarray(0, this.#length)
  }

  /** Begin a new block. */
  reset(): void {
    this.#length = 0
    this.#restarts.length = 1
    this.#run = 0
  }

  /** An entry whose key is in lastKey. */
  #append(
    keyLength: number,
    common: number,
    value: Bytes,
    valOff: number,
    valLen: number,
    view: DataView | undefined,
  ): void {
    const shared = this.#sharedLength(common)
    const unshared = keyLength - shared
    this.#reserve(MAX_LENGTHS_BYTES + unshared + valLen)
    const buffer = this.#buffer
    let at = putVarint(buffer, this.#length, shared)
    at = putVarint(buffer, at, unshared)
    at = putVarint(buffer, at, valLen)
    copyBytes(this.lastKey, shared, buffer, at, unshared)
    at += unshared
    if (view === undefined) copyBytes(value, valOff, buffer, at, valLen)
    else if (valLen < LONG_COPY_BYTES) copyWords(view, valOff, this.#view, at, valLen)
    else copyLong(value, valOff, buffer, at, valLen)
    this.#length = at + valLen
    this.#run++
    this.lastKeyLength = keyLength
  }

  /** How much of the key is left out; starts a new run where one is due. */
  #sharedLength(common: number): number {
    if (this.#length === 0) return 0
    if (this.#run < this.#restartInterval) return common
    this.#restarts.push(this.#length)
    this.#run = 0
    return 0
  }

  #appendFixed32(value: number): void {
    putFixed32(this.#buffer, this.#length, value)
    this.#length += 4
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes
    if (needed <= this.#buffer.length) return
    this.#buffer = grown(this.#buffer, this.#length, needed)
    this.#view = viewOf(this.#buffer)
  }
}

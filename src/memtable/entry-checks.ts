/**
 * EntryChecks: the checksums of a MemTable that has them: a CRC-32C of each version with its key, made when the version is
 * written and compared when it is read or flushed. They find what a defect elsewhere in the process, or the memory
 * itself, did to an entry.
 *
 * Covered    key, tag, value, their lengths, and the links from a version to older ones
 * Uncovered  what leads to entries: nodes, towers, heads of chains. Whatever they lead to is checked, so that a wrong link can
 *            hide a key, and not change one.
 * Format     behind the value, padded: crc u32 of (key length u32 | value length u32 | tag u64 | key | value), and if the
 *            version has links, continued over them
 * Threads    belongs to the thread of its table; words are read as the representations read them
 */
import { crc32c } from '../base/crc32c.ts'
import { CorruptionError } from '../base/errors.ts'
import type { Bytes } from '../base/types.ts'
import { type Arena, wordAligned } from './arena.ts'
import { HEADER_BYTES } from './arena-layout.ts'
import {
  hasLinks,
  isTagClean,
  isWithin,
  jumpOf,
  LINK_BYTES,
  olderVersion,
  VERSION_BYTES,
  versionTagHigh,
  versionTagLow,
  versionValueLength,
} from './version-record.ts'

export class EntryChecks {
  readonly #arena: Arena
  readonly #words: Int32Array<ArrayBufferLike>
  readonly #numbers: Uint8Array<ArrayBuffer>
  readonly #numberWords: Uint32Array<ArrayBuffer>

  constructor(arena: Arena) {
    this.#arena = arena
    this.#words = arena.words
    this.#numbers = new Uint8Array(16)
    this.#numberWords = new Uint32Array(this.#numbers.buffer)
  }

  /** The checksum of a version without links. */
  checksum(
    tagLow: number,
    tagHigh: number,
    key: Bytes,
    keyOff: number,
    keyLen: number,
    value: Bytes,
    valOff: number,
    valLen: number,
  ): number {
    const numbers = this.#numberWords
    numbers[0] = keyLen
    numbers[1] = valLen
    numbers[2] = tagLow
    numbers[3] = tagHigh
    const start = crc32c(this.#numbers, 0, 16)
    return crc32c(value, valOff, valLen, crc32c(key, keyOff, keyLen, start))
  }

  /**
   * The version at `version` of the key at bytes[keyOff, keyOff + keyLen) is as it was written.
   * @throws CorruptionError if it is not
   */
  verify(keyOff: number, keyLen: number, version: number): void {
    const { bytes, end } = this.#arena
    const words = this.#words
    const isInside = version >= HEADER_BYTES && version % 4 === 0 && version <= end - VERSION_BYTES - 4
    if (!isInside || keyLen < 0 || keyOff < HEADER_BYTES || keyLen > end - keyOff) throw damage(keyOff, version)
    const valLen = versionValueLength(words, version)
    const crcAt = version + VERSION_BYTES + wordAligned(valLen)
    if (valLen < 0 || crcAt > end - 4 || crcAt < version) throw damage(keyOff, version)
    const low = versionTagLow(words, version)
    const high = versionTagHigh(words, version)
    let crc = this.checksum(low, high, bytes, keyOff, keyLen, bytes, version + VERSION_BYTES, valLen)
    if (hasLinks(words, version)) crc = crc32c(bytes, version - LINK_BYTES, LINK_BYTES, crc)
    if (crc !== words[crcAt >> 2] >>> 0 || !isTagClean(words, version)) throw damage(keyOff, version)
  }

  /** What fills a key up is as it was written, where keys are compared as words. @throws CorruptionError if it is not */
  verifyPadding(keyOff: number, keyLen: number, storedBytes: number): void {
    const { bytes } = this.#arena
    for (let at = keyOff + keyLen; at < keyOff + storedBytes; at++) if (bytes[at] !== 0) throw damage(keyOff, at)
  }

  /** As findVersion in version-record.ts, following no link that is not verified. */
  findVersion(keyOff: number, keyLen: number, newest: number, low: number, high: number, limit: number): number {
    const words = this.#words
    let version = newest
    this.verify(keyOff, keyLen, version)
    while (!isWithin(words, version, low, high, limit)) {
      if (!hasLinks(words, version)) return 0
      const jump = jumpOf(words, version)
      this.verify(keyOff, keyLen, jump)
      version = isWithin(words, jump, low, high, limit) ? olderVersion(words, version) : jump
      this.verify(keyOff, keyLen, version)
    }
    return version
  }

  /** All versions from one to another, which is older or the same. */
  verifyChain(keyOff: number, keyLen: number, newest: number, oldest: number): void {
    let version = newest
    this.verify(keyOff, keyLen, version)
    while (version !== oldest && hasLinks(this.#words, version)) {
      version = olderVersion(this.#words, version)
      this.verify(keyOff, keyLen, version)
    }
  }
}

/** The checks of an arena that has checksums. */
export function checksOf(arena: Arena): EntryChecks | undefined {
  return arena.checksumBytes === 0 ? undefined : new EntryChecks(arena)
}

function damage(keyOff: number, version: number): CorruptionError {
  return new CorruptionError(
    `an entry of a MemTable does not match its checksum: key at ${keyOff}, version at ${version} of its memory`,
  )
}

/**
 * RangeTombstones: the range tombstones of a MemTable, beside its representation and independent of it. Every one of them
 * makes a map (range-map.ts); the roots of the maps hang on one chain of versions (version-record.ts), so that the map of
 * an old sequence is found as the version of a key is.
 *
 * Format      the header's RANGES is the head of the chain, 0 for none; the value of a version is its map's root, u32
 * Invariant   range tombstones are added in the order of their sequences
 * Threads     `add`: the writer; it stores the head last, by Arena.storeLink. Everything else: any, by the publication rule of
 *             memtable-rep.ts. A version lies behind the nodes of its map, so what is visible is whole;
 *             and behind the tombstones of all changes in them that are its map's.
 */
import { assert } from '../base/assert.ts'
import { type Comparator, checkComparable, compareKeys } from '../base/comparator.ts'
import { InvalidArgumentError, ReadOnlyError } from '../base/errors.ts'
import { isLater, tagHigh, tagLow, tagSequence } from '../base/internal-key.ts'
import type { Bytes, SequenceNumber } from '../base/types.ts'
import * as ValueType from '../base/value-type.ts'
import type { Arena } from './arena.ts'
import { RANGES } from './arena-layout.ts'
import type { MemTableRange } from './entry.ts'
import { KeyProbe } from './key-probe.ts'
import { MemTableFullError } from './memtable-full-error.ts'
import { RangeCursor } from './range-cursor.ts'
import { coverIn, HEIGHT, rootOf } from './range-map.ts'
import { paintingBytesMax, RangePainter } from './range-painter.ts'
import {
  appendVersion,
  findVersion,
  jumpOf,
  LINK_BYTES,
  olderVersion,
  VERSION_BYTES,
  versionBytes,
  versionTagHigh,
  versionTagLow,
  writeFirstVersion,
} from './version-record.ts'

const NONE = 0 as SequenceNumber
const ROOT_BYTES = 4
/** In a table with checksums; of a map they are not verified. */
const CHECKSUM_BYTES = 4
/** Of a map's place in the chain. */
const VERSION_BYTES_MAX: number = LINK_BYTES + VERSION_BYTES + ROOT_BYTES + CHECKSUM_BYTES
/** In the place of a root that is stored right after. */
const NO_ROOT = new Uint8Array(ROOT_BYTES)

/** The most bytes of the arena that a range tombstone takes, whatever else is in it. */
export function rangeBytesMax(startLen: number, endLen: number): number {
  return paintingBytesMax(startLen, endLen) + VERSION_BYTES_MAX
}

/** The stretches of a cursor's map that are covered, in order, as copies. */
export function* fragments(at: RangeCursor): Generator<MemTableRange, undefined, undefined> {
  for (at.seekToFirst(); at.hasEnd; ) {
    at.seek(at.endBuf, at.endOff, at.endLen)
    if (at.sequence !== 0) yield at.range()
  }
}

export class RangeTombstones {
  readonly #arena: Arena
  readonly #words: Int32Array<ArrayBufferLike>
  readonly #comparator: Comparator
  /** Whoever has counted what was added ends its painting. */
  readonly painter: RangePainter
  readonly #probe: KeyProbe

  constructor(arena: Arena, comparator: Comparator) {
    this.#arena = arena
    this.#words = arena.words
    this.#comparator = comparator
    this.painter = new RangePainter(arena, comparator)
    this.#probe = new KeyProbe(comparator)
  }

  /** @throws InvalidArgumentError if a caller's range is none, or its sequence is not above those of the others */
  check(sequence: SequenceNumber, start: Bytes, end: Bytes): void {
    checkComparable(this.#comparator, start, 0, start.length)
    checkComparable(this.#comparator, end, 0, end.length)
    if (compareKeys(this.#comparator, start, end) > 0) {
      throw new InvalidArgumentError('the start of a range must not be after its end')
    }
    const newest = this.newestSequence()
    if (sequence <= newest) throw new InvalidArgumentError(`the table has a range tombstone of sequence ${newest}`)
  }

  /**
   * Add a range tombstone over [start, end), with a sequence that is greater than that of every other one (asserted). It is painted until
   * the caller has counted it, and says so.
   * @returns whether there is a key in between; else nothing is added
   * @throws MemTableFullError if there may not be room, ReadOnlyError if an earlier call was cut off halfway; nothing has changed then
   */
  add(
    sequence: SequenceNumber,
    start: Bytes,
    startOff: number,
    startLen: number,
    end: Bytes,
    endOff: number,
    endLen: number,
  ): boolean {
    assert(sequence > this.newestSequence(), 'the sequences of range tombstones ascend')
    if (this.painter.isPainting)
      throw new ReadOnlyError('a range delete of this MemTable was cut off halfway: it takes no others')
    if (this.#comparator.compare(start, startOff, startLen, end, endOff, endLen) >= 0) return false
    const newest = this.#words[RANGES]
    const root = newest === 0 ? 0 : rootOf(this.#words, newest)
    this.#makeSureOfRoom(startLen, endLen, root === 0 ? 0 : this.#words[(root >> 2) + HEIGHT])
    const low = tagLow(sequence, ValueType.RANGE_DELETION)
    const high = tagHigh(sequence)
    const painted = this.painter.paint(root, low, high, start, startOff, startLen, end, endOff, endLen)
    this.#append(newest, low, high, painted)
    return true
  }

  /** Whether there are none, visible or not: then nothing below costs anything. */
  get isEmpty(): boolean {
    return this.#words[RANGES] === 0
  }

  /** Of the writer: the sequence of the newest one, 0 for none. */
  newestSequence(): number {
    const newest = this.#words[RANGES]
    return newest === 0 ? 0 : this.sequenceOf(newest)
  }

  /** The sequence of what is at an offset, its tag first. */
  sequenceOf(offset: number): SequenceNumber {
    return tagSequence(versionTagLow(this.#words, offset), versionTagHigh(this.#words, offset))
  }

  /**
   * A version of a key, or the newest visible range tombstone over the key if that is newer.
   * @param version 0 for none
   * @returns the offset of either, where its tag is; 0 for none
   */
  newest(
    version: number,
    key: Bytes,
    keyOff: number,
    keyLen: number,
    tagLow: number,
    tagHigh: number,
    limit: number,
  ): number {
    const low = version === 0 ? 0 : versionTagLow(this.#words, version)
    const high = version === 0 ? 0 : versionTagHigh(this.#words, version)
    const cover = this.find(key, keyOff, keyLen, tagLow, tagHigh, limit, low, high)
    return cover === 0 ? version : cover
  }

  /**
   * The newest visible range tombstone over a key.
   * @param thanLow,thanHigh tag of the version of the key to which it has to be newer; zeros for none
   * @returns its offset, where its tag is; 0 if there is none
   */
  find(
    key: Bytes,
    keyOff: number,
    keyLen: number,
    tagLow: number,
    tagHigh: number,
    limit: number,
    thanLow: number,
    thanHigh: number,
  ): number {
    const version = this.#visible(tagLow, tagHigh, limit)
    if (version === 0 || !this.#isNewer(version, thanLow, thanHigh)) return 0
    this.#probe.load(key, keyOff, keyLen)
    const cover = coverIn(this.#words, this.#arena.bytes, version, this.#probe)
    return cover !== 0 && this.#isNewer(cover, thanLow, thanHigh) ? cover : 0
  }

  /**
   * The oldest range tombstone over a key whose sequence is above one and at most another.
   * @returns its sequence; 0 if there is none
   * @complexity O(log² n)
   */
  coverAfter(key: Bytes, keyOff: number, keyLen: number, above: number, atMost: number, limit: number): SequenceNumber {
    const words = this.#words
    const visible = this.#visible(tagLow(atMost, ValueType.RANGE_DELETION), tagHigh(atMost), limit)
    if (visible === 0) return NONE
    this.#probe.load(key, keyOff, keyLen)
    const newest = coverIn(words, this.#arena.bytes, visible, this.#probe)
    if (newest === 0 || this.sequenceOf(newest) <= above) return NONE
    // Newer maps have newer covers, so the versions that have one above are the newest ones of the chain: at least down to
    // the one of this cover, where most searches end.
    let version = findVersion(words, visible, versionTagLow(words, newest), versionTagHigh(words, newest), limit)
    for (let older = olderVersion(words, version); older !== 0; older = olderVersion(words, version)) {
      const jump = jumpOf(words, version)
      if (this.#coversAfter(jump, above)) version = jump
      else if (this.#coversAfter(older, above)) version = older
      else break
    }
    return this.sequenceOf(version)
  }

  /** A cursor over the map of a sequence. */
  cursor(sequence: SequenceNumber, limit: number): RangeCursor {
    const version = this.#visible(tagLow(sequence, ValueType.RANGE_DELETION), tagHigh(sequence), limit)
    return new RangeCursor(this.#arena, this.#comparator, version)
  }

  #append(newest: number, low: number, high: number, root: number): void {
    let version: number
    if (newest === 0) {
      version = this.#arena.allocate(versionBytes(this.#arena, ROOT_BYTES))
      writeFirstVersion(this.#arena, version, low, high, NO_ROOT, 0, ROOT_BYTES)
    } else {
      version = appendVersion(this.#arena, newest, low, high, NO_ROOT, 0, ROOT_BYTES)
    }
    this.#words[(version + VERSION_BYTES) >> 2] = root
    this.#arena.storeLink(RANGES, version)
  }

  #makeSureOfRoom(startLen: number, endLen: number, height: number): void {
    const bytes = paintingBytesMax(startLen, endLen, height) + VERSION_BYTES_MAX
    if (bytes > this.#arena.freeBytes) throw new MemTableFullError(bytes, this.#arena.freeBytes)
  }

  #visible(tagLow: number, tagHigh: number, limit: number): number {
    const words = this.#words
    let newest = words[RANGES]
    if (newest >= limit) newest = Atomics.load(words, RANGES)
    return newest === 0 ? 0 : findVersion(words, newest, tagLow, tagHigh, limit)
  }

  /** Whether what is at an offset, its tag first, has a greater sequence than a tag. */
  #isNewer(offset: number, thanLow: number, thanHigh: number): boolean {
    return isLater(versionTagLow(this.#words, offset), versionTagHigh(this.#words, offset), thanLow, thanHigh)
  }

  /** Whether the probe's key has a cover above a sequence in the map of a version. */
  #coversAfter(version: number, above: number): boolean {
    const cover = coverIn(this.#words, this.#arena.bytes, version, this.#probe)
    return cover !== 0 && this.sequenceOf(cover) > above
  }
}

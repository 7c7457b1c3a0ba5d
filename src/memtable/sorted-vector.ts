/**
 * SortedVector: a MemTableRep for bulk loads, in any order of keys. Entries are appended as they come; they are put in order
 * once, when the table is frozen or first read. Entries that come in ascending order are not sorted at all.
 *
 * Format   entry := key length u32 | key, padded to whole words, at least two (key-probe.ts) | version (version-record.ts)
 *          index := offset of an entry u32, for each, by key and then from the newest version to the oldest
 *          Roots, from freezing on: offset of the index | its length in words
 *          Until then the index is the writer's own; its room in the arena is held back, entry by entry.
 * Invariants  (1) #index[0, #sorted) is in order; what was added since follows it as it came
 *             (2) of one key, what was added later is newer
 *             (3) an entry that came out of order was counted as a key of its own; `settle` takes back what was counted too
 *                 much (#excessKeys, #excessBytes)
 *             (4) what is put in order lies in an index of its own until it is, so that a call that is cut off changes nothing
 * Cost     a read after writes sorts what was written since, and moves up to a word an entry of the table: right, but not
 *          made for reads and writes in turn
 * Threads  one writer; readers once it is frozen: an order that still changes cannot be shared
 * Source   facebook/rocksdb memtable/vectorrep.cc, for the idea
 */
import { assert } from '../base/assert.ts'
import { bytewiseComparator, type Comparator } from '../base/comparator.ts'
import { InvalidArgumentError } from '../base/errors.ts'
import { compareTags, isLater, tagHigh, tagLow } from '../base/internal-key.ts'
import type { Bytes, SequenceNumber } from '../base/types.ts'
import type { Arena } from './arena.ts'
import { RANGES, ROOTS } from './arena-layout.ts'
import { checksOf, type EntryChecks } from './entry-checks.ts'
import { KeyProbe, STORED_KEY_BYTES_MIN, storedKeyBytes } from './key-probe.ts'
import { KeySorter } from './key-sorter.ts'
import type { KeyDescent, MemTableIterator, MemTableRep } from './memtable-rep.ts'
import type { TableCounters } from './table-counters.ts'
import { VectorDescent } from './vector-descent.ts'
import { VectorIterator } from './vector-iterator.ts'
import {
  olderVersion,
  putPadded,
  VERSION_BYTES,
  versionBytes,
  versionTagHigh,
  versionTagLow,
  versionValueLength,
  writeFirstVersion,
} from './version-record.ts'

const INDEX = ROOTS
const INDEX_WORDS: number = ROOTS + 1
const SLOT_BYTES = 4
const FIRST_SLOTS = 256
const NO_INDEX = new Int32Array(0)
/** Entries that an estimate looks at: with so many, the share of newest versions is off by a sixteenth at most, as a standard error. */
const ESTIMATE_PLACES = 64
/** Arena bytes that one add can take beyond its key and its value: its slot of the index, and all padding. */
export const VECTOR_OVERHEAD_BYTES: number = SLOT_BYTES + 4 + STORED_KEY_BYTES_MIN + VERSION_BYTES + 4

export class SortedVector implements MemTableRep {
  readonly overheadBytesMax: number
  readonly arena: Arena
  /** Entries, those that wait to be sorted included. */
  count: number

  readonly #words: Int32Array<ArrayBufferLike>
  readonly #comparator: Comparator
  readonly #probe: KeyProbe
  readonly #checks: EntryChecks | undefined
  #index: Int32Array<ArrayBufferLike>
  /** The index before it was merged last: memory for the next time. */
  #spare: Int32Array<ArrayBufferLike>
  #sorted: number
  /** Whether what is sorted came in that order. */
  #isAsItCame: boolean
  #excessKeys: number
  #excessBytes: number
  /** Tag of the newest entry of all. */
  #newestLow: number
  #newestHigh: number

  /** @param arena created for VECTOR; empty, or frozen */
  constructor(arena: Arena, comparator: Comparator) {
    this.overheadBytesMax = VECTOR_OVERHEAD_BYTES + arena.checksumBytes
    this.#checks = checksOf(arena)
    this.arena = arena
    this.#words = arena.words
    this.#comparator = comparator
    this.#probe = new KeyProbe(comparator)
    this.count = arena.isFrozen ? arena.words[INDEX_WORDS] : 0
    this.#index = arena.isFrozen ? this.#sharedIndex() : new Int32Array(FIRST_SLOTS)
    this.#spare = NO_INDEX
    this.#sorted = this.count
    this.#isAsItCame = true
    this.#excessKeys = 0
    this.#excessBytes = 0
    this.#newestLow = 0
    this.#newestHigh = 0
  }

  /** @returns 0: whether the key is a new one turns out when it is sorted */
  add(
    tagLow: number,
    tagHigh: number,
    key: Bytes,
    keyOff: number,
    keyLen: number,
    value: Bytes,
    valOff: number,
    valLen: number,
  ): number {
    const { arena, count } = this
    // Sequences that ascend need no look at the key.
    const isNewest = count === 0 || isLater(tagLow, tagHigh, this.#newestLow, this.#newestHigh)
    if (!isNewest) this.#checkNewer(tagLow, tagHigh, key, keyOff, keyLen)
    const isInOrder = this.#sorted === count && (count === 0 || this.#isAfterLast(key, keyOff, keyLen))
    const stored = storedKeyBytes(keyLen)
    const entry = arena.allocate(4 + stored + versionBytes(arena, valLen))
    const at = entry >> 2
    this.#words[at] = keyLen
    this.#words[at + 1] = 0
    this.#words[at + 2] = 0
    putPadded(arena, entry + 4, key, keyOff, keyLen)
    writeFirstVersion(arena, entry + 4 + stored, tagLow, tagHigh, value, valOff, valLen)
    arena.holdBack(SLOT_BYTES)
    if (count === this.#index.length) this.#index = resized(this.#index, count * 2)
    arena.isTorn = true
    this.#index[count] = entry
    this.count = count + 1
    if (isInOrder) this.#sorted = this.count
    if (isNewest) {
      this.#newestLow = tagLow
      this.#newestHigh = tagHigh
    }
    return 0
  }

  find(key: Bytes, keyOff: number, keyLen: number, tagLow: number, tagHigh: number): number {
    const at = this.seek(key, keyOff, keyLen, tagLow, tagHigh)
    if (at === this.count || this.#compareProbe(at) !== 0) return 0
    return this.version(at)
  }

  iterator(): MemTableIterator {
    return new VectorIterator(this)
  }

  /** Entries between the two places, less the share of older versions that some of them show. */
  estimate(start: Bytes, end: Bytes): number {
    const from = this.seek(start, 0, start.length, 0xffffffff, 0xffffffff)
    this.#probe.load(end, 0, end.length)
    const to = this.#search(from, this.count, true)
    let newest = 0
    for (let i = 0; i < ESTIMATE_PLACES; i++)
      if (this.isNewest(from + Math.floor((i * (to - from)) / ESTIMATE_PLACES))) newest++
    return ((to - from) * newest) / ESTIMATE_PLACES
  }

  descent(): KeyDescent {
    return new VectorDescent(this)
  }

  settle(counters: TableCounters): void {
    this.order()
    counters.keys -= this.#excessKeys
    counters.liveBytes -= this.#excessBytes
    this.#excessKeys = 0
    this.#excessBytes = 0
  }

  /** Those entries have not been put in order with others, since their sequences ascend. A range tombstone goes, too. */
  takeBack(largest: SequenceNumber): boolean {
    const limit = this.arena.watermark()
    const range = this.#words[RANGES]
    if (range >= limit) this.#words[RANGES] = olderVersion(this.#words, range)
    while (this.count > 0 && this.#index[this.count - 1] >= limit) this.count--
    if (this.#sorted > this.count) this.#sorted = this.count
    this.#newestHigh = tagHigh(largest)
    this.#newestLow = tagLow(largest, 0)
    return true
  }

  freeze(): void {
    const { arena } = this
    if (arena.heldBack === 0) return
    this.order()
    const index = arena.tail
    this.#words.set(this.#index.subarray(0, this.count), index >> 2)
    this.#words[INDEX] = index
    this.#words[INDEX_WORDS] = this.count
    const shared = this.#sharedIndex()
    arena.allocateHeldBack()
    this.#index = shared
    this.#spare = NO_INDEX
  }

  // For the iterator. Places in the order are numbers from 0 to `count`, which is behind the last entry.

  /** Put everything in order that was added so far. */
  order(): void {
    if (this.#sorted === this.count) return
    // By what was begun before a call that was cut off: what is to be taken back must stay at the end.
    if (this.arena.isTorn) throw new InvalidArgumentError('a call that wrote was cut off halfway: begin anew')
    // Less than half of them: those that are in order are sorted again, together with the others, and nothing is merged.
    const isAll = this.#isAsItCame && 2 * this.#sorted < this.count
    const { entries, repeats } = this.#sortedRest(isAll ? 0 : this.#sorted)
    const index = isAll ? entries : this.#merged(entries, repeats)
    let excessBytes = 0
    for (const entry of repeats) excessBytes += this.#liveBytes(entry)
    if (!isAll) this.#spare = this.#index
    this.#index = index
    this.#sorted = this.count
    this.#isAsItCame = false
    this.#excessKeys += repeats.length
    this.#excessBytes += excessBytes
  }

  /** The first place at or behind an internal key. O(log n). */
  seek(key: Bytes, keyOff: number, keyLen: number, tagLow: number, tagHigh: number): number {
    this.order()
    this.#probe.load(key, keyOff, keyLen)
    let begin = 0
    let end = this.count
    while (begin < end) {
      const middle = (begin + end) >>> 1
      const order = this.#compareProbe(middle)
      if (order < 0 || (order === 0 && this.#isNewer(middle, tagLow, tagHigh))) begin = middle + 1
      else end = middle
    }
    if (this.#checks !== undefined) this.#verifyAround(begin)
    return begin
  }

  /** @throws CorruptionError if the entry at a place is not as it was written, and has a checksum */
  verify(place: number): void {
    const checks = this.#checks
    if (checks === undefined) return
    const keyOff = this.keyOffset(place)
    const keyLen = this.keyLength(place)
    checks.verify(keyOff, keyLen, this.version(place))
    checks.verifyPadding(keyOff, keyLen, storedKeyBytes(keyLen))
  }

  /** The first place whose key is not before the one at `place`, which is its newest version; or is behind it. */
  keyStart(place: number, isAfter: boolean): number {
    this.verify(place)
    const entry = this.#index[place]
    this.#probe.load(this.arena.bytes, entry + 4, this.#words[entry >> 2])
    const found = isAfter ? this.#search(place, this.count, true) : this.#search(0, place, false)
    if (this.#checks !== undefined) this.#verifyAround(found)
    return found
  }

  /** Whether two places, which exist, have the same key. */
  haveSameKey(place: number, other: number): boolean {
    const words = this.#words
    const a = this.#index[place] >> 2
    const b = this.#index[other] >> 2
    const length = words[a]
    if (this.#comparator !== bytewiseComparator) return this.#compareEntries(place, other) === 0
    if (length !== words[b]) return false
    for (let i = (length + 3) >> 2; i > 0; i--) if (words[a + i] !== words[b + i]) return false
    return true
  }

  isNewest(place: number): boolean {
    return place === 0 || !this.haveSameKey(place - 1, place)
  }

  keyOffset(place: number): number {
    return this.#index[place] + 4
  }

  keyLength(place: number): number {
    return this.#words[this.#index[place] >> 2]
  }

  version(place: number): number {
    return versionOf(this.#words, this.#index[place])
  }

  /** A search that met one damaged entry ends right before or right behind it. */
  #verifyAround(place: number): void {
    if (place > 0) this.verify(place - 1)
    if (place < this.count) this.verify(place)
  }

  /** The first place in [from, to) whose key is not before the probe's, or is behind it; `to` if there is none. */
  #search(from: number, to: number, isAfter: boolean): number {
    let begin = from
    let end = to
    while (begin < end) {
      const middle = (begin + end) >>> 1
      const order = this.#compareProbe(middle)
      if (order < 0 || (isAfter && order === 0)) begin = middle + 1
      else end = middle
    }
    return begin
  }

  /** What was added from a place on, in order, and those of it that are not the newest of their key there. */
  #sortedRest(from: number): { readonly entries: Int32Array; readonly repeats: number[] } {
    const words = this.#words
    const count = this.count - from
    const offsets = new Int32Array(count)
    const lengths = new Int32Array(count)
    for (let i = 0; i < count; i++) {
      // The other way round, since of one key the newest comes first.
      const entry = this.#index[this.count - 1 - i]
      offsets[i] = entry + 4
      lengths[i] = words[entry >> 2]
    }
    const entries = new KeySorter(this.#comparator).sort(this.arena.bytes, offsets, lengths, count)
    const repeats: number[] = []
    for (let i = 0; i < count; i++) {
      const isRepeat = entries[i] < 0
      entries[i] = offsets[isRepeat ? ~entries[i] : entries[i]] - 4
      if (isRepeat) repeats.push(entries[i])
    }
    return { entries, repeats }
  }

  /**
   * An index with the sorted rest between what is in order: from the end on, so that every word moves once.
   * @param repeats for those entries that are not the newest of their key because of the rest
   */
  #merged(rest: Int32Array, repeats: number[]): Int32Array<ArrayBufferLike> {
    const index = this.#index
    const merged = this.#spare.length === index.length ? this.#spare : new Int32Array(index.length)
    let unmoved = this.#sorted
    let end = this.count
    for (let i = rest.length - 1; i >= 0; i--) {
      const entry = rest[i]
      this.#probe.load(this.arena.bytes, entry + 4, this.#words[entry >> 2])
      const place = this.#search(0, unmoved, false)
      merged.set(index.subarray(place, unmoved), end - (unmoved - place))
      end -= unmoved - place
      if (place < unmoved && this.#compareProbe(place) === 0) repeats.push(index[place])
      unmoved = place
      merged[--end] = entry
    }
    merged.set(index.subarray(0, unmoved))
    return merged
  }

  /** What an entry counts for while it is the newest of its key. */
  #liveBytes(entry: number): number {
    const words = this.#words
    return words[entry >> 2] + versionValueLength(words, versionOf(words, entry))
  }

  #checkNewer(tagLow: number, tagHigh: number, key: Bytes, keyOff: number, keyLen: number): void {
    const at = this.seek(key, keyOff, keyLen, 0xffffffff, 0xffffffff)
    const isNewer = at === this.count || this.#compareProbe(at) !== 0 || this.#isOlder(at, tagLow, tagHigh)
    assert(isNewer, 'the sequences of a key ascend')
  }

  /** Whether the sequence at a place is below that of a tag. */
  #isOlder(place: number, tagLow: number, tagHigh: number): boolean {
    const version = this.version(place)
    return isLater(tagLow, tagHigh, versionTagLow(this.#words, version), versionTagHigh(this.#words, version))
  }

  /** Whether the tag at a place is above the given one. */
  #isNewer(place: number, tagLow: number, tagHigh: number): boolean {
    const version = this.version(place)
    return compareTags(versionTagLow(this.#words, version), versionTagHigh(this.#words, version), tagLow, tagHigh) < 0
  }

  #isAfterLast(key: Bytes, keyOff: number, keyLen: number): boolean {
    this.#probe.load(key, keyOff, keyLen)
    return this.#compareProbe(this.count - 1) < 0
  }

  /** Order of the key at a place and the probe's. */
  #compareProbe(place: number): number {
    const at = this.#index[place] >> 2
    return this.#probe.compareStored(this.#words, this.arena.bytes, at + 1, this.#words[at])
  }

  #compareEntries(place: number, other: number): number {
    const { bytes } = this.arena
    return this.#comparator.compare(
      bytes,
      this.keyOffset(place),
      this.keyLength(place),
      bytes,
      this.keyOffset(other),
      this.keyLength(other),
    )
  }

  #sharedIndex(): Int32Array<ArrayBufferLike> {
    return new Int32Array(this.arena.buffer, this.#words[INDEX], this.count)
  }
}

function versionOf(words: Int32Array<ArrayBufferLike>, entry: number): number {
  return entry + 4 + storedKeyBytes(words[entry >> 2])
}

function resized(index: Int32Array<ArrayBufferLike>, length: number): Int32Array {
  const grown = new Int32Array(length)
  grown.set(index)
  return grown
}

/**
 * MemTable: the newest writes, sorted, in memory: every version of every key, tombstones included, until a table holds
 * them. A library of its own as well as the engine's write buffer.
 *
 * Made of an arena (the memory), a representation (the ordered index in it), maps of range tombstones, and counters. Two faces:
 *   engine   add, publish, lookup, iterator: offsets and borrowed memory, whole batches, nothing allocated
 *   library  put, delete, deleteRange, get, rangeScan, entries, cursor: strings or bytes, copies, each write published at once
 * What it tells of its content is in its base classes: MemTableEntries, of MemTableSamples, of MemTableRanges, of MemTableNumbers.
 *
 * Invariants  (1) a version never changes and never goes away; a write adds one, so that snapshots cost nothing
 *             (2) the sequences of one key ascend in the order of its writes
 *             (3) a frozen MemTable never changes again
 *             (4) a call that V8 cut off, or that ended where the stack does, has written all that it was to, or nothing (arena.ts);
 *                 or else the table is torn: it shows what was published before that call, and takes no more writes
 * Threads     the creating thread writes, and sees its own writes at once. `attach` makes a read-only MemTable of the
 *             same memory, live, with no copy: it sees what is published, in whole batches. One instance belongs to one
 *             thread. Rules in memtable-rep.ts.
 */
import { assert } from '../base/assert.ts'
import { ownedCopy } from '../base/bytes.ts'
import { type Comparator, checkComparable } from '../base/comparator.ts'
import { InvalidArgumentError, ReadOnlyError } from '../base/errors.ts'
import { MAX_TAG_HIGH, MAX_TAG_LOW, tagHigh, tagLow, tagSequence } from '../base/internal-key.ts'
import type { InternalIterator } from '../base/iterator.ts'
import * as Lookup from '../base/lookup.ts'
import { toBytes } from '../base/text.ts'
import { type Bytes, MAX_SEQUENCE, type SequenceNumber } from '../base/types.ts'
import * as ValueType from '../base/value-type.ts'
import { Arena } from './arena.ts'
import { HEADER_BYTES } from './arena-layout.ts'
import { type DecodeOptions, decode } from './dump-decoder.ts'
import type { MemTableVersion } from './entry.ts'
import { checksOf, type EntryChecks } from './entry-checks.ts'
import { checkedSequence, comparatorOf, featuresOf } from './memtable-arguments.ts'
import { MemTableEntries } from './memtable-entries.ts'
import { MemTableFullError } from './memtable-full-error.ts'
import type { MemTableOptions, MemTableToken } from './memtable-options.ts'
import { KEY_BYTES_MAX, type MemTableRep, NO_LIMIT } from './memtable-rep.ts'
import { NewestEntries } from './newest-entries.ts'
import { putAll } from './put-all.ts'
import { RangeTombstones } from './range-tombstones.ts'
import { checkAttachable, representationId, representationOf } from './representation.ts'
import { TableCounters } from './table-counters.ts'
import { isTombstone, VERSION_BYTES, versionTagHigh, versionTagLow, versionValueLength } from './version-record.ts'

/** In the tag of a lookup: not below any type, so that every version of the sequence is found. */
const ANY_TYPE = 0xff

/** A sorted map from bytes to bytes with versions and tombstones, in memory that threads share. `create`, `attach` or `decode` one. */
export class MemTable extends MemTableEntries {
  /** @internal After a lookup that answered FOUND: the value is valBuf[valOff, valOff + valLen), borrowed until `clear`. */
  valBuf: Bytes
  /** @internal */
  valOff: number
  /** @internal */
  valLen: number
  /** @internal After a lookup that answered FOUND or DELETED: the tag of what it found. */
  foundTagLow: number
  /** @internal */
  foundTagHigh: number
  readonly #seed: number
  readonly #isOwner: boolean
  #arena: Arena
  #rep: MemTableRep
  #ranges: RangeTombstones
  #counters: TableCounters
  #checks: EntryChecks | undefined
  #isWritable: boolean
  /** Whether the last call that wrote adds several versions or none, and what was counted before it. */
  #isInBatch: boolean
  #countersBefore: TableCounters

  private constructor(arena: Arena, comparator: Comparator, seed: number, isOwner: boolean) {
    super(comparator)
    this.valBuf = arena.bytes
    this.valOff = 0
    this.valLen = 0
    this.foundTagLow = 0
    this.foundTagHigh = 0
    this.#seed = seed
    this.#isOwner = isOwner
    this.#arena = arena
    this.#rep = representationOf(arena, comparator, seed)
    this.#ranges = new RangeTombstones(arena, comparator)
    this.#counters = new TableCounters()
    this.#checks = checksOf(arena)
    this.#isWritable = isOwner
    this.#isInBatch = false
    this.#countersBefore = this.#counters
  }

  /** @throws InvalidArgumentError if an option is unknown, or not of its documented form */
  static create(options: MemTableOptions = {}): MemTable {
    const comparator = comparatorOf(options)
    const { capacityBytes = 64 * 1024 * 1024, seed = 0x76617276 } = options
    const id = representationId(options.representation, comparator)
    return new MemTable(Arena.create(capacityBytes, id, featuresOf(options)), comparator, seed, true)
  }

  /**
   * A read-only view of a MemTable, on any thread: live, in place. Of a frozen one it shows everything.
   * @param options the comparator, unless it is the bytewise one: functions do not cross threads
   * @throws InvalidArgumentError if the token does not hold a MemTable's memory, of this version and this comparator;
   *   NotSupportedError if it is a 'vector' and not frozen
   */
  static attach(token: MemTableToken, options: Pick<MemTableOptions, 'comparator'> = {}): MemTable {
    const arena = Arena.attach(token?.buffer)
    const comparator = comparatorOf(options)
    if (token.comparator !== comparator.name)
      throw new InvalidArgumentError(`the MemTable is ordered by ${String(token.comparator)}, not ${comparator.name}`)
    checkAttachable(arena)
    return new MemTable(arena, comparator, 0, false)
  }

  /** A token for `attach`, on any thread that gets it by a message. From the first call on, writes cost a little more. */
  share(): MemTableToken {
    this.#arena.isShared = true
    return { buffer: this.#arena.buffer, comparator: this.comparator.name }
  }

  /** Whether entries whose `entryBytesMax` and `rangeBytesMax` come to `bytes` together can be added now. */
  hasRoom(bytes: number): boolean {
    return this.#isWritable && bytes <= this.#arena.freeBytes
  }

  /**
   * @internal Add a version of a key, or a range tombstone, to be published. Key and value are copied; a tombstone's value is ignored.
   * @param sequence greater than every sequence that the table holds for this key, or for range tombstones (asserted)
   * @param type VALUE, DELETION, or RANGE_DELETION (asserted), which deletes the keys from `key` up to but not including
   *   `value`; if there can be none, nothing is added
   * @throws InvalidArgumentError if the table is frozen or attached, or the key is longer than the representation's limit
   *   (128 MiB); MemTableFullError if there is no room for its `entryBytesMax` or `rangeBytesMax`. Then nothing has changed.
   * @complexity radix: O(bytes of the key); skiplist: O(log n), O(1) for a key right behind the one added before; vector:
   *   O(1), unless the sequence is not the largest so far. A range tombstone: O(log range tombstones), whatever it covers
   */
  add(
    sequence: SequenceNumber,
    type: number,
    key: Bytes,
    keyOff: number,
    keyLen: number,
    value: Bytes,
    valOff: number,
    valLen: number,
  ): void {
    if (type === ValueType.RANGE_DELETION) {
      this.#makeSureOfWritable()
      if (this.#ranges.add(sequence, key, keyOff, keyLen, value, valOff, valLen))
        this.#counters.addRange(sequence, keyLen + valLen)
      // From here on without a call: a range that is counted is not taken back.
      this.#ranges.painter.isPainting = false
      this.#arena.isTorn = this.#isInBatch
      return
    }
    assert(type === ValueType.VALUE || type === ValueType.DELETION, 'a version is a value or a tombstone')
    const isDeletion = type === ValueType.DELETION
    const stored = isDeletion ? 0 : valLen
    this.#makeSureOfRoom(keyLen, stored)
    const low = tagLow(sequence, type)
    const high = tagHigh(sequence)
    if (this.#checks !== undefined) {
      this.#arena.checksum = this.#checks.checksum(low, high, key, keyOff, keyLen, value, valOff, stored)
    }
    const replaced = this.#rep.add(low, high, key, keyOff, keyLen, value, valOff, stored)
    const change = replaced === 0 ? keyLen + stored : stored - versionValueLength(this.#arena.words, replaced)
    this.#counters.add(sequence, replaced === 0, isDeletion, change)
    this.#arena.isTorn = this.#isInBatch
  }

  /** @internal End of a batch: attached readers see everything that was added so far, or what they saw before. */
  publish(): void {
    if (this.#isOwner && !this.#arena.isTorn) this.#counters.publish(this.#arena)
  }

  /** @internal Begin to add what belongs together, up to `endBatch`. @throws ReadOnlyError if the table is torn */
  beginBatch(): void {
    this.#begin()
    this.#countersBefore = new TableCounters(this.#counters)
    this.#isInBatch = true
  }

  /** @internal */
  endBatch(): void {
    this.#counters.publish(this.#arena)
    this.#isInBatch = false
    this.#arena.isTorn = false
  }

  /**
   * @internal The newest version of a key whose sequence is at most `sequence`, or the range tombstone that is newer and covers it.
   * @returns Lookup.FOUND, with the value in valBuf, valOff and valLen; DELETED, by a tombstone of either kind; or ABSENT
   * @complexity as `add`, and O(log versions of the key)
   */
  lookup(key: Bytes, keyOff: number, keyLen: number, sequence: SequenceNumber): number {
    const low = tagLow(sequence, ANY_TYPE)
    const high = tagHigh(sequence)
    const limit = this.limit()
    let version = this.#rep.find(key, keyOff, keyLen, low, high, limit)
    if (!this.#ranges.isEmpty) version = this.#ranges.newest(version, key, keyOff, keyLen, low, high, limit)
    if (version === 0) return Lookup.ABSENT
    const { words, bytes } = this.#arena
    this.foundTagLow = versionTagLow(words, version)
    this.foundTagHigh = versionTagHigh(words, version)
    if (isTombstone(words, version)) return Lookup.DELETED
    this.valBuf = bytes
    this.valOff = version + VERSION_BYTES
    this.valLen = versionValueLength(words, version)
    return Lookup.FOUND
  }

  /**
   * @internal A cursor over every version of every key, keys ascending, the versions of a key newest first; it does not know of range
   * tombstones. In an attached table it stays at the moment of this call; in the writer's own it also meets what is added while it is in use.
   */
  iterator(): InternalIterator {
    return this.#rep.iterator(this.limit())
  }

  /** Refuse every later write. Freezing twice is no error. @throws InvalidArgumentError if the table is attached */
  freeze(): void {
    if (!this.#isOwner) throw new InvalidArgumentError('an attached MemTable is read-only')
    this.counted()
    this.#isWritable = false
    this.#rep.freeze()
    this.publish()
    this.#arena.freeze()
  }

  /** Bytes that entries take, overhead and older versions included; of capacityBytes. */
  get memoryUsage(): number {
    const { tail, ceiling, end, heldBack } = this.#arena
    return this.#isOwner ? tail + heldBack + end - ceiling - HEADER_BYTES : this.counted().usedBytes
  }

  /**
   * Set a key's value; published when it returns.
   * @param sequence default: one more than the largest so far
   * @returns the sequence of the write
   * @throws InvalidArgumentError if key or value is no well-formed string and no Uint8Array; if the sequence is not an integer from
   *   1 to 2^53 − 1 above all of this key; or if the table is frozen or attached. MemTableFullError. ReadOnlyError if a write was
   *   cut off halfway before. Then nothing has changed.
   */
  put(key: string | Uint8Array, value: string | Uint8Array, sequence?: number): SequenceNumber {
    return this.#write(ValueType.VALUE, toBytes(key, 'key'), toBytes(value, 'value'), sequence)
  }

  /** Mark a key as deleted, whether or not the table has it: a tombstone also covers older tables. Else as `put`. */
  delete(key: string | Uint8Array, sequence?: number): SequenceNumber {
    const bytes = toBytes(key, 'key')
    return this.#write(ValueType.DELETION, bytes, bytes, sequence)
  }

  /**
   * Set keys to their values, or mark those without a value as deleted: all of them, in this order, with ascending sequences,
   * published together; or none.
   * @returns the sequence of the last write; the largest so far if there is none
   * @throws as `put`; MemTableFullError unless there is room for the `entryBytesMax` of all
   */
  putMany(
    entries: Iterable<readonly [key: string | Uint8Array, value: string | Uint8Array | undefined]>,
  ): SequenceNumber {
    return putAll(this, this.comparator, entries)
  }

  /**
   * Mark all keys from `start` up to but not including `end` as deleted, whether or not the table has them.
   * @param sequence default: one more than the largest so far; versions of a lower one are covered, whenever they come
   * @returns the sequence of the write; if start and end are the same, nothing is written, and it is the largest so far
   * @throws as `put`; InvalidArgumentError if start is after end, or the sequence is not above that of every range tombstone
   */
  deleteRange(start: string | Uint8Array, end: string | Uint8Array, sequence?: number): SequenceNumber {
    const first = toBytes(start, 'start')
    const limit = toBytes(end, 'end')
    this.#begin()
    const at = checkedSequence(sequence === undefined ? this.#counters.largest + 1 : sequence, 1)
    this.#ranges.check(at, first, limit)
    this.add(at, ValueType.RANGE_DELETION, first, 0, first.length, limit, 0, limit.length)
    this.publish()
    return this.#ranges.newestSequence() === at ? at : this.largestSequence
  }

  /**
   * What the table knew of a key as of `sequence`; by default, what it knows now.
   * @returns undefined if it knows nothing, which is not the same as a tombstone
   * @throws InvalidArgumentError as `put`, for a key or a sequence
   */
  get(key: string | Uint8Array, sequence: number = MAX_SEQUENCE): MemTableVersion | undefined {
    const bytes = toBytes(key, 'key')
    const found = this.lookup(bytes, 0, bytes.length, checkedSequence(sequence, 0))
    if (found === Lookup.ABSENT) return undefined
    const at = tagSequence(this.foundTagLow, this.foundTagHigh)
    if (found === Lookup.DELETED) return { type: 'tombstone', sequence: at }
    return { type: 'value', value: ownedCopy(this.valBuf, this.valOff, this.valLen), sequence: at }
  }

  /** A table from a dump, in one piece or many; sequences are 1, 2, … in key order. @throws CorruptionError, MemTableFullError, InvalidArgumentError */
  static decode(dump: Uint8Array | Iterable<Uint8Array>, options: DecodeOptions = {}): MemTable {
    return decode(dump, options, MemTable.create)
  }

  /**
   * Begin anew: empty, not frozen, counting from 1, in fresh memory of the same capacity. Attached readers, iterators and
   * cursors keep the old memory as it is; to see the new one, attach again.
   * @throws InvalidArgumentError if the table is attached
   */
  clear(): void {
    if (!this.#isOwner) throw new InvalidArgumentError('an attached MemTable is read-only')
    const arena = Arena.create(this.#arena.capacityBytes, this.#arena.representation, this.#arena.features)
    const rep = representationOf(arena, this.comparator, this.#seed)
    const ranges = new RangeTombstones(arena, this.comparator)
    const checks = checksOf(arena)
    // All at once, after the last call: one that does not return must not leave parts of two tables.
    this.#counters = new TableCounters()
    this.#arena = arena
    this.#rep = rep
    this.#ranges = ranges
    this.#checks = checks
    this.#isWritable = true
    this.#isInBatch = false
    this.valBuf = arena.bytes
    this.valOff = 0
    this.valLen = 0
  }

  #write(type: number, key: Bytes, value: Bytes, given: number | undefined): SequenceNumber {
    // First, so that a table that takes no writes says so whatever the sequence is.
    this.#makeSureOfRoom(key.length, type === ValueType.DELETION ? 0 : value.length)
    this.#begin()
    checkComparable(this.comparator, key, 0, key.length)
    const { largest } = this.#counters
    const sequence = checkedSequence(given === undefined ? largest + 1 : given, 1)
    if (sequence <= largest && this.#holdsSequence(key, sequence))
      throw new InvalidArgumentError(`the key has a version of sequence ${sequence} or later`)
    this.add(sequence, type, key, 0, key.length, value, 0, value.length)
    this.publish()
    return sequence
  }

  /** Whether the table has a version of the key that is not older; a range tombstone may be newer. */
  #holdsSequence(key: Bytes, sequence: number): boolean {
    const version = this.#rep.find(key, 0, key.length, MAX_TAG_LOW, MAX_TAG_HIGH, NO_LIMIT)
    const { words } = this.#arena
    return version !== 0 && tagSequence(versionTagLow(words, version), versionTagHigh(words, version)) >= sequence
  }

  #makeSureOfRoom(keyLen: number, valLen: number): void {
    this.#makeSureOfWritable()
    const bytes = this.#rep.overheadBytesMax + keyLen + valLen
    if (bytes > this.#arena.freeBytes) throw new MemTableFullError(bytes, this.#arena.freeBytes)
    if (keyLen > KEY_BYTES_MAX)
      throw new InvalidArgumentError(`key of ${keyLen} bytes exceeds the MemTable's limit of ${KEY_BYTES_MAX}`)
  }

  #makeSureOfWritable(): void {
    if (this.#isWritable) return
    throw new InvalidArgumentError(this.#isOwner ? 'the MemTable is frozen' : 'an attached MemTable is read-only')
  }

  protected override newest(): NewestEntries {
    const limit = this.limit()
    return new NewestEntries(this.#rep.iterator(limit), this.#ranges, limit, this.#arena)
  }

  protected override index(): MemTableRep {
    return this.#rep
  }

  protected override ranges(): RangeTombstones {
    return this.#ranges
  }

  /** Before a call writes: what is published is then what was written before it. */
  #begin(): void {
    this.#makeSureOfWritable()
    if (this.#arena.isTorn && !this.#takeBack())
      throw new ReadOnlyError('a call that wrote to this MemTable did not come to its end: it takes no more writes')
    this.#isInBatch = false
    this.publish()
  }

  /** After a call that was cut off: without what it has left. @returns whether nothing is left */
  #takeBack(): boolean {
    if (this.#isInBatch) this.#counters = this.#countersBefore
    if (!this.#rep.takeBack(this.#counters.largest as SequenceNumber)) return false
    this.#isInBatch = false
    this.#arena.isTorn = false
    return true
  }

  protected override limit(): number {
    return this.#isOwner && (!this.#arena.isTorn || this.#takeBack()) ? NO_LIMIT : this.#arena.watermark()
  }

  protected override counted(): TableCounters {
    if (!this.#isOwner) this.#counters.read(this.#arena)
    else if (!this.#arena.isTorn || this.#takeBack()) this.#rep.settle(this.#counters)
    return this.#counters
  }
}

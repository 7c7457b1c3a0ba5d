/**
 * The entries that a MemTable's flush writes. Without range tombstones they are the MemTable's own. A table cannot hold range
 * tombstones, so they become tombstones of single keys, for exactly the keys that exist (docs/rfcs/0006):
 *
 * Rule        Of a key take all versions of the MemTable, and the newest entry of the tables below. Each that is a value,
 *             and is followed by a covering range tombstone before the key's next newer version, is deleted at the sequence
 *             of the oldest such range tombstone.
 * Invariants  (1) a reader at any sequence finds the same keys and values as with the range tombstones
 *             (2) entries come in ascending internal-key order: the tombstone right before the version that it deletes
 */
import { EMPTY, viewOf } from '../base/bytes.ts'
import type { Comparator } from '../base/comparator.ts'
import { tagHigh, tagLow, tagSequence, tagType } from '../base/internal-key.ts'
import type { InternalIterator } from '../base/iterator.ts'
import { KeyCopy } from '../base/key-copy.ts'
import { MAX_SEQUENCE, type SequenceNumber } from '../base/types.ts'
import * as ValueType from '../base/value-type.ts'
import type { MemTable } from '../memtable/memtable.ts'
import type { EntrySink } from '../table/entry-sink.ts'
import type { CoveredKeys } from './covered-keys.ts'
import { EntryOrder } from './entry-order.ts'

export class FlushEntries {
  /** Entries of the MemTable that have been handed over. */
  ownCount = 0
  /** Tombstones that stand for range tombstones. */
  expandedCount = 0

  readonly #memtable: MemTable
  readonly #below: CoveredKeys | undefined
  readonly #comparator: Comparator
  readonly #sink: EntrySink
  readonly #entries: InternalIterator
  readonly #order: EntryOrder
  readonly #hasRanges: boolean
  /** Of the memory in which all values lie. It is shared: they are copied by words. */
  readonly #view: DataView
  /** The key whose versions are being written. */
  readonly #key: KeyCopy = new KeyCopy()

  /** @param below started; undefined if no range tombstone covers a key of a table */
  constructor(memtable: MemTable, below: CoveredKeys | undefined, comparator: Comparator, sink: EntrySink) {
    this.#memtable = memtable
    this.#below = below
    this.#comparator = comparator
    this.#sink = sink
    this.#entries = memtable.iterator()
    this.#order = new EntryOrder(comparator)
    this.#hasRanges = memtable.rangeTombstoneCount > 0
    this.#view = viewOf(this.#entries.valBuf)
  }

  /** Hand all entries to the sink. @throws CorruptionError if the MemTable's are not in order */
  write(): void {
    const entries = this.#entries
    entries.seekToFirst()
    if (!this.#hasRanges) {
      for (; entries.valid; entries.next()) this.#writeOwn(true)
      return
    }
    const below = this.#below
    while (entries.valid) {
      const order = below?.valid ? this.#compareWith(below.key) : -1
      if (order > 0) this.#writeBelow()
      else this.#writeVersions(order === 0)
    }
    while (below?.valid) this.#writeBelow()
  }

  /** All versions of the key that the MemTable's iterator is at. @param isBelow whether a table has a value of it */
  #writeVersions(isBelow: boolean): void {
    const entries = this.#entries
    this.#key.take(entries.keyBuf, entries.keyOff, entries.keyLen)
    let newer: number = MAX_SEQUENCE + 1
    while (entries.valid && this.#compareWith(this.#key) === 0) {
      const sequence = tagSequence(entries.tagLow, entries.tagHigh)
      if (tagType(entries.tagLow) === ValueType.VALUE) this.#expand(this.#key, sequence, newer)
      this.#writeOwn(false)
      newer = sequence
      entries.next()
    }
    if (!isBelow) return
    this.#expand(this.#key, 0, newer)
    this.#below?.next()
  }

  /** The key that only the tables have. */
  #writeBelow(): void {
    const below = this.#below as CoveredKeys
    this.#expand(below.key, 0, MAX_SEQUENCE + 1)
    below.next()
  }

  /** Delete the version of the key at `sequence`, if a range tombstone does so before the version at `newer`. */
  #expand({ bytes, length }: KeyCopy, sequence: number, newer: number): void {
    const covering = this.#memtable.coverAfter(bytes, 0, length, sequence, (newer - 1) as SequenceNumber)
    if (covering === 0) return
    this.expandedCount++
    this.#sink.add(bytes, 0, length, tagLow(covering, ValueType.DELETION), tagHigh(covering), EMPTY, 0, 0)
  }

  /** @param isNext whether the entry written before it is the MemTable's, too */
  #writeOwn(isNext: boolean): void {
    const e = this.#entries
    const common = this.#order.check(e)
    this.ownCount++
    const known = isNext ? common : 0
    this.#sink.add(e.keyBuf, e.keyOff, e.keyLen, e.tagLow, e.tagHigh, e.valBuf, e.valOff, e.valLen, known, this.#view)
  }

  #compareWith({ bytes, length }: KeyCopy): number {
    const e = this.#entries
    return this.#comparator.compare(e.keyBuf, e.keyOff, e.keyLen, bytes, 0, length)
  }
}

/**
 * TableBuilder: writes one table, entry by entry in ascending internal-key order, in one sequential pass. For the same
 * entries and options its file is byte-identical to LevelDB's (compression none; snappy, for builds with Snappy 1.1.8 or before).
 *
 * Rules    A data block ends with the entry that makes it at least `blockBytes` long. Its index entry waits for the next
 *          entry, so that the separator can be short. The filter covers user keys, of every version.
 * Source   google/leveldb table/table_builder.cc
 */
import { assert } from '../base/assert.ts'
import { EMPTY } from '../base/bytes.ts'
import { getFixed32 } from '../base/coding.ts'
import { bytewiseComparator, type Comparator } from '../base/comparator.ts'
import type { WritableFile } from '../base/environment.ts'
import { compareTags, TAG_BYTES, tagSequence, tagType } from '../base/internal-key.ts'
import { type Bytes, type SequenceNumber, sequenceNumber } from '../base/types.ts'
import * as ValueType from '../base/value-type.ts'
import { BlockBuilder } from './block-builder.ts'
import { BlockWriter } from './block-writer.ts'
import type { Compressor } from './compression.ts'
import type { EntrySink } from './entry-sink.ts'
import { FilterBlockBuilder } from './filter-block.ts'
import type { FilterPolicy } from './filter-policy.ts'
import { shortestSeparator, shortSuccessor } from './index-key.ts'
import { filterKey } from './metaindex.ts'
import { type BlockHandle, encodeFooter, MAX_HANDLE_BYTES, putHandle } from './table-format.ts'

export interface TableOptions {
  readonly comparator: Comparator
  /** Least length of a data block but the last; LevelDB's default is 4096. */
  readonly blockBytes: number
  /** Entries between keys that are stored whole; LevelDB's default is 16. */
  readonly restartInterval: number
  readonly filterPolicy: FilterPolicy | undefined
  /** For all blocks but the filter. Without one they are stored as they are. */
  readonly compressor?: Compressor | undefined
}

const ASCENDING = 'entries of a table ascend strictly'
/** Every separator is stored whole, so that a search need not rebuild it. */
const INDEX_RESTART_INTERVAL = 1

export class TableBuilder implements EntrySink {
  entryCount: number
  /** First entry, as an encoded internal key; empty before the first add. */
  smallest: Uint8Array<ArrayBuffer>

  readonly #options: TableOptions
  readonly #isBytewise: boolean
  readonly #writer: BlockWriter
  readonly #data: BlockBuilder
  readonly #index: BlockBuilder
  readonly #filter: FilterBlockBuilder | undefined
  /** The data block that waits for its index entry. */
  #pending: BlockHandle | undefined
  readonly #handle: Uint8Array
  #isFinished: boolean
  #tombstones: number
  #superseded: number
  #newestTombstone: SequenceNumber

  /** @param file empty; stays open, and its caller's, also when an append throws */
  constructor(file: WritableFile, options: TableOptions) {
    assert(options.blockBytes > 0 && options.restartInterval > 0, 'block size and restart interval are positive')
    this.entryCount = 0
    this.smallest = EMPTY
    this.#options = options
    this.#isBytewise = options.comparator === bytewiseComparator
    this.#writer = new BlockWriter(file, options.compressor)
    this.#data = new BlockBuilder(options.restartInterval, options.blockBytes)
    this.#index = new BlockBuilder(INDEX_RESTART_INTERVAL, options.blockBytes)
    this.#filter = options.filterPolicy === undefined ? undefined : new FilterBlockBuilder(options.filterPolicy)
    this.#pending = undefined
    this.#handle = new Uint8Array(MAX_HANDLE_BYTES)
    this.#isFinished = false
    this.#tombstones = 0
    this.#superseded = 0
    this.#newestTombstone = sequenceNumber(0)
  }

  /** Bytes of the file so far, in finished blocks; after finish, all of it. */
  get fileBytes(): number {
    return this.#writer.offset
  }

  /** How many entries there are so far, and of what kind. */
  get statistics(): {
    readonly entries: number
    readonly tombstones: number
    readonly superseded: number
    readonly newestTombstone: SequenceNumber
  } {
    return {
      entries: this.entryCount,
      tombstones: this.#tombstones,
      superseded: this.#superseded,
      newestTombstone: this.#newestTombstone,
    }
  }

  /** Last entry, as an encoded internal key; a copy. */
  get largest(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#data.lastKey.subarray(0, this.#data.lastKeyLength))
  }

  /**
   * Add an entry. All bytes are borrowed until return.
   * @param known so many bytes the user key has in common with the one before, or more; of no account for the first entry
   * @param view of `value`, if it is to be copied by words
   * @requires the internal key sorts after the one before; not finished
   * @throws IOError if the file cannot be written; the builder is then of no use
   */
  add(
    key: Bytes,
    keyOff: number,
    keyLen: number,
    tagLow: number,
    tagHigh: number,
    value: Bytes,
    valOff: number,
    valLen: number,
    known: number = 0,
    view: DataView | undefined = undefined,
  ): void {
    assert(!this.#isFinished, 'a finished table takes no entries')
    const data = this.#data
    const lastLength = data.lastKeyLength
    const common = this.#commonWithLast(key, keyOff, keyLen, tagLow, tagHigh, known)
    if (this.#pending !== undefined) this.#addSeparator(this.#pending, key.subarray(keyOff, keyOff + keyLen))
    this.#filter?.addKey(key, keyOff, keyLen)
    data.addEntry(key, keyOff, keyLen, tagLow, tagHigh, common, value, valOff, valLen, view)
    if (this.entryCount === 0) this.smallest = this.largest
    else if (common >= keyLen && lastLength === keyLen + TAG_BYTES) this.#superseded++
    this.entryCount++
    if (tagType(tagLow) === ValueType.DELETION) this.#countTombstone(tagSequence(tagLow, tagHigh))
    if (data.finishedBytes >= this.#options.blockBytes) this.#finishDataBlock()
  }

  /** Write what is left of the table, footer included. Does not sync or close the file. */
  finish(): void {
    assert(!this.#isFinished, 'a table is finished once')
    this.#isFinished = true
    if (!this.#data.isEmpty) this.#finishDataBlock()
    const metaindex = this.#writeMetaindex()
    if (this.#pending !== undefined) {
      this.#addToIndex(shortSuccessor(this.#options.comparator, this.largest), this.#pending)
    }
    const index = this.#writer.writeBlock(this.#index.finish())
    this.#writer.write(encodeFooter({ metaindex, index }))
    this.#writer.flush()
  }

  #countTombstone(sequence: SequenceNumber): void {
    this.#tombstones++
    if (sequence > this.#newestTombstone) this.#newestTombstone = sequence
  }

  /** How many bytes the internal key has in common with the last one, after which it has to come. */
  #commonWithLast(key: Bytes, keyOff: number, keyLen: number, tagLow: number, tagHigh: number, known: number): number {
    const { lastKey, lastKeyLength } = this.#data
    if (lastKeyLength === 0) return 0
    const lastLen = lastKeyLength - TAG_BYTES
    const limit = keyLen < lastLen ? keyLen : lastLen
    let common = known
    while (common < limit && key[keyOff + common] === lastKey[common]) common++
    if (common < limit && this.#isBytewise) {
      assert(lastKey[common] < key[keyOff + common], ASCENDING)
      return common
    }
    const order = this.#options.comparator.compare(lastKey, 0, lastLen, key, keyOff, keyLen)
    const low = getFixed32(lastKey, lastLen)
    const high = getFixed32(lastKey, lastLen + 4)
    assert(order < 0 || (order === 0 && compareTags(low, high, tagLow, tagHigh) < 0), ASCENDING)
    if (common < limit) return common
    // One is the beginning of the other: what follows in the shorter one is its tag.
    const end = Math.min(keyLen + TAG_BYTES, lastKeyLength)
    for (; common < end; common++) {
      const byte = common < keyLen ? key[keyOff + common] : tagByte(tagLow, tagHigh, common - keyLen)
      if (byte !== lastKey[common]) break
    }
    return common
  }

  #finishDataBlock(): void {
    this.#pending = this.#writer.writeBlock(this.#data.finish())
    this.#data.reset()
    this.#filter?.startBlock(this.#writer.offset)
  }

  /** @param next the user key that follows */
  #addSeparator(pending: BlockHandle, next: Bytes): void {
    const last = this.#data.lastKey.subarray(0, this.#data.lastKeyLength)
    this.#addToIndex(shortestSeparator(this.#options.comparator, last, next), pending)
    this.#pending = undefined
  }

  #addToIndex(separator: Bytes, handle: BlockHandle): void {
    this.#index.add(separator, separator.length, this.#handle, 0, putHandle(this.#handle, 0, handle))
  }

  /** Write the filter block, if there is one, and the metaindex block that names it. */
  #writeMetaindex(): BlockHandle {
    const { filterPolicy, restartInterval, blockBytes } = this.#options
    const metaindex = new BlockBuilder(restartInterval, blockBytes)
    if (this.#filter !== undefined && filterPolicy !== undefined) {
      const handle = this.#writer.writeUncompressed(this.#filter.finish())
      const key = filterKey(filterPolicy)
      metaindex.add(key, key.length, this.#handle, 0, putHandle(this.#handle, 0, handle))
    }
    return this.#writer.writeBlock(metaindex.finish())
  }
}

/** Byte `at` of a tag as it is stored. */
function tagByte(low: number, high: number, at: number): number {
  return ((at < 4 ? low : high) >>> (8 * (at & 3))) & 0xff
}

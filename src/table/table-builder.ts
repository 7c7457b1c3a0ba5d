/**
 * TableBuilder: writes one table, entry by entry in ascending internal-key order, in one sequential pass. For the same
 * entries and options its file is byte-identical to LevelDB's (compression none; snappy, for builds with Snappy 1.1.8 or before).
 *
 * Rules    A data block ends with the entry that makes it at least `blockBytes` long. Its index entry waits for the next
 *          entry, so that the separator can be short. The filter covers user keys, of every version.
 * Source   google/leveldb table/table_builder.cc
 */
import { assert } from '../base/assert.ts'
import { commonPrefixLength, copyBytes, EMPTY } from '../base/bytes.ts'
import { getFixed32, putFixed32 } from '../base/coding.ts'
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

const FIRST_KEY_BYTES = 64
/** Every separator is stored whole, so that a search need not rebuild it. */
const INDEX_RESTART_INTERVAL = 1

export class TableBuilder implements EntrySink {
  entryCount: number
  /** First entry, as an encoded internal key; empty before the first add. */
  smallest: Uint8Array<ArrayBuffer>

  readonly #options: TableOptions
  readonly #writer: BlockWriter
  readonly #data: BlockBuilder
  readonly #index: BlockBuilder
  readonly #filter: FilterBlockBuilder | undefined
  /** The encoded internal key being added. */
  #key: Uint8Array<ArrayBuffer>
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
    this.#writer = new BlockWriter(file, options.compressor)
    this.#data = new BlockBuilder(options.restartInterval, options.blockBytes)
    this.#index = new BlockBuilder(INDEX_RESTART_INTERVAL, options.blockBytes)
    this.#filter = options.filterPolicy === undefined ? undefined : new FilterBlockBuilder(options.filterPolicy)
    this.#key = new Uint8Array(FIRST_KEY_BYTES)
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
  ): void {
    assert(!this.#isFinished, 'a finished table takes no entries')
    const encoded = this.#encodeKey(key, keyOff, keyLen, tagLow, tagHigh)
    const length = keyLen + TAG_BYTES
    const { lastKey, lastKeyLength } = this.#data
    const common = commonPrefixLength(encoded, 0, length, lastKey, 0, lastKeyLength)
    if (this.entryCount === 0) this.smallest = encoded.slice(0, length)
    else assert(this.#isAscending(encoded, keyLen, common, tagLow, tagHigh), 'entries of a table ascend strictly')
    if (this.#pending !== undefined) this.#addSeparator(this.#pending, encoded.subarray(0, length))
    this.#filter?.addKey(encoded, 0, keyLen)
    this.#data.addSharing(encoded, length, common, value, valOff, valLen)
    if (common >= keyLen && lastKeyLength === length && this.entryCount > 0) this.#superseded++
    this.entryCount++
    if (tagType(tagLow) === ValueType.DELETION) this.#countTombstone(tagSequence(tagLow, tagHigh))
    if (this.#data.finishedBytes >= this.#options.blockBytes) this.#finishDataBlock()
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

  #encodeKey(key: Bytes, keyOff: number, keyLen: number, tagLow: number, tagHigh: number): Uint8Array<ArrayBuffer> {
    if (keyLen + TAG_BYTES > this.#key.length) this.#key = new Uint8Array((keyLen + TAG_BYTES) * 2)
    const encoded = this.#key
    copyBytes(key, keyOff, encoded, 0, keyLen)
    putFixed32(encoded, keyLen, tagLow)
    putFixed32(encoded, keyLen + 4, tagHigh)
    return encoded
  }

  /** @param common leading bytes that the encoded key shares with the last one, which decide the order of bytes */
  #isAscending(encoded: Bytes, keyLen: number, common: number, tagLow: number, tagHigh: number): boolean {
    const last = this.#data.lastKey
    const lastLen = this.#data.lastKeyLength - TAG_BYTES
    const { comparator } = this.#options
    if (comparator === bytewiseComparator && common < lastLen && common < keyLen) return last[common] < encoded[common]
    const order = comparator.compare(last, 0, lastLen, encoded, 0, keyLen)
    if (order !== 0) return order < 0
    return compareTags(getFixed32(last, lastLen), getFixed32(last, lastLen + 4), tagLow, tagHigh) < 0
  }

  #finishDataBlock(): void {
    this.#pending = this.#writer.writeBlock(this.#data.finish())
    this.#data.reset()
    this.#filter?.startBlock(this.#writer.offset)
  }

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

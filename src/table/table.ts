/**
 * Table: one open table file, for lookups and iteration. What lies in it is immutable.
 *
 * Memory   the decoded index and the filter stay as long as the table is open: `memoryBytes`. Data blocks are read when
 *          needed, verified, and kept in the BlockStore, if there is one, until the table is closed, and by whoever is using
 *          them; a table itself holds on to none.
 * Opening  one read, of the file's end, unless index or filter are unusually large (table-tail.ts); none if somebody has done that before,
 *          and handed on what it yields (table-outline.ts). If whoever opens it wishes so, it is not decoded before it is worth it (table-sketch.ts).
 * Checked  Footer layout, and every block's checksum whenever it is read from the file. A damaged filter only costs speed:
 *          it is left out, and `filterIsDamaged` says so. All other damage is a CorruptionError.
 * Threads  a table belongs to one thread; several threads open the same file each for themselves
 * Source   google/leveldb table/table.cc
 */
import { EMPTY } from '../base/bytes.ts'
import { bytewiseComparator, type Comparator } from '../base/comparator.ts'
import type { Codecs, RandomAccessFile } from '../base/environment.ts'
import { MAX_TAG_HIGH, MAX_TAG_LOW, TAG_BYTES, tagHigh, tagLow } from '../base/internal-key.ts'
import * as Lookup from '../base/lookup.ts'
import type { Bytes, FileNumber, SequenceNumber } from '../base/types.ts'
import * as ValueType from '../base/value-type.ts'
import type { Block } from './block.ts'
import { BlockCursor } from './block-cursor.ts'
import { BlockMemory } from './block-memory.ts'
import { readDataBlock } from './block-reader.ts'
import type { BlockStore, Shelf } from './block-store.ts'
import { BloomFilter } from './bloom-filter.ts'
import { BlockFilters } from './filter-block.ts'
import type { FilterPolicy } from './filter-policy.ts'
import { LookupCursor } from './lookup-cursor.ts'
import { SequentialBlocks } from './sequential-blocks.ts'
import type { BlockHandle } from './table-format.ts'
import { TableIndex } from './table-index.ts'
import { TableIterator } from './table-iterator.ts'
import { type OutlineOptions, outlineBytes, readSketch, type TableOutline } from './table-outline.ts'
import type { TablePlace } from './table-place.ts'
import { DOUBTFUL, TableSketch } from './table-sketch.ts'

/** Filters of the policy are asked before a block is read. */
export interface TableReadOptions extends OutlineOptions {
  readonly blockCache: BlockStore | undefined
  /** Where the memory of data blocks is from: the block cache's, if there is one. A table that is given none has its own. */
  readonly memory?: BlockMemory
  /** Shared by the tables of a database; a table that is given none has its own. */
  readonly lookups?: LookupCursor
  /** Decode index and filter only once lookups have been many, or something else is asked for, which may then throw what `open` would have. */
  readonly isDecodedLate?: boolean
}

/** What is in some data blocks of a table. */
export interface TableCount {
  readonly blocks: number
  readonly entries: number
  readonly tombstones: number
  /** The block to go on with; past the last one if there is none. */
  readonly next: number
}

/**
 * After as many lookups in a row that found their key, the next is taken to find its own: its block, if it is here, is asked without the
 * filter, which would be one more place in memory to wait for. Of keys of which half are missing, one in 256 finds out the hard way.
 */
const TRUSTED_IN_ROW = 8

export class Table {
  readonly file: RandomAccessFile
  readonly number: FileNumber
  /** The table has a filter that cannot be used, and is read without. */
  readonly filterIsDamaged: boolean
  /** Bytes of memory that the open table takes. */
  readonly memoryBytes: number
  readonly #comparator: Comparator
  readonly #store: BlockStore | undefined
  readonly #memory: BlockMemory
  readonly #codecs: Codecs | undefined
  /** What the store keeps of this table. */
  #shelf: Shelf
  /** Unless it is NO_SKETCH, nothing is in the index, and there are no filters; so many lookups may follow until it is decoded. */
  #sketch: TableSketch
  #lookupsLeft: number
  #index: TableIndex
  #filters: BlockFilters | undefined
  /** How many lookups one after another have found their key, up to TRUSTED_IN_ROW. */
  #foundInRow: number
  readonly #filterPolicy: FilterPolicy | undefined
  readonly #metaindexOffset: number
  readonly #lookups: LookupCursor

  private constructor(
    file: RandomAccessFile,
    number: FileNumber,
    options: TableReadOptions,
    source: TableOutline | TableSketch,
  ) {
    this.file = file
    this.number = number
    this.filterIsDamaged = source.filterIsDamaged
    this.#comparator = options.comparator
    this.#store = options.blockCache
    this.#memory = options.memory ?? new BlockMemory()
    this.#codecs = options.codecs
    const isSketch = source instanceof TableSketch
    const sketch = isSketch ? source : NO_SKETCH
    const outline = isSketch ? NO_OUTLINE : source
    const count = isSketch ? source.count : source.index.count
    this.#shelf = newShelf(count)
    this.#sketch = sketch
    this.#lookupsLeft = sketch.lookupsMax
    this.#filterPolicy = options.filterPolicy
    this.#index = new TableIndex(options.comparator, outline.index)
    this.#filters = newFilters(options.filterPolicy, outline)
    this.#foundInRow = 0
    this.#metaindexOffset = source.metaindexOffset
    this.#lookups = options.lookups ?? new LookupCursor(options.comparator, this.#memory)
    this.memoryBytes = OVERHEAD_BYTES + 8 * count + (isSketch ? source.outlineBytesMax : outlineBytes(source))
  }

  /**
   * Open a table: reads and verifies its footer, index, metaindex and filter.
   * @param file becomes the table's, which closes it; but stays the caller's if this throws
   * @param outline if it has been read before, of the same file and by the same options: nothing is read then
   * @throws CorruptionError if it is damaged or no table, NotSupportedError if it is compressed, IOError
   */
  static open(file: RandomAccessFile, number: FileNumber, options: TableReadOptions, outline?: TableOutline): Table {
    if (outline !== undefined) return new Table(file, number, options, outline)
    const isKept = options.isDecodedLate === true
    const sketch = readSketch(file, options, isKept)
    return new Table(file, number, options, isKept && sketch.lookupsMax > 0 ? sketch : sketch.outline())
  }

  /** A table of nothing, for whoever keeps the code of tables compiled (db/read/idle-scan.ts). */
  static idle(): Table {
    const filterPolicy = new BloomFilter(BITS_A_KEY)
    const options = { comparator: bytewiseComparator, filterPolicy, blockCache: undefined, codecs: undefined }
    const filters = { bytes: EMPTY, spans: NONE }
    const words = { prefix: EMPTY, words: new Float64Array(0), terms: NONE, firsts: NONE, scale: 1 }
    const index = { ...NO_OUTLINE.index, words }
    return new Table(NO_FILE, 0 as FileNumber, options, { ...NO_OUTLINE, index, filters })
  }

  /** The value found by the last lookup is valBuf[valOff, valOff + valLen); borrowed until the next lookup in any table. */
  get valBuf(): Bytes {
    return this.#lookups.valBuf
  }

  get valOff(): number {
    return this.#lookups.valOff
  }

  get valLen(): number {
    return this.#lookups.valLen
  }

  /**
   * The newest entry of a user key at or below a sequence number. Keys asked in ascending order read each block once.
   * @returns Lookup.FOUND, with the value in valBuf, valOff, valLen; Lookup.DELETED; or Lookup.ABSENT
   * @throws CorruptionError, NotSupportedError, IOError
   */
  lookup(key: Bytes, keyOff: number, keyLen: number, sequence: SequenceNumber): number {
    const low = tagLow(sequence, ValueType.VALUE)
    const high = tagHigh(sequence)
    if (this.#sketch !== NO_SKETCH) {
      const answer = this.#lookupEarly(this.#sketch, key, keyOff, keyLen, low, high)
      if (answer !== DOUBTFUL) return answer
      this.#decode()
    }
    const index = this.#index
    const at = index.find(key, keyOff, keyLen, low, high)
    if (at === index.count) return Lookup.ABSENT
    if (this.#isRuledOut(at, key, keyOff, keyLen)) return this.#missed()
    const lookups = this.#lookups
    if (lookups.owner !== this || lookups.at !== at) lookups.enter(this, at, this.#block(at, undefined))
    // If the block has no such entry, then neither has the next one: the separator between them is ≥ the key sought.
    const answer = lookups.find(key, keyOff, keyLen, low, high)
    if (answer === Lookup.ABSENT) return this.#missed()
    if (this.#foundInRow < TRUSTED_IN_ROW) this.#foundInRow++
    return answer
  }

  /** A lookup while nothing is decoded. @returns DOUBTFUL if it takes that */
  #lookupEarly(sketch: TableSketch, key: Bytes, keyOff: number, keyLen: number, low: number, high: number): number {
    if (this.#lookupsLeft === 0) return DOUBTFUL
    this.#lookupsLeft--
    const at = sketch.find(key, keyOff, keyLen, low, high)
    if (at === DOUBTFUL) return DOUBTFUL
    if (at === sketch.count || !sketch.keyMayMatch(key, keyOff, keyLen)) return Lookup.ABSENT
    const lookups = this.#lookups
    if (lookups.owner !== this || lookups.at !== at) lookups.enter(this, at, this.#block(at, sketch.handle))
    return lookups.find(key, keyOff, keyLen, low, high)
  }

  /** @throws CorruptionError if what there is a sketch of is damaged; then every later call does, too */
  #decode(): void {
    const sketch = this.#sketch
    if (sketch === NO_SKETCH) return
    this.#lookupsLeft = 0
    const outline = sketch.outline()
    const { count } = outline.index
    if (count !== sketch.count) {
      // Blocks have other numbers from here on.
      if (this.#lookups.owner === this) this.#lookups.leave()
      this.#store?.drop(this.#shelf)
      this.#shelf = newShelf(count)
    }
    this.#index = new TableIndex(this.#comparator, outline.index)
    this.#filters = newFilters(this.#filterPolicy, outline)
    this.#sketch = NO_SKETCH
  }

  /** Whether a filter says that data block `at` lacks the key. Of a block that is here it is not asked while lookups find what they seek. */
  #isRuledOut(at: number, key: Bytes, keyOff: number, keyLen: number): boolean {
    const filters = this.#filters
    if (filters === undefined) return false
    if (this.#foundInRow === TRUSTED_IN_ROW && this.#shelf[at] !== undefined) return false
    return !filters.keyMayMatch(at, key, keyOff, keyLen)
  }

  #missed(): number {
    this.#foundInRow = 0
    return Lookup.ABSENT
  }

  /** An iterator over all entries; of no use once the table is closed. @throws CorruptionError if index or filter are decoded now */
  iterator(): TableIterator {
    this.#decode()
    return new TableIterator(this.#comparator, this.#index, this.#blocks(false))
  }

  /** The data blocks, for whoever is going to read all of them, from the first on, past the block cache. */
  blocks(): SequentialBlocks {
    this.#decode()
    return this.#blocks(true)
  }

  #blocks(readsAll: boolean): SequentialBlocks {
    return new SequentialBlocks(
      this.file,
      this.number,
      this.#index,
      this.#codecs,
      this.#memory,
      readsAll ? undefined : this.#store,
      this.#shelf,
      readsAll,
    )
  }

  /** Number of data blocks. */
  get blockCount(): number {
    this.#decode()
    return this.#index.count
  }

  /**
   * Count what is in the data blocks `first`, `first + step` and so on, until so many bytes of the file have been read.
   * @throws CorruptionError, NotSupportedError, IOError
   */
  count(first: number, step: number, bytesMax: number): TableCount {
    this.#decode()
    const index = this.#index
    const cursor = new BlockCursor()
    const count = { blocks: 0, entries: 0, tombstones: 0, next: first }
    for (let bytes = 0; count.next < index.count && bytes < bytesMax; count.next += step) {
      const block = readDataBlock(this.file, index.handle(count.next), this.#codecs, this.#memory)
      bytes += index.end(count.next) - index.offset(count.next)
      cursor.reset(block)
      while (!cursor.isAtEnd) {
        cursor.advance()
        count.entries++
        if (cursor.key[cursor.keyLength - TAG_BYTES] === ValueType.DELETION) count.tombstones++
      }
      count.blocks++
    }
    return count
  }

  /** Where a lookup looks for a user key; undefined if the key is after all entries. @throws CorruptionError, if index or filter are decoded now */
  place(key: Bytes, keyOff: number, keyLen: number, sequence: SequenceNumber): TablePlace | undefined {
    this.#decode()
    const index = this.#index
    const at = index.find(key, keyOff, keyLen, tagLow(sequence, ValueType.VALUE), tagHigh(sequence))
    if (at === index.count) return undefined
    const { offset, bytes } = index.handle(at)
    const mayMatch = this.#filters?.keyMayMatch(at, key, keyOff, keyLen)
    const isRuledOut = mayMatch === undefined ? undefined : !mayMatch
    return { offset, bytes, isCached: this.#shelf[at] !== undefined, isRuledOut }
  }

  /** About how many bytes of the file come before a user key; the end of the data blocks if it is after all entries. */
  approximateOffset(key: Bytes, keyOff: number, keyLen: number): number {
    this.#decode()
    const at = this.#index.find(key, keyOff, keyLen, MAX_TAG_LOW, MAX_TAG_HIGH)
    return at === this.#index.count ? this.#metaindexOffset : this.#index.offset(at)
  }

  /** Close the file. No lookup or move may follow. */
  close(): void {
    if (this.#lookups.owner === this) this.#lookups.leave()
    this.#store?.drop(this.#shelf)
    this.file.close()
  }

  /** @param handle if the index does not know it yet */
  #block(at: number, handle: BlockHandle | undefined): Block {
    const store = this.#store
    const kept = store?.get(this.#shelf, at)
    if (kept !== undefined) return kept
    const block = readDataBlock(this.file, handle ?? this.#index.handle(at), this.#codecs, this.#memory)
    if (store?.admits(this.number, at)) store.put(this.#shelf, at, block)
    return block
  }
}

const NO_FILE: RandomAccessFile = { path: '', bytes: 0, read() {}, close() {} }
const BITS_A_KEY = 10
const NONE = new Int32Array(0)

/** Of a table that is not decoded yet. */
const NO_OUTLINE: TableOutline = {
  metaindexOffset: 0,
  index: {
    count: 0,
    keys: new Uint8Array(0),
    starts: new Int32Array(1),
    offsets: new Float64Array(0),
    lengths: new Uint32Array(0),
    words: undefined,
  },
  filters: undefined,
  filterIsDamaged: false,
}

/** Of one that is; also for the sake of compiled code, of which some has seen a sketch (db/read/idle-scan.ts). */
const NO_SKETCH = new TableSketch(bytewiseComparator, new Uint8Array(0), '', 0, 0, undefined, false)

function newShelf(count: number): Shelf {
  return new Array<undefined>(count).fill(undefined)
}

function newFilters(policy: FilterPolicy | undefined, { filters }: TableOutline): BlockFilters | undefined {
  return policy && filters && new BlockFilters(policy, filters)
}

/** What an open table takes beside index and filter: objects, path, descriptor, places in maps. An estimate. */
const OVERHEAD_BYTES = 2048

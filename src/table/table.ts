/**
 * Table: one open table file, for lookups and iteration. What lies in it is immutable.
 *
 * Memory   the decoded index and the filter stay as long as the table is open; data blocks are read when needed, verified,
 *          and kept in the BlockStore, if there is one, and by whoever is using them.
 * Checked  Footer layout, and every block's checksum whenever it is read from the file. A damaged filter only costs speed:
 *          it is left out, and `filterIsDamaged` says so. All other damage is a CorruptionError.
 * Threads  a table belongs to one thread; several threads open the same file each for themselves
 * Source   google/leveldb table/table.cc
 */
import { EMPTY } from '../base/bytes.ts'
import type { Comparator } from '../base/comparator.ts'
import type { RandomAccessFile } from '../base/environment.ts'
import { CorruptionError } from '../base/errors.ts'
import { MAX_TAG_HIGH, MAX_TAG_LOW, tagHigh, tagLow, tagType } from '../base/internal-key.ts'
import * as Lookup from '../base/lookup.ts'
import type { Bytes, FileNumber, SequenceNumber } from '../base/types.ts'
import * as ValueType from '../base/value-type.ts'
import { Block } from './block.ts'
import { BlockIterator } from './block-iterator.ts'
import { readBlock } from './block-reader.ts'
import type { BlockStore } from './block-store.ts'
import { FilterBlockReader } from './filter-block.ts'
import type { FilterPolicy } from './filter-policy.ts'
import { filterKey, findMetaBlock } from './metaindex.ts'
import { type BlockHandle, readFooter } from './table-format.ts'
import { TableIndex } from './table-index.ts'
import { TableIterator } from './table-iterator.ts'

export interface TableReadOptions {
  readonly comparator: Comparator
  /** Asked before a block is read, if the table has a filter of this policy. */
  readonly filterPolicy: FilterPolicy | undefined
  readonly blockCache: BlockStore | undefined
}

export interface TableIteratorOptions {
  /** Whether blocks that are read are offered to the block cache; true if not given. Compactions say false. */
  readonly fillCache?: boolean
}

export class Table {
  readonly file: RandomAccessFile
  readonly number: FileNumber
  /** The table has a filter that cannot be used, and is read without. */
  readonly filterIsDamaged: boolean
  /** The value found by the last lookup is valBuf[valOff, valOff + valLen); borrowed until the next lookup. */
  valBuf: Bytes
  valOff: number
  valLen: number

  readonly #comparator: Comparator
  readonly #store: BlockStore | undefined
  readonly #index: TableIndex
  readonly #filter: FilterBlockReader | undefined
  readonly #metaindexOffset: number
  /** For lookups. */
  readonly #entries: BlockIterator

  private constructor(file: RandomAccessFile, number: FileNumber, options: TableReadOptions) {
    const footer = readFooter(file)
    const metaindex = new Block(readBlock(file, footer.metaindex), file.path, footer.metaindex.offset)
    const index = new Block(readBlock(file, footer.index), file.path, footer.index.offset)
    const filter = openFilter(file, metaindex, options.filterPolicy)
    this.file = file
    this.number = number
    this.filterIsDamaged = filter === DAMAGED
    this.valBuf = EMPTY
    this.valOff = 0
    this.valLen = 0
    this.#comparator = options.comparator
    this.#store = options.blockCache
    this.#index = new TableIndex(options.comparator, index, footer.metaindex.offset)
    this.#filter = filter === DAMAGED ? undefined : filter
    this.#metaindexOffset = footer.metaindex.offset
    this.#entries = new BlockIterator(options.comparator)
  }

  /**
   * Open a table: reads and verifies its footer, index, metaindex and filter.
   * @param file becomes the table's, which closes it; but stays the caller's if this throws
   * @throws CorruptionError if it is damaged or no table, NotSupportedError if it is compressed, IOError
   */
  static open(file: RandomAccessFile, number: FileNumber, options: TableReadOptions): Table {
    return new Table(file, number, options)
  }

  /**
   * The newest entry of a user key at or below a sequence number.
   * @returns Lookup.FOUND, with the value in valBuf, valOff, valLen; Lookup.DELETED; or Lookup.ABSENT
   * @throws CorruptionError, NotSupportedError, IOError
   */
  lookup(key: Bytes, keyOff: number, keyLen: number, sequence: SequenceNumber): number {
    const low = tagLow(sequence, ValueType.VALUE)
    const high = tagHigh(sequence)
    const at = this.#index.find(key, keyOff, keyLen, low, high)
    if (at === this.#index.count) return Lookup.ABSENT
    const handle = this.#index.handle(at)
    const filter = this.#filter
    if (filter !== undefined && !filter.keyMayMatch(handle.offset, key, keyOff, keyLen)) return Lookup.ABSENT
    const entries = this.#entries
    entries.reset(this.#block(handle, true))
    // If the block has no such entry, then neither has the next one: the separator between them is ≥ the key sought.
    entries.seek(key, keyOff, keyLen, low, high)
    if (!entries.valid) return Lookup.ABSENT
    if (this.#comparator.compare(entries.keyBuf, 0, entries.keyLen, key, keyOff, keyLen) !== 0) return Lookup.ABSENT
    if (tagType(entries.tagLow) === ValueType.DELETION) return Lookup.DELETED
    this.valBuf = entries.valBuf
    this.valOff = entries.valOff
    this.valLen = entries.valLen
    return Lookup.FOUND
  }

  /** An iterator over all entries; of no use once the table is closed. */
  iterator(options: TableIteratorOptions = {}): TableIterator {
    const fillCache = options.fillCache ?? true
    return new TableIterator(this.#comparator, this.#index, (index) =>
      this.#block(this.#index.handle(index), fillCache),
    )
  }

  /** About how many bytes of the file come before a user key; the end of the data blocks if it is after all entries. */
  approximateOffset(key: Bytes, keyOff: number, keyLen: number): number {
    const at = this.#index.find(key, keyOff, keyLen, MAX_TAG_LOW, MAX_TAG_HIGH)
    return at === this.#index.count ? this.#metaindexOffset : this.#index.handle(at).offset
  }

  /** Close the file. No lookup or move may follow. */
  close(): void {
    this.file.close()
  }

  #block(handle: BlockHandle, fillCache: boolean): Block {
    const store = this.#store
    const kept = store?.get(this.number, handle.offset)
    if (kept !== undefined) return kept
    const block = new Block(readBlock(this.file, handle), this.file.path, handle.offset)
    if (fillCache) store?.put(this.number, handle.offset, block)
    return block
  }
}

const DAMAGED = 'damaged'

/** The table's filter of this policy, undefined if it has none. */
function openFilter(
  file: RandomAccessFile,
  metaindex: Block,
  policy: FilterPolicy | undefined,
): FilterBlockReader | typeof DAMAGED | undefined {
  if (policy === undefined) return undefined
  const handle = findMetaBlock(metaindex, filterKey(policy))
  if (handle === undefined) return undefined
  try {
    return FilterBlockReader.parse(policy, readBlock(file, handle)) ?? DAMAGED
  } catch (error) {
    if (error instanceof CorruptionError) return DAMAGED
    throw error
  }
}

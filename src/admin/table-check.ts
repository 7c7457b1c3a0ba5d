/**
 * TableCheck: everything in a table file, read and checked, one block at a time: what an opening or a lookup checks of the parts
 * that it needs, and what only a look at the whole can tell.
 *
 * Checked   size; footer and layout; every block's checksum and restart points; entries well-formed and in strictly ascending
 *           order, within blocks and across them; each separator of the index between its two blocks; no byte outside a block;
 *           the filter says "perhaps" to every key; all keys within the bounds that the MANIFEST gives
 * Findings  damage of one block does not keep the others from being read. A table without usable footer or index is searched
 *           for blocks from its beginning (inspect/find-blocks.ts); of those, data blocks are those whose entries ascend.
 * Entries   go to a visitor, if there is one, in ascending order, from checked blocks alone: what salvaging is made of
 */
import { equalBytes } from '../base/bytes.ts'
import type { Comparator } from '../base/comparator.ts'
import type { RandomAccessFile } from '../base/environment.ts'
import { CorruptionError, IOError, NotSupportedError, type VarveError } from '../base/errors.ts'
import { compareInternalKeys, userKey } from '../base/internal-key.ts'
import type { Bytes } from '../base/types.ts'
import type { Steps } from '../db/copies/long-runs.ts'
import { findBlocks } from '../inspect/find-blocks.ts'
import { Block } from '../table/block.ts'
import { readBlock } from '../table/block-reader.ts'
import { BloomFilter } from '../table/bloom-filter.ts'
import type { EntrySink } from '../table/entry-sink.ts'
import { FilterBlockReader } from '../table/filter-block.ts'
import { filterKey } from '../table/metaindex.ts'
import { type BlockHandle, blockEnd, type Footer, readFooter } from '../table/table-format.ts'
import { readIndex } from '../table/table-index.ts'
import type { AdminContext } from './admin-context.ts'
import { EntryWalk, type TableBounds } from './entry-walk.ts'
import { handlesOf, type NamedHandle, placeOf } from './table-handles.ts'

/** A part of a table that is not what it should be. */
export interface TableFault {
  readonly offset: number
  /** Bytes of the file that are not what they should be. */
  readonly bytes: number
  readonly reason: string
  /** `unreadable`: sound, perhaps, but of a kind that this varve does not read. `stray`: costs nothing but space. */
  readonly kind: 'damage' | 'filter' | 'unreadable' | 'stray'
  /** Whether entries are missing for it. They lie between these user keys; undefined where nothing bounds them. */
  readonly losesEntries: boolean
  readonly from?: Bytes | undefined
  readonly to?: Bytes | undefined
}

/** What is known of a table once it has been gone through. */
export interface TableFacts {
  /** Length of the file. */
  readonly bytes: number
  readonly entries: number
  /** Undefined if there are no entries. */
  readonly bounds: TableBounds | undefined
  readonly lastSequence: number
  readonly faults: readonly TableFault[]
  /** Whether there are entries outside the bounds that were given. */
  readonly isOutOfBounds: boolean
}

// Any number of bits: a reader takes what is stored.
const POLICY = new BloomFilter(10)
const FILTER_KEY = filterKey(POLICY)

export class TableCheck {
  readonly #context: AdminContext
  readonly #name: string
  readonly #file: RandomAccessFile
  readonly #walk: EntryWalk
  readonly #faults: TableFault[] = []

  /** @param name of the file, for the progress */
  constructor(context: AdminContext, name: string, file: RandomAccessFile, visitor?: EntrySink) {
    this.#context = context
    this.#name = name
    this.#file = file
    this.#walk = new EntryWalk(context.options.comparator, visitor)
  }

  /**
   * @param expected what the MANIFEST says
   * @throws what the visitor throws; IOError, but not for a block that cannot be read
   */
  *run(expected?: TableBounds): Steps<TableFacts> {
    const footer = this.#attempt(() => readFooter(this.#file), { offset: 0, bytes: this.#file.bytes })
    const index = footer === undefined ? undefined : this.#index(footer)
    if (footer === undefined || index === undefined) yield* this.#search(footer)
    else yield* this.#indexed(footer, index)
    const { entries, bounds, lastSequence } = this.#walk
    const { comparator } = this.#context.options
    const isOutOfBounds = expected !== undefined && bounds !== undefined && exceeds(comparator, bounds, expected)
    return { bytes: this.#file.bytes, entries, bounds, lastSequence, faults: this.#faults, isOutOfBounds }
  }

  *#indexed(footer: Footer, index: readonly NamedHandle[]): Steps<void> {
    const { metaindex } = footer
    const named = this.#attempt(() => handlesOf(this.#read(metaindex)), metaindex) ?? []
    const filter = this.#filter(named)
    let previous: Bytes | undefined
    for (const { key, handle } of index) {
      this.#dataBlock(handle, previous, key, filter)
      previous = key
      this.#advance(handle.bytes)
      yield
    }
    this.#checkLayout(
      [...index, ...named].map(({ handle }) => handle),
      metaindex.offset,
    )
    this.#advance(this.#file.bytes - metaindex.offset)
  }

  /** What the index says; undefined if it cannot be used. */
  #index({ index, metaindex }: Footer): NamedHandle[] | undefined {
    return this.#attempt(() => {
      const block = this.#read(index)
      // It checks order and layout.
      readIndex(this.#context.options.comparator, block, metaindex.offset)
      return handlesOf(block)
    }, index)
  }

  /** The filter, if there is a sound one of the kind that is known; of the others the checksums are looked at. */
  #filter(named: readonly NamedHandle[]): FilterBlockReader | undefined {
    let filter: FilterBlockReader | undefined
    for (const { key, handle } of named) {
      const isKnown = equalBytes(key, 0, key.length, FILTER_KEY, 0, FILTER_KEY.length)
      const read = (): FilterBlockReader | undefined => {
        const bytes = readBlock(this.#file, handle, this.#context.environment.codecs)
        const reader = isKnown ? FilterBlockReader.parse(POLICY, bytes) : undefined
        if (isKnown && reader === undefined) throw new CorruptionError('the filter is malformed')
        return reader
      }
      filter = this.#attempt(read, handle, 'filter') ?? filter
    }
    return filter
  }

  #dataBlock(handle: BlockHandle, after: Bytes | undefined, upTo: Bytes, filter: FilterBlockReader | undefined): void {
    const { offset } = handle
    const loss = { losesEntries: true, from: after && userKey(after), to: userKey(upTo) }
    const block = this.#attempt(() => this.#read(handle), handle, 'damage', loss)
    if (block === undefined) return
    const reason = this.#walk.walk(block, after, upTo, filter)
    if (reason !== undefined) this.#faults.push({ offset, bytes: handle.bytes, reason, kind: 'damage', ...loss })
    if (!this.#walk.takeFilterMiss()) return
    this.#faults.push({
      offset,
      bytes: 0,
      reason: 'the filter denies a key of this block',
      kind: 'damage',
      losesEntries: false,
    })
  }

  /**
   * Data blocks by their looks: entries that ascend from block to block, and are not all handles of blocks before. Where the
   * footer is sound, they end before the metaindex.
   */
  *#search(footer: Footer | undefined): Steps<void> {
    const found = new Set<string>()
    const dataEnd = footer?.metaindex.offset ?? Number.POSITIVE_INFINITY
    let end = 0
    let isWhole = false
    for (const handle of findBlocks(this.#file)) {
      if (handle.offset >= dataEnd) break
      end = blockEnd(handle)
      this.#advance(end - handle.offset)
      const block = this.#quietly(handle, () => this.#read(handle))
      const targets = block && this.#quietly(handle, () => handlesOf(block))
      const isIndex = targets?.every((target) => found.has(placeOf(target.handle))) === true
      // The last block of a table, and an empty one is the metaindex before it.
      if (targets !== undefined && isIndex) isWhole ||= targets.length > 0
      else if (block !== undefined) this.#foundData(handle, block)
      found.add(placeOf(handle))
      yield
    }
    if (isWhole || end >= dataEnd) return
    const { bounds } = this.#walk
    const loss = { losesEntries: true, from: bounds && userKey(bounds.largest) }
    const reason = 'from here on no block can be told'
    this.#faults.push({ offset: end, bytes: this.#file.bytes - end, reason, kind: 'damage', ...loss })
  }

  #foundData(handle: BlockHandle, block: Block): void {
    const reason = this.#walk.walk(block, undefined, undefined, undefined)
    if (reason !== undefined) this.#faults.push({ ...handle, reason, kind: 'damage', losesEntries: true })
  }

  /** What `read` makes of a block that the search came upon; undefined if it has not the form, as the filter. */
  #quietly<T>(handle: BlockHandle, read: () => T): T | undefined {
    try {
      return read()
    } catch (error) {
      if (error instanceof CorruptionError) return undefined
      if (!(error instanceof NotSupportedError)) throw error
      this.#faults.push({ ...handle, reason: error.message, kind: 'unreadable', losesEntries: true })
      return undefined
    }
  }

  /** Blocks follow one another without gap or overlap, up to the metaindex. */
  #checkLayout(handles: readonly BlockHandle[], dataEnd: number): void {
    let end = 0
    for (const handle of [...handles].sort((a, b) => a.offset - b.offset)) {
      this.#checkGap(end, handle.offset)
      end = blockEnd(handle)
    }
    this.#checkGap(end, dataEnd)
  }

  #checkGap(end: number, next: number): void {
    if (end === next) return
    const isGap = end < next
    const reason = isGap ? 'bytes that belong to no block' : 'blocks that overlap'
    const bytes = Math.abs(next - end)
    this.#faults.push({
      offset: Math.min(end, next),
      bytes,
      reason,
      kind: isGap ? 'stray' : 'damage',
      losesEntries: false,
    })
  }

  #advance(bytes: number): void {
    this.#context.progress.add(this.#name, bytes)
  }

  #read(handle: BlockHandle): Block {
    const bytes = readBlock(this.#file, handle, this.#context.environment.codecs)
    return new Block(bytes, this.#file.path, handle.offset)
  }

  /** What `read` returns, or undefined and a fault at `place`. */
  #attempt<T>(
    read: () => T,
    { offset, bytes }: BlockHandle,
    kind: TableFault['kind'] = 'damage',
    loss: Pick<TableFault, 'losesEntries' | 'from' | 'to'> = { losesEntries: false },
  ): T | undefined {
    try {
      return read()
    } catch (error) {
      if (error instanceof NotSupportedError) {
        this.#faults.push({ offset, bytes, reason: error.message, kind: 'unreadable', ...loss })
      } else if (error instanceof CorruptionError || error instanceof IOError) {
        // What a disk cannot read is damaged as well.
        const from = error.offset ?? offset
        this.#faults.push({ offset: from, bytes: offset + bytes - from, reason: plainMessage(error), kind, ...loss })
      } else {
        throw error
      }
      return undefined
    }
  }
}

function exceeds(comparator: Comparator, inner: TableBounds, outer: TableBounds): boolean {
  return (
    compareInternalKeys(comparator, inner.smallest, outer.smallest) < 0 ||
    compareInternalKeys(comparator, inner.largest, outer.largest) > 0
  )
}

/** The message without the place, which a report gives in fields of its own. */
export function plainMessage({ message, file }: VarveError): string {
  const place = file === undefined ? -1 : message.lastIndexOf(` (${file}`)
  return place < 0 ? message : message.slice(0, place)
}

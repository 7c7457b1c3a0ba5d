/**
 * TableOutline: what opening a table reads of it: index and filter, decoded and checked. Plain data: it crosses threads, so that a table
 * can be opened by whoever wrote it, and only its file is left to be opened by whoever reads it (jobs/written-tables.ts).
 *
 * Checked  as Table says, when it is read; not again by whoever is given one, which only this process makes
 */
import type { Comparator } from '../base/comparator.ts'
import type { Codecs, RandomAccessFile } from '../base/environment.ts'
import { CorruptionError } from '../base/errors.ts'
import { Block } from './block.ts'
import { FilterBlockReader, type FilterState } from './filter-block.ts'
import type { FilterPolicy } from './filter-policy.ts'
import { filterKey, findMetaBlock } from './metaindex.ts'
import type { IndexState } from './table-index.ts'
import { TableSketch } from './table-sketch.ts'
import { TableTail } from './table-tail.ts'

export interface TableOutline {
  readonly metaindexOffset: number
  readonly index: IndexState
  /** undefined if the table has none of the policy asked for, or none that can be used. */
  readonly filters: FilterState | undefined
  readonly filterIsDamaged: boolean
}

export interface OutlineOptions {
  readonly comparator: Comparator
  /** Whose filter is read, if the table has one. */
  readonly filterPolicy: FilterPolicy | undefined
  /** What the host can uncompress: the environment's. */
  readonly codecs: Codecs | undefined
}

const DAMAGED = 'damaged'

/** @throws CorruptionError if the table is damaged or none, NotSupportedError if it is compressed, IOError */
export function readOutline(file: RandomAccessFile, options: OutlineOptions): TableOutline {
  return readSketch(file, options, false).outline()
}

/**
 * @param isKept whether it is to outlast the next one that is read
 * @throws as readOutline, but for what only decoding finds
 */
export function readSketch(file: RandomAccessFile, options: OutlineOptions, isKept: boolean): TableSketch {
  const tail = new TableTail(file, options.codecs, isKept)
  const { metaindex, index } = tail.footer
  const metaBlocks = new Block(tail.read(metaindex), file.path, metaindex.offset)
  const filter = openFilter(tail, metaBlocks, options.filterPolicy)
  const isDamaged = filter === DAMAGED
  return new TableSketch(
    options.comparator,
    tail.read(index),
    file.path,
    index.offset,
    metaindex.offset,
    isDamaged ? undefined : filter,
    isDamaged,
  )
}

/** Bytes of memory that it takes. */
export function outlineBytes({ index, filters }: TableOutline): number {
  const { keys, starts, offsets, lengths, words } = index
  const arrays = [
    keys,
    starts,
    offsets,
    lengths,
    words?.words,
    words?.terms,
    words?.firsts,
    filters?.bytes,
    filters?.spans,
  ]
  return arrays.reduce((sum, array) => sum + (array?.buffer.byteLength ?? 0), 0)
}

/** The table's filter of this policy, undefined if it has none. */
function openFilter(
  tail: TableTail,
  metaindex: Block,
  policy: FilterPolicy | undefined,
): FilterBlockReader | typeof DAMAGED | undefined {
  if (policy === undefined) return undefined
  const handle = findMetaBlock(metaindex, filterKey(policy))
  if (handle === undefined) return undefined
  try {
    return FilterBlockReader.parse(policy, tail.read(handle)) ?? DAMAGED
  } catch (error) {
    if (error instanceof CorruptionError) return DAMAGED
    throw error
  }
}

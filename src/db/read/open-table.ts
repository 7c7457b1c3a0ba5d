/**
 * TableOpener: how a database opens its tables: by number, with its own comparator, filter and cache, checked against the
 * MANIFEST. A table whose filter is damaged is opened all the same, and told of once: it is read without, which is slower.
 */
import type { Environment, RandomAccessFile } from '../../base/environment.ts'
import { StaleError } from '../../base/errors.ts'
import type { FileNumber } from '../../base/types.ts'
import type { BlockCache } from '../../cache/block-cache.ts'
import { BloomFilter } from '../../table/bloom-filter.ts'
import { LookupCursor } from '../../table/lookup-cursor.ts'
import { Table, type TableReadOptions } from '../../table/table.ts'
import { findTable, openTableFile } from '../../table/table-file.ts'
import type { TableOutline } from '../../table/table-outline.ts'
import type { DatabaseDirectory } from '../opening/database-directory.ts'
import { manifestMark } from '../opening/manifest-mark.ts'
import { type ResolvedOptions, usesFilters } from '../options.ts'
import type { Emit } from '../reports/events.ts'

/** Reading, one policy stands for all: how a filter was built is in the filter. */
const ANY_BITS = 10

type TableOpenerOptions = Pick<ResolvedOptions, 'comparator' | 'bloomBitsPerKey' | 'environment' | 'readOnly'>

export class TableOpener {
  /** Paths of the tables that were found to have a damaged filter, by number. */
  readonly damagedFilters: Map<FileNumber, string>
  readonly #directory: DatabaseDirectory
  readonly #environment: Environment
  readonly #readOptions: TableReadOptions
  readonly #emit: Emit
  /** Of the opening, if it is a read-only one. */
  readonly #mark: string | undefined

  constructor(directory: DatabaseDirectory, options: TableOpenerOptions, blockCache: BlockCache, emit: Emit) {
    const { comparator } = options
    this.damagedFilters = new Map()
    this.#directory = directory
    this.#environment = options.environment
    this.#readOptions = {
      comparator,
      filterPolicy: usesFilters(options) ? new BloomFilter(ANY_BITS) : undefined,
      blockCache: blockCache.bytesMax > 0 ? blockCache : undefined,
      memory: blockCache.memory,
      codecs: options.environment.codecs,
      lookups: new LookupCursor(comparator, blockCache.memory),
      isDecodedLate: true,
    }
    this.#emit = emit
    this.#mark = options.readOnly ? manifestMark(directory.files, directory.path) : undefined
  }

  /**
   * @param bytes the size that the MANIFEST gives
   * @param outline if whoever wrote the table has read it
   * @throws CorruptionError; IOError, also if the directory was moved; StaleError in a read-only opening, if another process has removed the table
   */
  open(number: FileNumber, bytes: number, outline?: TableOutline): Table {
    const file = this.#openFile(number, bytes)
    try {
      // What another directory has under that path may be as long as ours.
      this.#directory.check()
      const table = Table.open(file, number, this.#readOptions, outline)
      if (table.filterIsDamaged) this.#report(number, file.path)
      return table
    } catch (error) {
      file.close()
      throw error
    }
  }

  #openFile(number: FileNumber, bytes: number): RandomAccessFile {
    const { files, path } = this.#directory
    try {
      return openTableFile(files, path, number, bytes)
    } catch (error) {
      this.#directory.check()
      const isGone = this.#mark !== undefined && findTable(files, path, number) === undefined
      if (!isGone || manifestMark(files, path) === this.#mark) throw error
      throw new StaleError(
        `table ${number} was compacted by another process since this read-only opening: open the database again`,
        {
          cause: error,
        },
      )
    }
  }

  /** A listener may call the database, which is in the middle of a read now: it is told after. */
  #report(number: FileNumber, file: string): void {
    if (this.damagedFilters.has(number)) return
    this.damagedFilters.set(number, file)
    this.#environment.soon(() => this.#emit('damaged-filter', { table: number, file }))
  }
}

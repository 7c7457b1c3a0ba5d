/**
 * InputRun: tables that follow one another without overlap, as those of a level below 0. Each is read once, from its beginning to its
 * end, through a descriptor of its own and past all caches, in large pieces (table/sequential-blocks.ts); it is opened when its turn
 * comes and closed after it.
 */
import { bytewiseComparator, type Comparator } from '../base/comparator.ts'
import type { Environment } from '../base/environment.ts'
import { OrderedCursor } from '../table/ordered-cursor.ts'
import type { SequentialBlocks } from '../table/sequential-blocks.ts'
import type { Table } from '../table/table.ts'
import { openInputTable } from '../table/table-file.ts'
import type { FileMetadata } from '../version/file-metadata.ts'

export class InputRun {
  readonly cursor: OrderedCursor
  readonly #directory: string
  readonly #environment: Environment
  readonly #comparator: Comparator
  readonly #tables: readonly FileMetadata[]
  /** How many of them have been opened. */
  #opened: number
  #table: Table | undefined
  #blocks: SequentialBlocks | undefined
  /** Number of the table's next data block, and how many there are. */
  #block: number
  #blockCount: number

  /** Touches no file yet. */
  constructor(directory: string, environment: Environment, comparator: Comparator, tables: readonly FileMetadata[]) {
    this.cursor = new OrderedCursor(comparator === bytewiseComparator)
    this.#directory = directory
    this.#environment = environment
    this.#comparator = comparator
    this.#tables = tables
    this.#opened = 0
    this.#table = undefined
    this.#blocks = undefined
    this.#block = 0
    this.#blockCount = 0
  }

  /** Put the cursor on the next entry. @returns false if there is none @throws CorruptionError, NotSupportedError, IOError */
  next(): boolean {
    const { cursor } = this
    while (cursor.isAtEnd) if (!this.#enterNext()) return false
    cursor.next()
    return true
  }

  close(): void {
    const table = this.#table
    this.#table = undefined
    this.#blocks = undefined
    table?.close()
  }

  /** @returns whether there is a further block */
  #enterNext(): boolean {
    while (this.#block === this.#blockCount) if (!this.#openNext()) return false
    const blocks = this.#blocks as SequentialBlocks
    this.cursor.enter(blocks.get(this.#block))
    this.#block++
    return true
  }

  #openNext(): boolean {
    this.close()
    if (this.#opened === this.#tables.length) return false
    const input = this.#tables[this.#opened++]
    this.#table = openInputTable(this.#environment, this.#directory, input, this.#comparator)
    this.#blocks = this.#table.blocks()
    this.#block = 0
    this.#blockCount = this.#table.blockCount
    return true
  }
}

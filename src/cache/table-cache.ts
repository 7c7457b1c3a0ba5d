/**
 * TableCache: the open tables of one database. A lookup finds a table and is done with it before anything else happens;
 * whoever needs it for longer acquires it and releases it. A table that nobody holds stays open until there are too many,
 * or their indexes and filters take too much memory; then the least recently used is closed first.
 *
 * Expected    The job that wrote a table has already read and checked its index and filter (table/table-outline.ts). If there is room,
 *             they are kept for the first lookup, for which only the file then has to be opened. When room is short, those that nobody
 *             has looked for yet go first, oldest first.
 * Budgets     maxOpenFiles descriptors, and tableCacheBytes of memory. A table's index and filter take about a fortieth of its
 *             bytes, and opening it reads and checks them all: if the tables in use do not
 *             fit, every read costs an opening. So this budget is not the block cache's (measured and decided in docs/rfcs/0010).
 * Invariants  (1) a table that is held is never closed; the budgets are passed only by tables that are held, and by one more: the last
 *                 used stays though it alone is larger than the budget of bytes
 *             (2) each acquire is matched by one release, of the same table
 *             (3) a table that was found, and is not held, is open until the next call here
 *             (4) a table is open or expected or neither
 * Threads     belongs to one thread. Every call is O(1), but for what it closes.
 */
import { assert } from '../base/assert.ts'
import { closeAll } from '../base/close-all.ts'
import type { FileNumber } from '../base/types.ts'
import type { Table } from '../table/table.ts'
import { outlineBytes, type TableOutline } from '../table/table-outline.ts'

/** Opens the table of a file number, of which the outline may be known; closes what it opened if it throws. */
export type OpenTable = (number: FileNumber, fileBytes: number, outline: TableOutline | undefined) => Table

/** In the ring of idle tables, in order of use, while it has no users; linked to itself otherwise. */
class Entry {
  /** undefined for the ring's anchor alone. */
  readonly table: Table | undefined
  users: number
  isLeaving: boolean
  newer: Entry
  older: Entry

  constructor(table: Table | undefined) {
    this.table = table
    this.users = 0
    this.isLeaving = false
    this.newer = this
    this.older = this
  }

  unlink(): void {
    this.newer.older = this.older
    this.older.newer = this.newer
    this.newer = this
    this.older = this
  }

  /** Become the newest of a ring. */
  linkTo(anchor: Entry): void {
    this.newer = anchor
    this.older = anchor.older
    anchor.older.newer = this
    anchor.older = this
  }
}

export class TableCache {
  readonly maxOpenFiles: number
  /** Bytes that tables may take. */
  readonly bytesMax: number
  /** Bytes that the open tables take, and the outlines of those that are expected. */
  bytes: number
  /** How often a table was looked for, and had to be opened. */
  misses: number

  readonly #open: OpenTable
  readonly #entries: Map<FileNumber, Entry>
  /** The oldest first. */
  readonly #expected: Map<FileNumber, TableOutline>
  /** Held tables, by which they are released; also those that were evicted, and are closed then. */
  readonly #held: Map<Table, Entry>
  /** Idle tables: the anchor's `older` is the newest, its `newer` the oldest. */
  readonly #idle: Entry
  #openCount: number

  /** @param bytesMax for indexes and filters */
  constructor(open: OpenTable, maxOpenFiles: number, bytesMax: number) {
    assert(maxOpenFiles > 0, 'at least one table may be open')
    this.maxOpenFiles = maxOpenFiles
    this.bytesMax = bytesMax
    this.bytes = 0
    this.misses = 0
    this.#open = open
    this.#entries = new Map()
    this.#expected = new Map()
    this.#held = new Map()
    this.#idle = new Entry(undefined)
    this.#openCount = 0
  }

  /** Number of open tables. */
  get openCount(): number {
    return this.#openCount
  }

  /** Bytes that the table of a file number takes, open or expected; 0 if it is neither. */
  bytesOf(number: FileNumber): number {
    const outline = this.#expected.get(number)
    return outline === undefined ? (this.#entries.get(number)?.table?.memoryBytes ?? 0) : outlineBytes(outline)
  }

  /** Keep what was read of a table, for when it is looked for; not if there is no room, or it is open. */
  expect(number: FileNumber, outline: TableOutline): void {
    const bytes = outlineBytes(outline)
    if (this.#entries.has(number) || this.bytes + bytes > this.bytesMax) return
    this.#takeExpected(number)
    this.#expected.set(number, outline)
    this.bytes += bytes
  }

  /**
   * The table of a file number, opened if it is not, for a lookup that ends before the next call here.
   * @throws CorruptionError, NotSupportedError, IOError from opening it
   */
  find(number: FileNumber, fileBytes: number): Table {
    const entry = this.#entries.get(number)
    if (entry === undefined) return this.#add(number, fileBytes).table as Table
    if (entry.users === 0 && entry !== this.#idle.older) {
      entry.unlink()
      entry.linkTo(this.#idle)
    }
    return entry.table as Table
  }

  /** As find; the table stays open until released. */
  acquire(number: FileNumber, fileBytes: number): Table {
    const entry = this.#entries.get(number) ?? this.#add(number, fileBytes)
    const table = entry.table as Table
    if (entry.users++ === 0) {
      entry.unlink()
      this.#held.set(table, entry)
    }
    return table
  }

  /** Give back a table that was acquired; iterators of this acquire have ended. */
  release(table: Table): void {
    const entry = this.#held.get(table)
    assert(entry !== undefined, 'a released table was acquired')
    if (--entry.users > 0) return
    this.#held.delete(table)
    if (entry.isLeaving) {
      this.#close(table)
    } else {
      entry.linkTo(this.#idle)
      this.#trim(undefined)
    }
  }

  /** Close the table of a file number, which is going to be removed: now, or when its last user releases it. */
  evict(number: FileNumber): void {
    this.#takeExpected(number)
    const entry = this.#entries.get(number)
    if (entry === undefined) return
    // First: what is in the ring is in the map, also if this is cut off, or ends where the stack does.
    entry.unlink()
    this.#entries.delete(number)
    entry.isLeaving = true
    if (entry.users === 0) this.#close(entry.table as Table)
  }

  /** Close every table, also those that are held, in whatever state the rings are. @throws the first error, after all were tried */
  clear(): void {
    const tables = new Set([...this.#entries.values(), ...this.#held.values()].map(({ table }) => table))
    this.#entries.clear()
    this.#held.clear()
    this.#expected.clear()
    this.#idle.newer = this.#idle
    this.#idle.older = this.#idle
    this.#openCount = 0
    this.bytes = 0
    closeAll([...tables].map((table) => () => table?.close()))
  }

  /** Close every table; those that are held, when they are released. @throws the first error, after all were tried */
  close(): void {
    closeAll([...this.#expected.keys(), ...this.#entries.keys()].map((number) => () => this.evict(number)))
  }

  #add(number: FileNumber, fileBytes: number): Entry {
    this.misses++
    const table = this.#open(number, fileBytes, this.#takeExpected(number))
    const entry = new Entry(table)
    this.#entries.set(number, entry)
    entry.linkTo(this.#idle)
    this.#openCount++
    this.bytes += table.memoryBytes
    this.#trim(entry)
    return entry
  }

  /** Close tables until the budgets hold, or all that are open are held, or are the one to keep, or of bytes, the last used. */
  #trim(keep: Entry | undefined): void {
    for (const number of this.#expected.keys()) {
      if (this.bytes <= this.bytesMax) break
      this.#takeExpected(number)
    }
    while (this.#openCount > this.maxOpenFiles || this.bytes > this.bytesMax) {
      const { newer: oldest, older: newest } = this.#idle
      // A table that alone is larger than the budget of bytes would be opened for each read.
      const isToStay = oldest === keep || (oldest === newest && this.#openCount <= this.maxOpenFiles)
      if (oldest.table === undefined || isToStay) return
      this.evict(oldest.table.number)
    }
  }

  #takeExpected(number: FileNumber): TableOutline | undefined {
    const outline = this.#expected.get(number)
    if (outline === undefined) return undefined
    this.#expected.delete(number)
    this.bytes -= outlineBytes(outline)
    return outline
  }

  #close(table: Table): void {
    this.#openCount--
    this.bytes -= table.memoryBytes
    table.close()
  }
}

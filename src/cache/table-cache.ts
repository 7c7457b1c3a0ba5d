/**
 * TableCache: the open tables of one database. Whoever uses a table acquires it and releases it; a table that nobody uses
 * stays open until more than `maxOpenFiles` are, and then the least recently acquired is closed first.
 *
 * Invariants  (1) a table in use is never closed; more than maxOpenFiles are open only while more are in use
 *             (2) each acquire is matched by one release, of the same table
 * Threads     belongs to one thread
 */
import { assert } from '../base/assert.ts'
import { closeAll } from '../base/close-all.ts'
import type { FileNumber } from '../base/types.ts'
import type { Table } from '../table/table.ts'

/** Opens the table of a file number; closes what it opened if it throws. */
export type OpenTable = (number: FileNumber, fileBytes: number) => Table

interface Entry {
  readonly table: Table
  users: number
  /** Count of acquires at the last one of this table. */
  lastUse: number
}

export class TableCache {
  readonly maxOpenFiles: number

  readonly #open: OpenTable
  readonly #entries: Map<FileNumber, Entry>
  /** Evicted while in use: closed by their last release. */
  readonly #leaving: Map<Table, Entry>
  #uses: number

  constructor(open: OpenTable, maxOpenFiles: number) {
    assert(maxOpenFiles > 0, 'at least one table may be open')
    this.maxOpenFiles = maxOpenFiles
    this.#open = open
    this.#entries = new Map()
    this.#leaving = new Map()
    this.#uses = 0
  }

  /** Number of open tables. */
  get openCount(): number {
    return this.#entries.size + this.#leaving.size
  }

  /**
   * The table of a file number, opened if it is not; it stays open until released.
   * @throws CorruptionError, NotSupportedError, IOError from opening it
   */
  acquire(number: FileNumber, fileBytes: number): Table {
    const entry = this.#entries.get(number) ?? this.#add(number, fileBytes)
    entry.users++
    entry.lastUse = ++this.#uses
    if (entry.users === 1 && this.#entries.size > this.maxOpenFiles) this.#trim()
    return entry.table
  }

  /** Give back a table; iterators and lookups of this acquire have ended. */
  release(table: Table): void {
    const kept = this.#entries.get(table.number)
    const entry = kept?.table === table ? kept : this.#leaving.get(table)
    assert(entry !== undefined && entry.users > 0, 'a released table was acquired')
    entry.users--
    if (entry.users > 0) return
    if (entry === kept) this.#trim()
    else this.#closeLeaving(table)
  }

  /** Close the table of a file number, which is going to be removed: now, or when its last user releases it. */
  evict(number: FileNumber): void {
    const entry = this.#entries.get(number)
    if (entry === undefined) return
    this.#entries.delete(number)
    if (entry.users > 0) this.#leaving.set(entry.table, entry)
    else entry.table.close()
  }

  /** Close every table; those in use, when they are released. @throws the first error, after all were tried */
  close(): void {
    closeAll([...this.#entries.keys()].map((number) => () => this.evict(number)))
  }

  #add(number: FileNumber, fileBytes: number): Entry {
    const entry = { table: this.#open(number, fileBytes), users: 0, lastUse: 0 }
    this.#entries.set(number, entry)
    return entry
  }

  /** Close tables until no more than maxOpenFiles are open, or all that are have users. */
  #trim(): void {
    while (this.#entries.size > this.maxOpenFiles) {
      const oldest = this.#oldestIdle()
      if (oldest === undefined) return
      this.evict(oldest.table.number)
    }
  }

  /** A scan of all, but only when a table has been opened beyond the limit, which costs far more. */
  #oldestIdle(): Entry | undefined {
    let oldest: Entry | undefined
    for (const entry of this.#entries.values()) {
      if (entry.users === 0 && (oldest === undefined || entry.lastUse < oldest.lastUse)) oldest = entry
    }
    return oldest
  }

  #closeLeaving(table: Table): void {
    this.#leaving.delete(table)
    table.close()
  }
}

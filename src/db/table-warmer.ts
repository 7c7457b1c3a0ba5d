/**
 * TableWarmer: opens what a compaction wrote before it takes the place of what was read, one table a turn of the event loop, into
 * the table cache. Else the reads of the turn that follows would open them, dozens at once: 0.6 to 2.7 ms each, since index and
 * filter are read and checked, and 90 ms in one turn where 100 tables took the place of 106 (docs/performance.md).
 *
 * How many    as many as inputs are open, so none if nobody reads; and no more than the cache has room for. Which of them is
 *             a guess if only some inputs are open, but then reads need few at a time.
 * Invariants  (1) `done` is called once, however it ends, and nothing is opened from then on
 *             (2) what was opened is the cache's, and nobody holds it: there is nothing to give back
 *             (3) no error of an opening is anyone's: the table is left to the read that needs it, which meets the same
 *             (4) it waits for no turn of the event loop that may not come: somebody on this thread who sleeps ends it (`finish`),
 *                 and so does somebody who polls a second time without a turn in between
 * Threads     belongs to the database's thread
 */
import type { Environment } from '../base/environment.ts'
import type { TableCache } from '../cache/table-cache.ts'
import type { FileMetadata } from '../version/file-metadata.ts'

export class TableWarmer {
  readonly #environment: Environment
  readonly #tables: TableCache
  readonly #files: readonly FileMetadata[]
  readonly #done: () => void
  /** In #files. */
  #next = 0
  #isOver = false
  /** Since the event loop has turned. */
  #wasPolled = false

  constructor(environment: Environment, tables: TableCache, files: readonly FileMetadata[], done: () => void) {
    this.#environment = environment
    this.#tables = tables
    this.#files = files
    this.#done = done
  }

  /** Begin, once. If there is nothing to open, it is over before this returns. */
  start(): void {
    this.#goOn()
  }

  /** Somebody asks for what has come in, maybe in a loop that never lets the event loop turn. */
  poll(): void {
    if (this.#wasPolled) this.finish()
    this.#wasPolled = true
  }

  /** Open no more. */
  finish(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#done()
  }

  #goOn(): void {
    if (this.#next === this.#files.length || !this.#tables.hasRoom) this.finish()
    else this.#environment.soon(() => this.#turn())
  }

  #turn(): void {
    if (this.#isOver) return
    this.#wasPolled = false
    const { number, bytes } = this.#files[this.#next++]
    try {
      this.#tables.find(number, bytes)
    } catch {
      // Whoever needs the table is told.
    }
    this.#goOn()
  }
}

/** Those of a compaction's outputs that reads are likely to want open. */
export function worthOpening(
  tables: TableCache,
  inputs: readonly FileMetadata[],
  outputs: readonly FileMetadata[],
): readonly FileMetadata[] {
  return outputs.slice(0, inputs.filter(({ number }) => tables.isOpen(number)).length)
}

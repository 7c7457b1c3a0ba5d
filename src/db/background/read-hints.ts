/**
 * ReadHints: what reads notice and compaction can better: tables that lookups pass through in vain, and ranges in which
 * scans step over tombstones and little else, as the emptied front of a queue.
 *
 * Seeks       LevelDB's rule: a lookup that had to ask a second table charges the first one; a table may be charged once
 *             for every 16 KiB it has, about what merging them costs, but at least a hundred times. Only with the option
 *             seekCompaction
 * Tombstones  a long run that a scan stepped over (db-iterator.ts), with nothing visible in between
 */
import type { Bytes, FileNumber, Level } from '../../base/types.ts'
import type { CompactionHint } from '../../version/compaction.ts'
import type { FileMetadata } from '../../version/file-metadata.ts'
import type { ReadObserver } from '../read/read-host.ts'

const SEEK_BYTES = 16 * 1024
const SEEKS_MIN = 100
/** Hints that are kept; older ones make room. */
const HINTS_MAX = 16

export class ReadHints implements ReadObserver {
  /** Lookups that may still pass through a table in vain. */
  readonly #seeksLeft = new Map<FileNumber, number>()
  #hints: CompactionHint[] = []
  /** Hints have come in since the picker was last asked. */
  #isNew = false
  readonly #countsSeeks: boolean
  readonly #wake: () => void

  /**
   * @param countsSeeks whether lookups are charged
   * @param wake called when a lookup has given a hint
   */
  constructor(countsSeeks: boolean, wake: () => void) {
    this.#countsSeeks = countsSeeks
    this.#wake = wake
  }

  /** Oldest first. */
  get all(): readonly CompactionHint[] {
    return this.#hints
  }

  /** Whether there are hints that the picker has not seen; they count as seen then. */
  takeNew(): boolean {
    const isNew = this.#isNew
    this.#isNew = false
    return isNew
  }

  missed({ number, bytes }: FileMetadata, level: Level): void {
    if (!this.#countsSeeks) return
    const left = (this.#seeksLeft.get(number) ?? Math.max(SEEKS_MIN, Math.floor(bytes / SEEK_BYTES))) - 1
    if (left < 0) return
    this.#seeksLeft.set(number, left)
    if (left > 0) return
    this.#add({ kind: 'seeks', level, number })
    this.#wake()
  }

  /** A scan stepped over nothing but tombstones from one user key to another; the keys are copied. */
  steppedOver(smallest: Bytes, largest: Bytes): void {
    this.#add({ kind: 'tombstones', smallest: smallest.slice(), largest: largest.slice() })
  }

  /** A compaction follows this hint. */
  spend(hint: CompactionHint | undefined): void {
    if (hint !== undefined) this.#hints = this.#hints.filter((kept) => kept !== hint)
  }

  clear(): void {
    this.#hints = []
  }

  /** The table is gone. */
  forget(number: FileNumber): void {
    this.#seeksLeft.delete(number)
    this.#hints = this.#hints.filter((hint) => hint.kind !== 'seeks' || hint.number !== number)
  }

  #add(hint: CompactionHint): void {
    this.#isNew = true
    this.#hints = [...this.#hints.filter((kept) => !isSame(kept, hint)), hint].slice(-HINTS_MAX)
  }
}

/** Scans of one range begin at the same tombstone, though they may get on further. */
function isSame(a: CompactionHint, b: CompactionHint): boolean {
  if (a.kind === 'seeks' || b.kind === 'seeks') return false
  return a.smallest.length === b.smallest.length && a.smallest.every((byte, i) => byte === b.smallest[i])
}

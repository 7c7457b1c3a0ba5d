/**
 * CompactionInputs: all entries of some tables, a compaction's or a repair's, merged in internal-key order. Of each entry it is known
 * whether its user key differs from the one before, and how many bytes the two have in common.
 *
 * Structure   a tree of losers: where two runs meet, the one whose entry comes later waits; the run that has lost to nobody is in
 *             front. When it moves on, it meets those that wait on its way up: one on each floor of the tree.
 * Common      Of each run it is known how many bytes its key has in common with an earlier key, and which byte follows them. That is
 *             the key that was in front last, or the one that has beaten this run since. Two runs that are compared refer to the same
 *             earlier key: the one with more bytes in common comes first; if they have equally many, the one with the smaller next
 *             byte. Only if that byte is the same, too, are the keys compared, from there on; the loser then refers to the winner's
 *             key. (Offset-value coding: Conner 1977.)
 * Orders      In any other order than that of bytes, whole keys are compared, and it is checked here that they ascend.
 * Ties        a repaired database may hold an entry in two tables: both are shown, that of the first run first
 * Threads     belongs to one thread
 */
import { compareBeyond } from '../base/bytes.ts'
import { closeAll } from '../base/close-all.ts'
import { bytewiseComparator, type Comparator } from '../base/comparator.ts'
import type { Environment } from '../base/environment.ts'
import { compareTags } from '../base/internal-key.ts'
import { KeyCopy } from '../base/key-copy.ts'
import type { OrderedCursor } from '../table/ordered-cursor.ts'
import type { FileMetadata } from '../version/file-metadata.ts'
import { InputRun } from './input-run.ts'

/** In common with anything, of a run that has ended: it comes last. */
const ENDED = -1
const NOBODY = -1

export class CompactionInputs {
  /** Whether there is an entry. */
  valid: boolean
  /** The entry in front. */
  entry: OrderedCursor
  isNewKey: boolean
  /** So many bytes its user key has in common with that of the entry before, or more. */
  common: number

  readonly #comparator: Comparator
  readonly #isBytewise: boolean
  readonly #runs: readonly InputRun[]
  /** Who lost at each place, by number; at place 0 the winner. Run i begins below place (i + runs) / 2. */
  readonly #tree: Int32Array
  /** Of each run: see Common. The byte is one more than it is; 0 where the key ends. */
  readonly #commons: Int32Array
  readonly #bytes: Int32Array
  /** The entry before, in an order that is not that of bytes. */
  readonly #lastKey: KeyCopy
  #lastTagLow: number
  #lastTagHigh: number

  /**
   * Touches no file yet.
   * @param runs at least one; the tables of each follow one another
   */
  constructor(
    directory: string,
    environment: Environment,
    comparator: Comparator,
    runs: readonly (readonly FileMetadata[])[],
  ) {
    this.#comparator = comparator
    this.#isBytewise = comparator === bytewiseComparator
    this.#runs = runs.map((tables) => new InputRun(directory, environment, comparator, tables))
    this.#tree = new Int32Array(runs.length).fill(NOBODY)
    this.#commons = new Int32Array(runs.length)
    this.#bytes = new Int32Array(runs.length)
    this.#lastKey = new KeyCopy()
    this.#lastTagLow = 0
    this.#lastTagHigh = 0
    this.valid = false
    this.entry = this.#runs[0].cursor
    this.isNewKey = true
    this.common = 0
  }

  /** Go to the first entry. @throws CorruptionError, NotSupportedError, IOError */
  begin(): void {
    for (let run = this.#runs.length - 1; run >= 0; run--) {
      this.#advance(run)
      this.#meetOthers(run)
    }
    this.#show()
    this.isNewKey = true
  }

  /** Go to the next entry; needs `valid`. @throws as `begin` */
  next(): void {
    const run = this.#tree[0]
    const { entry } = this
    this.valid = false
    if (!this.#isBytewise) this.#keepLast(entry)
    this.#advance(run)
    if (!this.#isBytewise && this.#commons[run] !== ENDED) this.#checkOrder(entry)
    this.#meetOthers(run)
    this.#show()
  }

  close(): void {
    closeAll(this.#runs.map((run) => () => run.close()))
  }

  #advance(number: number): void {
    const run = this.#runs[number]
    if (!run.next()) {
      this.#commons[number] = ENDED
      return
    }
    this.#note(number, run.cursor.common)
  }

  #note(number: number, common: number): void {
    const { keyBuf, keyLen } = this.#runs[number].cursor
    this.#commons[number] = common
    this.#bytes[number] = this.#isBytewise && common < keyLen ? keyBuf[common] + 1 : 0
  }

  /** On the run's way up the winner of each meeting goes on. The first one at a place waits. */
  #meetOthers(number: number): void {
    const tree = this.#tree
    let winner = number
    for (let at = (number + tree.length) >>> 1; at > 0; at >>>= 1) {
      const other = tree[at]
      if (other === NOBODY) {
        tree[at] = winner
        return
      }
      if (this.#isBefore(other, winner)) {
        tree[at] = winner
        winner = other
      }
    }
    tree[0] = winner
  }

  #isBefore(a: number, b: number): boolean {
    const common = this.#commons[a]
    if (common !== this.#commons[b]) return common > this.#commons[b]
    if (this.#bytes[a] !== this.#bytes[b]) return this.#bytes[a] < this.#bytes[b]
    return common === ENDED ? a < b : this.#comparesBefore(a, b, common)
  }

  /** @param known so many bytes the keys have in common, or more */
  #comparesBefore(a: number, b: number, known: number): boolean {
    const { keyBuf, keyLen, tagLow, tagHigh } = this.#runs[a].cursor
    const { keyBuf: other, keyLen: otherLen, tagLow: otherLow, tagHigh: otherHigh } = this.#runs[b].cursor
    if (!this.#isBytewise) {
      const order = this.#comparator.compare(keyBuf, 0, keyLen, other, 0, otherLen)
      return (order || compareTags(tagLow, tagHigh, otherLow, otherHigh) || a - b) < 0
    }
    const limit = keyLen < otherLen ? keyLen : otherLen
    let common = known
    while (common < limit && keyBuf[common] === other[common]) common++
    const order = compareBeyond(keyBuf, 0, keyLen, other, 0, otherLen, common)
    const isBefore = (order || compareTags(tagLow, tagHigh, otherLow, otherHigh) || a - b) < 0
    this.#note(isBefore ? b : a, common)
    return isBefore
  }

  #show(): void {
    const run = this.#tree[0]
    const common = this.#commons[run]
    this.entry = this.#runs[run].cursor
    this.common = common
    this.valid = common !== ENDED
    // A key that ends where it would differ from the one before it is the same.
    this.isNewKey = this.#isBytewise ? this.#bytes[run] !== 0 : this.valid && this.#compareLast(this.entry) < 0
  }

  /** For an order that is not that of bytes. */
  #keepLast({ keyBuf, keyLen, tagLow, tagHigh }: OrderedCursor): void {
    this.#lastKey.take(keyBuf, 0, keyLen)
    this.#lastTagLow = tagLow
    this.#lastTagHigh = tagHigh
  }

  #compareLast({ keyBuf, keyLen }: OrderedCursor): number {
    return this.#comparator.compare(this.#lastKey.bytes, 0, this.#lastKey.length, keyBuf, 0, keyLen)
  }

  /** @throws CorruptionError unless the entry comes after the last one, which was in front before it in the same run */
  #checkOrder(entry: OrderedCursor): void {
    const order = this.#compareLast(entry)
    const isSameOrNewer = compareTags(this.#lastTagLow, this.#lastTagHigh, entry.tagLow, entry.tagHigh) >= 0
    if (order > 0 || (order === 0 && isSameOrNewer)) entry.outOfOrder()
  }
}

/**
 * DropRule: what a compaction may leave out, and why nobody misses it.
 *
 * Stripes     The snapshots s1 < s2 < … cut the sequences into stripes: [0, s1], (s1, s2], …, (last, ∞). A reader at a
 *             snapshot sees the newest version of a key at or below it, the newest of its stripe or of an older one. So of
 *             the versions of a key that lie in one stripe only the newest can ever be seen.
 *   Rule 1    a version goes if a newer version of its key lies in the same stripe
 *   Rule 2    a tombstone goes if it lies in the oldest stripe and no table below the output level may hold its key:
 *             all older versions of the key are then in the same compaction and go by rule 1, so that whoever would have
 *             read the tombstone finds nothing, which is the same answer. (A tombstone that is dropped still hides them.)
 *
 * Why this holds while the rest of the database goes on:
 *   New snapshots    read at a sequence that is at least that of every entry of the inputs: inputs were flushed, and what
 *                    is flushed was published. They see the newest version of each key, which is the newest of the last
 *                    stripe. Snapshots that are closed meanwhile make us keep too much, for once.
 *   Open scans       hold the version that they began with; its tables stay, and they never look into ours.
 *   Older versions   of a key of the inputs lie in the inputs or below the output level. In level 0 every table that
 *                    overlaps is an input (transitively); tables flushed since the choice was made are newer, and above.
 *                    Below level 0 a level holds all versions of a key in one table, or in neighbours that are taken
 *                    together. Tables below the output level may meanwhile move further down, or lose keys; none gets a
 *                    key that it did not have without our own inputs, since a key can get there only from above, through
 *                    a level that this compaction has locked. What was not below at the start is not below at the end.
 *   Flushes          put newer entries above. A flush that turns a range tombstone into tombstones of the keys it covers
 *                    does so by the tables of the version at its start. A compaction makes no key, so each key that is
 *                    in the tables when the flush is installed got its tombstone, whichever of the two began or ended
 *                    first; a tombstone for a key that we dropped meanwhile hides nothing, and goes in its time. Nor
 *                    can an older version come back by our dropping a tombstone: it would have to be an older version,
 *                    which is what the two rules are about. Tables that a flush drops whole are in no compaction.
 *   Same key twice   (a repaired database may hold an entry in two tables): both lie in one stripe; the second goes.
 *
 * Threads     belongs to one job; allocates nothing for an entry
 * Source      google/leveldb db/version_set.cc (IsBaseLevelForKey), which knows only the oldest snapshot
 */
import type { Comparator } from '../base/comparator.ts'
import { TAG_BYTES, tagSequence, tagType } from '../base/internal-key.ts'
import type { Bytes, SequenceNumber } from '../base/types.ts'
import * as ValueType from '../base/value-type.ts'
import type { FileMetadata } from '../version/file-metadata.ts'

const NO_STRIPE = -1

export class DropRule {
  readonly #comparator: Comparator
  readonly #snapshots: Float64Array
  readonly #deeper: readonly (readonly FileMetadata[])[]
  /** For each of the deeper levels its first table that does not end before the keys to come. */
  readonly #places: Int32Array
  /** The stripe of the version before, of the same key. */
  #stripe: number

  /**
   * @param snapshots ascending
   * @param deeper all tables below the output level that may hold a key of the inputs; each level ascending
   */
  constructor(
    comparator: Comparator,
    snapshots: readonly SequenceNumber[],
    deeper: readonly (readonly FileMetadata[])[],
  ) {
    this.#comparator = comparator
    this.#snapshots = Float64Array.from(snapshots)
    this.#deeper = deeper.filter((files) => files.length > 0)
    this.#places = new Int32Array(this.#deeper.length)
    this.#stripe = NO_STRIPE
  }

  /** The entries that follow are of another user key than those before. */
  startKey(): void {
    this.#stripe = NO_STRIPE
  }

  /**
   * Whether this version may go. Keys come in ascending order; the versions of a key newest first, after `startKey`.
   * @complexity O(log snapshots); tombstones of the oldest stripe also walk on through the tables below
   */
  drops(key: Bytes, keyOff: number, keyLen: number, tagLow: number, tagHigh: number): boolean {
    const stripe = this.#snapshots.length === 0 ? 0 : this.#stripeOf(tagSequence(tagLow, tagHigh))
    if (stripe === this.#stripe) return true
    this.#stripe = stripe
    return stripe === 0 && tagType(tagLow) === ValueType.DELETION && !this.#mayLieDeeper(key, keyOff, keyLen)
  }

  /** How many snapshots are older. */
  #stripeOf(sequence: number): number {
    const snapshots = this.#snapshots
    let low = 0
    let high = snapshots.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (snapshots[middle] < sequence) low = middle + 1
      else high = middle
    }
    return low
  }

  #mayLieDeeper(key: Bytes, keyOff: number, keyLen: number): boolean {
    for (let i = 0; i < this.#deeper.length; i++) {
      const files = this.#deeper[i]
      let place = this.#places[i]
      while (place < files.length && this.#compareEnd(files[place].largest, key, keyOff, keyLen) < 0) place++
      this.#places[i] = place
      if (place < files.length && this.#compareEnd(files[place].smallest, key, keyOff, keyLen) <= 0) return true
    }
    return false
  }

  /** Order of a table's first or last user key and a user key. */
  #compareEnd(end: Bytes, key: Bytes, keyOff: number, keyLen: number): number {
    return this.#comparator.compare(end, 0, end.length - TAG_BYTES, key, keyOff, keyLen)
  }
}

/**
 * Snapshot: the database as it was after one write. It is a sequence number, so it costs nothing to take and never blocks a
 * writer; it keeps versions that it sees from being dropped until it is closed.
 */
import { ClosedError } from '../base/errors.ts'
import type { SequenceNumber } from '../base/types.ts'

/** The database as it was at one moment: an option of reads. Close it, since it keeps old versions. */
export class Snapshot {
  /** Everything up to this sequence number is visible, nothing after it. */
  readonly sequence: SequenceNumber
  /** The open ones that were taken before and after it. @internal */
  older: Snapshot | undefined = undefined
  /** @internal */
  newer: Snapshot | undefined = undefined
  #owner: SnapshotList | undefined

  /** Made by `DB.snapshot()`. @internal */
  constructor(owner: SnapshotList, sequence: SequenceNumber) {
    this.#owner = owner
    this.sequence = sequence
  }

  /** Release it. Closing twice is no error. */
  close(): void {
    const owner = this.#owner
    // First: taken out of the list twice, it would take others with it.
    this.#owner = undefined
    owner?.remove(this)
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** @internal @throws ClosedError if it has been closed, or belongs to another database */
  sequenceFor(owner: SnapshotList): SequenceNumber {
    if (this.#owner !== owner) throw new ClosedError('the snapshot is closed or belongs to another database')
    return this.sequence
  }
}

/** The open snapshots of one database, on one thread. */
export class SnapshotList {
  /**
   * The ends of a chain in the order in which they were taken, which is that of their sequences. Not a Set: to find its first entry it
   * goes over all that were deleted before that one.
   */
  #oldest: Snapshot | undefined = undefined
  #newest: Snapshot | undefined = undefined
  #count = 0
  /** Called when the oldest one is let go of: what it alone saw may be dropped. */
  readonly #onRelease: () => void
  /** What the snapshots of other threads read at. */
  readonly #elsewhere: () => readonly SequenceNumber[]

  constructor(onRelease: () => void = nothing, elsewhere: () => readonly SequenceNumber[] = none) {
    this.#onRelease = onRelease
    this.#elsewhere = elsewhere
  }

  create(sequence: SequenceNumber): Snapshot {
    const snapshot = new Snapshot(this, sequence)
    const before = this.#newest
    snapshot.older = before
    if (before === undefined) this.#oldest = snapshot
    else before.newer = snapshot
    this.#newest = snapshot
    this.#count++
    return snapshot
  }

  remove(snapshot: Snapshot): void {
    const { oldest } = this
    this.#unlink(snapshot)
    if (snapshot.sequence === oldest && this.oldest !== oldest) this.#onRelease()
  }

  /** What all of them read at, those of other threads too, ascending, each once. */
  get sequences(): SequenceNumber[] {
    const sequences = new Set<SequenceNumber>()
    for (let open = this.#oldest; open !== undefined; open = open.newer) sequences.add(open.sequence)
    for (const sequence of this.#elsewhere()) sequences.add(sequence)
    return [...sequences].sort((a, b) => a - b)
  }

  get count(): number {
    return this.#count + new Set(this.#elsewhere()).size
  }

  /** Sequence of the oldest one of all threads, if any is open. */
  get oldest(): SequenceNumber | undefined {
    let oldest = this.#oldest?.sequence
    for (const sequence of this.#elsewhere()) if (oldest === undefined || sequence < oldest) oldest = sequence
    return oldest
  }

  closeAll(): void {
    for (let open = this.#oldest; open !== undefined; ) {
      const { newer } = open
      open.close()
      open = newer
    }
    // One whose closing was cut off before is still there.
    this.#oldest = undefined
    this.#newest = undefined
    this.#count = 0
  }

  #unlink(snapshot: Snapshot): void {
    const { older, newer } = snapshot
    if (older === undefined) this.#oldest = newer
    else older.newer = newer
    if (newer === undefined) this.#newest = older
    else newer.older = older
    snapshot.older = undefined
    snapshot.newer = undefined
    this.#count--
  }
}

function nothing(): void {}

function none(): readonly SequenceNumber[] {
  return []
}

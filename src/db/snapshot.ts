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
  #owner: SnapshotList | undefined

  /** Made by `DB.snapshot()`. @internal */
  constructor(owner: SnapshotList, sequence: SequenceNumber) {
    this.#owner = owner
    this.sequence = sequence
  }

  /** Release it. Closing twice is no error. */
  close(): void {
    this.#owner?.remove(this)
    this.#owner = undefined
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
  /** In the order in which they were taken, which is that of their sequences. */
  readonly #open = new Set<Snapshot>()
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
    this.#open.add(snapshot)
    return snapshot
  }

  remove(snapshot: Snapshot): void {
    const { oldest } = this
    this.#open.delete(snapshot)
    if (snapshot.sequence === oldest && this.oldest !== oldest) this.#onRelease()
  }

  /** What all of them read at, those of other threads too, ascending, each once. */
  get sequences(): SequenceNumber[] {
    const sequences = new Set([...this.#open].map(({ sequence }) => sequence))
    for (const sequence of this.#elsewhere()) sequences.add(sequence)
    return [...sequences].sort((a, b) => a - b)
  }

  get count(): number {
    return this.#open.size + new Set(this.#elsewhere()).size
  }

  /** Sequence of the oldest one of all threads, if any is open. */
  get oldest(): SequenceNumber | undefined {
    let oldest = this.#open.values().next().value?.sequence
    for (const sequence of this.#elsewhere()) if (oldest === undefined || sequence < oldest) oldest = sequence
    return oldest
  }

  closeAll(): void {
    for (const snapshot of [...this.#open]) snapshot.close()
  }
}

function nothing(): void {}

function none(): readonly SequenceNumber[] {
  return []
}

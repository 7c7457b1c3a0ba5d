/**
 * LevelSnapshot: an explicit snapshot of abstract-level over one of varve's. What reads from it keeps it open (abstract-level
 * counts them); closing the database closes it.
 */
import { AbstractSnapshot } from 'abstract-level'
import type { Snapshot } from '../public/index.ts'
import { LevelError } from './level-error.ts'

/** Its constructor takes the options of `_snapshot`, which its declarations do not know. */
const SnapshotBase: new (options: object) => AbstractSnapshot = AbstractSnapshot as unknown as new (
  options: object,
) => AbstractSnapshot

export class LevelSnapshot extends SnapshotBase {
  readonly #snapshot: Snapshot

  constructor(options: object, snapshot: Snapshot) {
    super(options)
    this.#snapshot = snapshot
  }

  /**
   * What a read's option `snapshot` stands for.
   * @throws LevelError if it is not one of VarveLevel's
   */
  static of(snapshot: AbstractSnapshot | undefined): Snapshot | undefined {
    if (snapshot == null) return undefined
    if (#snapshot in snapshot) return snapshot.#snapshot
    throw new LevelError('LEVEL_INVALID_ARGUMENT', 'the snapshot was not made by a VarveLevel')
  }

  async _close(): Promise<void> {
    this.#snapshot.close()
  }
}

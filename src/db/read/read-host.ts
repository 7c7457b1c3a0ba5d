/**
 * ReadHost: what lookups and scans need of a database. The engine offers it on the thread that owns the database, and
 * attached-host.ts on the others.
 *
 * A reader takes the sequence first and the layers after it, in one synchronous step: `lastSequence` brings the layers up to
 * date where others change them, and nothing else does so before the reader returns to its caller.
 */
import type { Comparator } from '../../base/comparator.ts'
import type { CopyPool } from '../../base/copy-pool.ts'
import type { Environment } from '../../base/environment.ts'
import type { Level, SequenceNumber } from '../../base/types.ts'
import type { TableCache } from '../../cache/table-cache.ts'
import type { FileMetadata } from '../../version/file-metadata.ts'
import type { Version } from '../../version/version.ts'
import type { Calls, Doing } from '../calls.ts'
import type { DamageReports } from '../reports/damage-reports.ts'
import type { SnapshotList } from '../snapshot.ts'
import type { TombstoneSink } from './db-iterator.ts'
import type { ReadState } from './read-state.ts'

/** Told what reads notice. */
export interface ReadObserver extends TombstoneSink {
  /** A lookup asked the table in vain, and then another one. */
  missed(file: FileMetadata, level: Level): void
}

export interface ReadHost {
  readonly environment: Environment
  readonly options: { readonly comparator: Comparator }
  /** Newest visible sequence; the layers are up to date then. @throws ClosedError */
  readonly lastSequence: SequenceNumber
  readonly readState: ReadState
  readonly snapshots: SnapshotList
  readonly tables: TableCache
  /** Memory of the values that leave the database. */
  readonly copies: CopyPool
  readonly hints: ReadObserver | undefined
  /** What this thread is in the midst of. */
  readonly calls: Calls
  /** Whoever finds damage tells of it here. */
  readonly damage: DamageReports
  /** Keep the tables of the version of `readState`. */
  hold(version: Version): void
  /** Once for each hold. */
  unhold(version: Version): void
  /** A call was cut off in the midst of `doing`: go on without what it may have torn. @param endScans ends those that are open */
  startAfresh(doing: Doing, endScans: () => void): void
}

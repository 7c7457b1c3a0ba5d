/**
 * What crosses between a database's thread and those that read along, once they have a handle (share-handle.ts): messages, plain data
 * and the shared memory inside it.
 */
import type { WireError } from '../../base/errors.ts'
import type { Durability, FileNumber, SequenceNumber } from '../../base/types.ts'
import type { MemTableToken } from '../../memtable/memtable-options.ts'
import type { LevelFile, LevelNumber } from '../../version/version-edit.ts'

/** A MemTable that the reader has not seen. */
export interface FreshMemTable {
  readonly id: number
  readonly token: MemTableToken
  readonly logNumber: FileNumber
  readonly firstSequence: SequenceNumber
}

/** The layers of a generation, as what they differ by from those that were posted before. */
export interface LayersMessage {
  readonly type: 'layers'
  readonly generation: number
  /** They differ from nothing. */
  readonly isWhole: boolean
  /** Ids of all MemTables, newest first. */
  readonly memtables: readonly number[]
  readonly fresh: readonly FreshMemTable[]
  readonly newFiles: readonly LevelFile[]
  readonly deletedFiles: readonly LevelNumber[]
}

/** From the owner. */
export type ToReader =
  | LayersMessage
  /** There have been changes since, and they are not sent: ask. */
  | { readonly type: 'behind' }
  | { readonly type: 'written'; readonly id: number; readonly error: WireError | undefined }
  /** What has not been answered never will be, and was not done. */
  | { readonly type: 'closed' }

/** A batch to be written. */
export interface WriteMessage {
  readonly type: 'write'
  readonly id: number
  readonly encoded: Uint8Array
  readonly rangeCount: number
  /** Default: the database's. */
  readonly durability: Durability | undefined
}

/** From a reader. */
export type ToOwner =
  | WriteMessage
  /** Answer with the layers as a whole. */
  | { readonly type: 'layers' }
  /** Something is not pinned any more. */
  | { readonly type: 'released' }

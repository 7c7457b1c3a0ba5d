/**
 * What crosses between a database's thread and those that read along: a handle, and messages. Plain data, and the shared
 * memory and the port inside it.
 */
import type { WireError } from '../base/errors.ts'
import type { Durability, FileNumber, Level, SequenceNumber } from '../base/types.ts'
import type { TransferablePort } from '../env/node-port.ts'
import type { MemTableToken } from '../memtable/memtable-options.ts'
import type { FileMetadata } from '../version/file-metadata.ts'

/** Leads one other thread to an open database: `share` makes it, `attach` uses it, once. */
export interface ShareHandle {
  /** Has to be transferred: name it in the transfer list of `new Worker` or `postMessage`. */
  readonly port: TransferablePort
  readonly directory: string
  /** Name of the comparator. */
  readonly comparator: string
  readonly bloomBitsPerKey: number | readonly number[]
  /** Shared memory: share-layout.ts. */
  readonly control: SharedArrayBuffer
  readonly reader: SharedArrayBuffer
}

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
  readonly newFiles: readonly { readonly level: Level; readonly file: FileMetadata }[]
  readonly deletedFiles: readonly { readonly level: Level; readonly number: FileNumber }[]
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

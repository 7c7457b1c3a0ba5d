/**
 * AdminOptions: what the operations on a whole database that nobody has open can be given.
 */
import type { KeyOrder } from '../base/comparator.ts'
import type { Environment } from '../base/environment.ts'

/** The progress of an operation. */
export interface AdminProgress {
  /** The file that is being processed. */
  readonly file: string
  /** Bytes processed so far, and all there are to process: 0 for a stream, whose length is unknown. */
  readonly bytes: number
  readonly totalBytes: number
}

/** Options of `verify`, `repair`, `restore` and `destroy`. */
export interface AdminOptions {
  /** The order of keys that the database was made with. Default: unsigned bytewise. */
  readonly comparator?: KeyOrder | undefined
  /** Called at most every few milliseconds. */
  readonly onProgress?: ((progress: AdminProgress) => void) | undefined
  /** Aborts the operation. */
  readonly signal?: AbortSignal | undefined
  /** Files, clock, randomness and threads. Default: Node's. */
  readonly environment?: Environment | undefined
}

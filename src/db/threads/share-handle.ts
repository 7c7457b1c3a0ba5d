/**
 * ShareHandle: by which another thread comes to an open database. A file of its own, since the public declarations lead here, and are
 * not to lead to the messages that follow.
 */
import type { TransferablePort } from '../../env/node-port.ts'

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

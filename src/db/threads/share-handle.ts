/**
 * ShareHandle: what another thread needs to attach to an open database. In a file of its own because the package's type declarations
 * refer to it, and should not pull in the messages that follow (share-messages.ts).
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

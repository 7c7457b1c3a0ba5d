/**
 * How a job writes tables. A file of its own, since the types of the database's options lead here, and are not to lead to all that jobs
 * are made of.
 */
import type { Compression } from '../table/compression.ts'

/** Plain data, so that it crosses threads. */
export interface TableFormat {
  readonly blockBytes: number
  readonly restartInterval: number
  /** 0 for no filter. */
  readonly bloomBitsPerKey: number
  readonly compression: Compression
}

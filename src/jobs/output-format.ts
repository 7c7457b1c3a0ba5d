/**
 * TableFormat: how a job writes tables. In a file of its own because the types of the database's options refer to it, and should not pull
 * in all that jobs are made of.
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

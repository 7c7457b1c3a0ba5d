/**
 * RecoveryInfo: what recovery tells of an opening. In a file of its own because the package's type declarations refer to it, and should
 * not pull in all that recovery is made of.
 */
import type { FileNumber } from '../../base/types.ts'

/** A part of a log that was not used, and why. */
export interface Discarded {
  readonly file: string
  readonly offset: number
  readonly bytes: number
  readonly reason: string
}

/** A log that opening found, and what it took from it. */
export interface ReplayedLog {
  readonly number: FileNumber
  readonly bytes: number
  readonly batches: number
  readonly entries: number
}

/** What an opening found, did and discarded. */
export interface RecoveryInfo {
  readonly created: boolean
  readonly logs: readonly ReplayedLog[]
  /** Entries replayed from the logs. */
  readonly entries: number
  /** Tables written from them. */
  readonly tablesWritten: number
  /** Bytes of logs that were not used, with the reason; empty after a clean stop. */
  readonly discarded: readonly Discarded[]
  /** Offset at which the MANIFEST's last record was cut off, if it was. */
  readonly manifestTornAt: number | undefined
  readonly lastSequence: number
  readonly durationMs: number
}

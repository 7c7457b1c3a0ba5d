/**
 * RepairReport: what `repair` did, or with dryRun would do, as plain data. What is not listed as given up is in the database.
 */
import type { Bytes } from '../base/types.ts'

/** A part of a file whose content is not in the repaired database. */
export interface GivenUp {
  readonly file: string
  /** Bytes [offset, offset + bytes) of it; of a file that is missing, 0 and 0. */
  readonly offset: number
  readonly bytes: number
  readonly reason: string
  /**
   * Whether entries may be missing because of it: values, or deletes, so that older values show again. Their keys lie from
   * `from` to `to`, both inclusive; undefined if no bound is known.
   */
  readonly losesEntries: boolean
  readonly from: Bytes | undefined
  readonly to: Bytes | undefined
}

/**
 * `kept`: as it is. `salvaged`: its sound parts are in a new table. `merged`: all of it is in new tables. `replayed`: the sound
 * records of a log are in new tables. `unused`: nothing of it is used. `missing`: it should be there.
 */
export type RepairAction = 'kept' | 'salvaged' | 'merged' | 'replayed' | 'unused' | 'missing'

/** A file of the database that was repaired, and what became of it. */
export interface RepairedFile {
  readonly name: string
  readonly action: RepairAction
  readonly entries: number
  /** Its name in `lost/`, if it was moved there. */
  readonly movedTo: string | undefined
}

/** What `repair` did, or would do. */
export interface RepairReport {
  readonly directory: string
  readonly isDryRun: boolean
  /** Whether there was, or is, anything to repair; if not, nothing is changed. */
  readonly isNeeded: boolean
  /** `kept`: the MANIFEST's levels still hold. `rebuilt`: they were lost, and the tables' own sequence numbers decide. */
  readonly levels: 'kept' | 'rebuilt'
  /** The MANIFEST that was followed, if any. */
  readonly manifest: string | undefined
  readonly files: readonly RepairedFile[]
  readonly givenUp: readonly GivenUp[]
  /** Losses that cannot be excluded, in words. */
  readonly warnings: readonly string[]
  /** Entries in tables that were kept, and in those written. */
  readonly entriesKept: number
  readonly entriesWritten: number
  readonly tablesWritten: number
  readonly lastSequence: number
  readonly durationMs: number
}

/** The report while it is being made. */
export class RepairNotes {
  readonly files: Map<string, { action: RepairAction; entries: number; movedTo: string | undefined }> = new Map()
  readonly givenUp: GivenUp[] = []
  readonly warnings: string[] = []

  file(name: string, action: RepairAction, entries: number): void {
    this.files.set(name, { action, entries, movedTo: undefined })
  }

  giveUp(
    file: string,
    { offset = 0, bytes = 0, reason }: { readonly offset?: number; readonly bytes?: number; readonly reason: string },
    losesEntries: boolean,
    from?: Bytes,
    to?: Bytes,
  ): void {
    this.givenUp.push({ file, offset, bytes, reason, losesEntries, from, to })
  }
}

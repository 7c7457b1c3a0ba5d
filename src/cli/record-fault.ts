/**
 * RecordFault: one record of what is imported cannot be used, and where it stands.
 */

export class RecordFault extends Error {
  /** Line of the input, counted from 1; for a record of several lines the one where it was noticed. */
  readonly line: number
  /** How many lines it takes: of a quote that is closed too late, many a record's. */
  readonly lineCount: number

  constructor(line: number, message: string, lineCount: number = 1) {
    super(`line ${line}: ${message}`)
    this.line = line
    this.lineCount = lineCount
  }
}

/** What to do about a record that cannot be used: throws, or returns to have it passed over. */
export type OnFault = (fault: RecordFault) => void

/** One record of the input. */
export interface SourceRecord {
  readonly line: number
  /** What templates take their fields from. */
  readonly fields: unknown
  /** The whole record as JSON. */
  readonly json: string
}

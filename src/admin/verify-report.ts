/**
 * VerifyReport: what `verify` found, as plain data.
 */
import type { FileType } from '../base/filename.ts'

/**
 * `damage`: something that was written is not there as it was. `warning`: what a crash may leave as well (a record that was
 * cut off), or what this varve cannot read. `note`: costs nothing but space.
 */
export type Severity = 'damage' | 'warning' | 'note'

/** Something that `verify` found, and where. */
export interface Finding {
  /** Name within the directory. */
  readonly file: string
  /** Where in the file, as far as it is known. */
  readonly offset: number | undefined
  readonly severity: Severity
  readonly message: string
}

/** A file that `verify` looked at, or missed. */
export interface VerifiedFile {
  readonly name: string
  readonly kind: FileType | 'foreign'
  /** Whether the database needs it. */
  readonly isLive: boolean
  readonly bytes: number
  /** Of a table: its level. */
  readonly level: number | undefined
  /** Of a table: its entries; of a log: its ops; of a manifest: its records. */
  readonly entries: number
  readonly findings: readonly Finding[]
}

/** What `verify` found. */
export interface VerifyReport {
  readonly directory: string
  /** Every file in the directory, and those that should be there. */
  readonly files: readonly VerifiedFile[]
  /** The findings of all files. */
  readonly findings: readonly Finding[]
  /** Whether any finding is damage. */
  readonly isDamaged: boolean
  /** Of all live tables and logs: old versions and tombstones count, too. */
  readonly entries: number
  readonly bytes: number
  readonly durationMs: number
}

/** A file while it is looked at. */
export class FileNotes {
  readonly name: string
  readonly kind: FileType | 'foreign'
  readonly bytes: number
  isLive = false
  level: number | undefined = undefined
  entries = 0
  readonly findings: Finding[] = []

  constructor(name: string, kind: FileType | 'foreign', bytes: number) {
    this.name = name
    this.kind = kind
    this.bytes = bytes
  }

  add(severity: Severity, message: string, offset?: number): void {
    this.findings.push({ file: this.name, offset, severity, message })
  }

  finish(): VerifiedFile {
    const { name, kind, isLive, bytes, level, entries, findings } = this
    return { name, kind, isLive, bytes, level, entries, findings }
  }
}

/**
 * WrittenTables: opens each table that a job has written, on the job's thread, before anybody installs it. That proves that the table
 * can be read. Its index and filter (table/table-outline.ts) go to the thread that reads, which then has only the file left to open.
 *
 * Order     after the table is synced and closed, before the directory is synced: what does not read back is named by no MANIFEST
 * Failures  damage fails the job, which removes the table; the next try writes another. A damaged filter does not: the table is
 *           read without it, as always. After any other error, the table counts as written; whoever reads it opens it anew.
 */
import type { Environment } from '../base/environment.ts'
import { CorruptionError } from '../base/errors.ts'
import type { FileNumber } from '../base/types.ts'
import type { TableOptions } from '../table/table-builder.ts'
import { openTableFile } from '../table/table-file.ts'
import { type OutlineOptions, outlineBytes, readOutline, type TableOutline } from '../table/table-outline.ts'
import type { FileMetadata } from '../version/file-metadata.ts'
import type { TableFormat } from './output-format.ts'

/** Takes what opening a table has yielded. */
export type Opened = (number: FileNumber, outline: TableOutline) => void

/** What a job says of the tables that it writes. */
export interface WritingJob {
  readonly directory: string
  readonly format: TableFormat
  /** Bytes of outlines that there is room for. */
  readonly outlineBytesMax: number
}

export class WrittenTables {
  readonly #directory: string
  readonly #environment: Environment
  readonly #options: OutlineOptions
  readonly #opened: Opened
  #bytesLeft: number

  /** @param options that the tables are written with */
  constructor(
    { directory, outlineBytesMax }: WritingJob,
    environment: Environment,
    { comparator, filterPolicy }: TableOptions,
    opened: Opened,
  ) {
    this.#directory = directory
    this.#environment = environment
    this.#options = { comparator, filterPolicy, codecs: environment.codecs }
    this.#opened = opened
    this.#bytesLeft = outlineBytesMax
  }

  /** @throws CorruptionError if the table is not as it was written */
  open({ number, bytes }: FileMetadata): void {
    const outline = this.#outline(number, bytes)
    if (outline === undefined) return
    this.#bytesLeft -= outlineBytes(outline)
    if (this.#bytesLeft >= 0) this.#opened(number, outline)
  }

  #outline(number: FileNumber, bytes: number): TableOutline | undefined {
    try {
      const file = openTableFile(this.#environment.files, this.#directory, number, bytes)
      try {
        return readOutline(file, this.#options)
      } finally {
        file.close()
      }
    } catch (error) {
      if (error instanceof CorruptionError) throw error
      return undefined
    }
  }
}

/**
 * TableOutput: new tables made of entries that come in internal-key order. A table ends only between two user keys, so the tables
 * of one output do not overlap. An entry that comes twice is written once.
 *
 * Order  as for a flush: table → fdatasync → close; the directory is synced once, by whoever names the tables
 */
import { closeQuietly } from '../base/close-all.ts'
import type { WritableFile } from '../base/environment.ts'
import { tableName } from '../base/filename.ts'
import { KeyCopy } from '../base/key-copy.ts'
import type { Bytes, FileNumber } from '../base/types.ts'
import { tableFormat } from '../db/options.ts'
import { tableOptions } from '../jobs/table-options.ts'
import type { EntrySink } from '../table/entry-sink.ts'
import { TableBuilder } from '../table/table-builder.ts'
import { type FileMetadata, metadataOf } from '../version/file-metadata.ts'
import type { AdminContext } from './admin-context.ts'

/** Bytes at which a table is ended. */
const TABLE_BYTES = 32 * 1024 * 1024

interface OpenTable {
  readonly number: FileNumber
  readonly file: WritableFile
  readonly builder: TableBuilder
}

export class TableOutput implements EntrySink {
  readonly #context: AdminContext
  readonly #level: number
  readonly #newNumber: () => FileNumber
  readonly #tables: FileMetadata[] = []
  #open: OpenTable | undefined = undefined
  /** The last entry's, once there is one. */
  #key: KeyCopy | undefined = undefined
  #tagLow = 0
  #tagHigh = 0

  /** @param level where the tables are going to be */
  constructor(context: AdminContext, level: number, newNumber: () => FileNumber) {
    this.#context = context
    this.#level = level
    this.#newNumber = newNumber
  }

  add(
    key: Bytes,
    keyOff: number,
    keyLen: number,
    tagLow: number,
    tagHigh: number,
    value: Bytes,
    valOff: number,
    valLen: number,
  ): void {
    const isSameKey = this.#isLast(key, keyOff, keyLen)
    if (isSameKey && tagLow === this.#tagLow && tagHigh === this.#tagHigh) return
    if (!isSameKey) {
      if (this.#open !== undefined && this.#open.builder.fileBytes >= TABLE_BYTES) this.#finishTable()
      this.#key ??= new KeyCopy()
      this.#key.take(key, keyOff, keyLen)
    }
    this.#tagLow = tagLow
    this.#tagHigh = tagHigh
    this.#open ??= this.#begin()
    this.#open.builder.add(key, keyOff, keyLen, tagLow, tagHigh, value, valOff, valLen)
  }

  /** @returns the tables, in ascending key */
  finish(): readonly FileMetadata[] {
    if (this.#open !== undefined) this.#finishTable()
    return this.#tables
  }

  /** Close what is being written: nothing will come of it. */
  abandon(): void {
    const open = this.#open
    this.#open = undefined
    if (open !== undefined) closeQuietly(() => open.file.close())
  }

  #begin(): OpenTable {
    const { files, directory, options } = this.#context
    const number = this.#newNumber()
    const file = files.createWritable(files.join(directory, tableName(number)))
    return {
      number,
      file,
      builder: new TableBuilder(
        file,
        tableOptions(tableFormat(options, this.#level), options.comparator, options.environment.codecs),
      ),
    }
  }

  #finishTable(): void {
    const { number, file, builder } = this.#open!
    builder.finish()
    file.sync()
    this.#open = undefined
    file.close()
    this.#tables.push(metadataOf(number, builder))
  }

  /** In the order of the database, in which different bytes may be one key. */
  #isLast(key: Bytes, keyOff: number, keyLen: number): boolean {
    const { comparator } = this.#context.options
    const last = this.#key
    return last !== undefined && comparator.compare(last.bytes, 0, last.length, key, keyOff, keyLen) === 0
  }
}

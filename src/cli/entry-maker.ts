/**
 * EntryMaker: from a record of the input to a key and a value, by templates, or by the shape that `export` writes.
 */
import { bytesFromJson } from './entry-json.ts'
import { UsageError } from './exit.ts'
import type { Importer } from './importer.ts'
import { parseText } from './key-text.ts'
import { type OnFault, RecordFault, type SourceRecord } from './record-fault.ts'
import { Template } from './template.ts'

export interface MakerOptions {
  readonly key?: string
  readonly value?: string
  readonly hex?: boolean
}

export class EntryMaker {
  readonly #key: Template | undefined
  readonly #value: Template | undefined
  readonly #hex: boolean

  /** @throws UsageError if a template is malformed, that of the key names no field, or there is one for the value alone */
  constructor({ key, value, hex = false }: MakerOptions) {
    if (key === undefined && value !== undefined) throw new UsageError('--value needs --key')
    this.#key = key === undefined ? undefined : new Template(key)
    this.#value = value === undefined ? undefined : new Template(value)
    if (this.#key?.hasFields === false)
      throw new UsageError(`the key of every record would be ${key || 'empty'}: name a field, as in {id}`)
    this.#hex = hex
  }

  /** Hand the record's entry to `importer`; tell `onFault` if it has none. */
  make(record: SourceRecord, onFault: OnFault, importer: Importer): void {
    try {
      if (this.#key === undefined) this.#addExported(record.fields, importer)
      else this.#addMade(this.#key, record, importer)
    } catch (error) {
      onFault(new RecordFault(record.line, (error as Error).message))
    }
  }

  #addMade(key: Template, { fields, json }: SourceRecord, importer: Importer): void {
    const keyText = parseText(key.render(fields), this.#hex)
    // Only what the user gave is hex; a whole record is JSON.
    importer.add(keyText, this.#value === undefined ? json : parseText(this.#value.render(fields), this.#hex))
  }

  #addExported(fields: unknown, importer: Importer): void {
    const { key, value } = (fields ?? {}) as { readonly key?: unknown; readonly value?: unknown }
    const [k, v] = [bytesFromJson(key), bytesFromJson(value)]
    if (k === undefined || v === undefined) {
      throw new Error('there is no key and value as export writes them; say with --key what to use as the key')
    }
    importer.add(this.#decode(k), this.#decode(v))
  }

  #decode(bytes: string | Uint8Array): string | Uint8Array {
    return typeof bytes === 'string' ? parseText(bytes, this.#hex) : bytes
  }
}

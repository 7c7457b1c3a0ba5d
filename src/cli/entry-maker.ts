/**
 * EntryMaker: from a record of the input to a key and a value, by templates, or by the shape that `export` writes.
 */
import { bytesFromJson } from './entry-json.ts'
import { UsageError } from './exit.ts'
import { parseText } from './key-text.ts'
import { type OnFault, RecordFault, type SourceRecord } from './record-fault.ts'
import { Template } from './template.ts'

export interface MakerOptions {
  readonly key?: string
  readonly value?: string
  readonly hex?: boolean
}

/** Where entries go. */
export interface EntrySink {
  /** @throws Error if key or value is nothing that the database takes */
  add(key: string | Uint8Array, value: string | Uint8Array): void
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

  /** Hand the record's entry to `sink`; tell `onFault` if it has none. */
  make(record: SourceRecord, onFault: OnFault, sink: EntrySink): void {
    try {
      if (this.#key === undefined) this.#addExported(record.fields, sink)
      else this.#addMade(this.#key, record, sink)
    } catch (error) {
      onFault(new RecordFault(record.line, (error as Error).message))
    }
  }

  #addMade(key: Template, { fields, json }: SourceRecord, sink: EntrySink): void {
    const keyText = parseText(key.render(fields), this.#hex)
    // Only what the user gave is hex; a whole record is JSON.
    sink.add(keyText, this.#value === undefined ? json : parseText(this.#value.render(fields), this.#hex))
  }

  #addExported(fields: unknown, sink: EntrySink): void {
    const { key, value } = (fields ?? {}) as { readonly key?: unknown; readonly value?: unknown }
    const [k, v] = [bytesFromJson(key), bytesFromJson(value)]
    if (k === undefined || v === undefined) {
      throw new Error('there is no key and value as export writes them; say with --key what to use as the key')
    }
    sink.add(this.#decode(k), this.#decode(v))
  }

  #decode(bytes: string | Uint8Array): string | Uint8Array {
    return typeof bytes === 'string' ? parseText(bytes, this.#hex) : bytes
  }
}

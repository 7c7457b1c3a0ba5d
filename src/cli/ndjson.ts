/**
 * Reading NDJSON: one JSON value a line, as a stream. Lines end with LF or CRLF; empty ones are passed over. Memory holds
 * one line and one chunk.
 */
import { TextDecoder } from 'node:util'
import { splitLines } from './lines.ts'
import { type OnFault, RecordFault, type SourceRecord } from './record-fault.ts'

/** @throws what onFault throws; RecordFault for a line beyond reason; errors of the source */
export async function* readNdjson(source: AsyncIterable<Buffer>, onFault: OnFault): AsyncGenerator<SourceRecord> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let line = 0
  for await (const bytes of splitLines(source)) {
    line++
    const record = parseLine(bytes, line, decoder, onFault)
    if (record !== undefined) yield record
  }
}

function parseLine(bytes: Buffer, line: number, decoder: TextDecoder, onFault: OnFault): SourceRecord | undefined {
  try {
    const json = decoder.decode(bytes).trim()
    return json === '' ? undefined : { line, fields: JSON.parse(json), json }
  } catch (error) {
    onFault(new RecordFault(line, error instanceof SyntaxError ? `not JSON: ${error.message}` : 'not UTF-8'))
    return undefined
  }
}

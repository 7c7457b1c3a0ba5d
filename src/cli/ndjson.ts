/**
 * Reading NDJSON: one JSON value a line, as a stream. Lines end with LF or CRLF; empty ones are passed over. Memory holds
 * one line and one chunk.
 *
 * Not node:readline, which also breaks lines at U+2028 and turns bad UTF-8 into U+FFFD without a word.
 */
import { TextDecoder } from 'node:util'
import { type OnFault, RecordFault, type SourceRecord } from './record-fault.ts'

/** No record that the database would take is longer, even if every byte of it is escaped. */
const MAX_LINE_BYTES = 256 * 1024 * 1024
const LF = 0x0a

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

async function* splitLines(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let pending: Buffer[] = []
  let pendingBytes = 0
  let line = 1
  for await (const chunk of source) {
    let start = 0
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      yield pendingBytes === 0 ? chunk.subarray(start, end) : Buffer.concat([...pending, chunk.subarray(start, end)])
      line++
      pending = []
      pendingBytes = 0
      start = end + 1
    }
    pending.push(chunk.subarray(start))
    pendingBytes += chunk.length - start
    if (pendingBytes > MAX_LINE_BYTES) throw new RecordFault(line, `longer than ${MAX_LINE_BYTES} bytes`)
  }
  if (pendingBytes > 0) yield Buffer.concat(pending)
}

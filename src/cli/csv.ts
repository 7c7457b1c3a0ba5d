/**
 * Reading CSV and TSV with a header line, as a stream: a record is an object of strings by column. Quoted fields may hold
 * separators, quotes and line breaks. In TSV a quote inside an unquoted field is a character like any other.
 */
import { Readable } from 'node:stream'
import { TextDecoder } from 'node:util'
import { CsvError, type Info, parse } from 'csv-parse'
import { EXIT_FAILED, ExitError } from './exit.ts'
import { type OnFault, RecordFault, type SourceRecord } from './record-fault.ts'

interface ParsedRecord {
  readonly info: Info
  readonly record: Record<string, string>
}

/**
 * @param skip whether to go on after a record that cannot be parsed, which `onFault` is told; otherwise it is thrown
 * @throws RecordFault, ExitError if the input is not UTF-8, errors of the source
 */
export async function* readCsv(
  source: AsyncIterable<Buffer>,
  delimiter: ',' | '\t',
  skip: boolean,
  onFault: OnFault,
): AsyncGenerator<SourceRecord> {
  const parser = parse({
    bom: true,
    columns: true,
    delimiter,
    info: true,
    relax_quotes: delimiter === '\t',
    skip_empty_lines: true,
    skip_records_with_error: skip,
    on_skip: (error) => {
      if (error !== undefined) onFault(faultOf(error))
      return undefined
    },
  })
  const input = Readable.from(checked(source), { objectMode: false })
  input.on('error', (error) => parser.destroy(error))
  input.pipe(parser)
  try {
    for await (const { info, record } of parser as AsyncIterable<ParsedRecord>) {
      yield { line: info.lines, fields: record, json: JSON.stringify(record) }
    }
  } catch (error) {
    throw error instanceof CsvError ? faultOf(error) : error
  } finally {
    input.destroy()
  }
}

function faultOf(error: CsvError): RecordFault {
  const line = typeof error.lines === 'number' ? error.lines : 0
  return new RecordFault(line, error.message.replace(/ (on|at) line \d+/, ''))
}

/** The chunks as they are; the parser would turn bad UTF-8 into U+FFFD without a word. */
async function* checked(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  for await (const chunk of source) {
    check(decoder, chunk)
    yield chunk
  }
  check(decoder, undefined)
}

function check(decoder: TextDecoder, chunk: Buffer | undefined): void {
  try {
    if (chunk === undefined) decoder.decode()
    else decoder.decode(chunk, { stream: true })
  } catch {
    throw new ExitError(EXIT_FAILED, 'the input is not UTF-8')
  }
}

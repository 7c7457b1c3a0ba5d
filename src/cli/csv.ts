/**
 * Reading CSV and TSV with a header line, as a stream: a record is an object of strings by column. Quoted fields may hold
 * separators, quotes and line breaks. In TSV a quote inside an unquoted field is a character like any other. Lines end with LF,
 * CRLF or CR, each as it does: the parser would take the first one's end for all, and leave the CR of others in their last fields.
 */
import { Readable } from 'node:stream'
import { TextDecoder } from 'node:util'
import { CsvError, type Info, parse } from 'csv-parse'
import { EXIT_FAILED, ExitError } from './exit.ts'
import { type OnFault, RecordFault, type SourceRecord } from './record-fault.ts'

const PARSER_OPTIONS = {
  bom: true,
  columns: checkedColumns,
  info: true,
  record_delimiter: ['\r\n', '\n', '\r'],
  skip_empty_lines: true,
  skip_records_with_error: true,
}

interface ParsedRecord {
  readonly info: Info
  readonly record: Record<string, string>
}

/**
 * A record that cannot be parsed is told to `onFault` in its place among the others, and passed over if that returns.
 * @throws what onFault throws; RecordFault if the rest cannot be parsed at all; ExitError if the input is not UTF-8, or its header
 *   names a column twice; errors of the source
 */
export async function* readCsv(
  source: AsyncIterable<Buffer>,
  delimiter: ',' | '\t',
  onFault: OnFault,
): AsyncGenerator<SourceRecord> {
  const faults: RecordFault[] = []
  const parser = parse({ ...PARSER_OPTIONS, delimiter, relax_quotes: delimiter === '\t', on_skip: skip })
  const input = Readable.from(checked(source), { objectMode: false })
  input.on('error', (error) => parser.destroy(error))
  input.pipe(parser)
  try {
    for await (const { info, record } of parser as AsyncIterable<ParsedRecord>) {
      while (faults.length > 0 && faults[0].line <= info.lines) onFault(faults.shift() as RecordFault)
      yield { line: info.lines, fields: record, json: JSON.stringify(record) }
    }
    for (const fault of faults) onFault(fault)
  } catch (error) {
    throw error instanceof CsvError ? faultOf(error) : error
  } finally {
    input.destroy()
  }

  /** The parser is ahead of those who take its records. */
  function skip(error: CsvError | undefined): undefined {
    if (error !== undefined) faults.push(faultOf(error))
  }
}

/** A record would have only the last one of two columns of one name. Columns without a name are nobody's. */
function checkedColumns(names: string[]): string[] {
  const twice = names.find((name, i) => name !== '' && names.indexOf(name) < i)
  if (twice !== undefined) throw new ExitError(EXIT_FAILED, `the header names the column ${twice} twice`)
  return names
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

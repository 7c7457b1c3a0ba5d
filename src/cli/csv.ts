/**
 * Reading CSV and TSV with a header line, as a stream: a record is an object of strings by column. Quoted fields may hold
 * separators, quotes and line breaks. In TSV a quote inside an unquoted field is a character like any other. Lines end with LF,
 * CRLF or CR, each as it does: the parser would take the first one's end for all, and leave the CR of others in their last fields.
 */
import { Readable } from 'node:stream'
import { TextDecoder } from 'node:util'
import { CsvError, type Info, parse } from 'csv-parse'
import { showPlural } from '../inspect/figures.ts'
import { EXIT_FAILED, ExitError } from './exit.ts'
import { type OnFault, RecordFault, type SourceRecord } from './record-fault.ts'

const PARSER_OPTIONS = {
  bom: true,
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
 * A record that cannot be parsed is told to `onFault` in its place among the others, and passed over if that returns. A quote that
 * is never closed is another thing: it takes all that follows, of which nobody can tell how many records they were.
 * @throws what onFault throws; RecordFault if the header or the rest cannot be parsed at all; ExitError if the input is not
 *   UTF-8, or its header names a column twice; errors of the source
 */
export async function* readCsv(
  source: AsyncIterable<Buffer>,
  delimiter: ',' | '\t',
  onFault: OnFault,
): AsyncGenerator<SourceRecord> {
  const input = { bytes: 0 }
  let last: Place = BEGINNING
  let faulty: FaultyRecord | undefined
  let open: CsvError | undefined
  const parser = parse({
    ...PARSER_OPTIONS,
    delimiter,
    relax_quotes: delimiter === '\t',
    columns,
    on_record: pass,
    on_skip: skip,
  })
  const stream = Readable.from(checked(source, input), { objectMode: false })
  stream.on('error', (error) => parser.destroy(error))
  stream.pipe(parser)
  try {
    for await (const parsed of parser as AsyncIterable<ParsedRecord | RecordFault>) {
      if (parsed instanceof RecordFault) onFault(parsed)
      else yield { line: parsed.info.lines, fields: parsed.record, json: JSON.stringify(parsed.record) }
    }
    if (faulty !== undefined) onFault(faultOf(faulty))
    if (open !== undefined) throw unclosed(open, last, input.bytes)
  } catch (error) {
    throw error instanceof CsvError ? faultOf(faultyAfter(last, error, undefined)) : error
  } finally {
    stream.destroy()
  }

  function columns(names: string[]): string[] {
    last = HEADER
    return checkedColumns(names)
  }

  function pass(parsed: ParsedRecord): ParsedRecord {
    endFaulty()
    last = parsed.info
    return parsed
  }

  /** One record may have several faults, and counts once. A header has no second try: the next line would become the header. */
  function skip(error: CsvError | undefined): undefined {
    if (error === undefined) return
    const { record } = (parser as unknown as { readonly state: { readonly record: unknown } }).state
    const isSame = faulty !== undefined && faulty.record === record
    if (!isSame) endFaulty()
    if (error.code === 'CSV_QUOTE_NOT_CLOSED') open = error
    else if (last === BEGINNING) throw error
    else if (faulty !== undefined) faulty.last = placeOf(error)
    else faulty = faultyAfter(last, error, record)
  }

  /** It goes where the records go, so that it is told in its place, and no more of them are kept than of those. */
  function endFaulty(): void {
    if (faulty === undefined) return
    parser.push(faultOf(faulty))
    last = faulty.last
    faulty = undefined
  }
}

/** A record that cannot be parsed: its first fault, and as far as it is known. */
interface FaultyRecord {
  /** What the parser has of it. */
  readonly record: unknown
  readonly error: CsvError
  readonly firstLine: number
  last: Place
}

function faultyAfter(last: Place, error: CsvError, record: unknown): FaultyRecord {
  return { record, error, firstLine: lineAfter(last, error), last: placeOf(error) }
}

function faultOf({ error, firstLine, last }: FaultyRecord): RecordFault {
  const line = Number(error.lines)
  const from = line > firstLine ? ` (its record begins at line ${firstLine})` : ''
  return new RecordFault(
    line,
    error.message.replace(/ (on|at) line \d+/, '') + from,
    Math.max(1, last.lines - firstLine + 1),
  )
}

/** Where a record ends: its last line, and how many lines up to it are empty. */
interface Place {
  readonly lines: number
  readonly empty_lines: number
}

const BEGINNING: Place = { lines: 0, empty_lines: 0 }
const HEADER: Place = { lines: 1, empty_lines: 0 }

function placeOf({ lines, empty_lines: empty }: CsvError): Place {
  return { lines: Number(lines), empty_lines: Number(empty) }
}

/** Where the record begins that is at fault: what lies between it and the last one before is empty lines. */
function lineAfter(last: Place, error: CsvError): number {
  return last.lines + placeOf(error).empty_lines - last.empty_lines + 1
}

function unclosed(error: CsvError, last: Place, inputBytes: number): RecordFault {
  const rest = showPlural(inputBytes - Number(error.bytes), 'byte')
  return new RecordFault(
    lineAfter(last, error),
    `a quote of the record that begins here is never closed: the last ${rest} cannot be read`,
  )
}

/** A record would have only the last one of two columns of one name. Columns without a name are nobody's. */
function checkedColumns(names: string[]): string[] {
  const twice = names.find((name, i) => name !== '' && names.indexOf(name) < i)
  if (twice !== undefined) throw new ExitError(EXIT_FAILED, `the header names the column ${twice} twice`)
  return names
}

/** The chunks as they are; the parser would turn bad UTF-8 into U+FFFD without a word. */
async function* checked(source: AsyncIterable<Buffer>, input: { bytes: number }): AsyncGenerator<Buffer> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  for await (const chunk of source) {
    check(decoder, chunk)
    input.bytes += chunk.length
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

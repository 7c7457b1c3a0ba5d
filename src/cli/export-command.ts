/**
 * `varve export`: the entries of a range as NDJSON or TSV, for programs. Either is read back by `import` without loss.
 *
 * TSV   a header line `key<tab>value`; a field that holds a tab, a line break or a quote stands in double quotes, with its own
 *       quotes doubled, as in CSV
 */
import { type Command, Option } from 'commander'
import { showBytesCount } from '../inspect/figures.ts'
import { decodeText, quoteBytes } from '../inspect/render-bytes.ts'
import { databaseCommand } from './database-command.ts'
import { bytesToJson } from './entry-json.ts'
import { EXIT_FAILED, ExitError } from './exit.ts'
import { showText } from './key-text.ts'
import type { Output } from './output.ts'
import { addRangeOptions, type RangeOptions, scanOptionsOf } from './range.ts'
import { withRange } from './with-database.ts'

type Format = 'ndjson' | 'tsv'

/** Of bytes that an error names. */
const SHOWN_BYTES = 60

interface Options extends RangeOptions {
  readonly format: Format
}

type Line = (key: Uint8Array, value: Uint8Array) => string

export function addExportCommand(program: Command, output: Output): void {
  const command = databaseCommand(program, 'export')
    .summary('print the entries of a range for a program to read')
    .description(
      'Print the entries of a range so that import can read them back without loss. NDJSON has one object {"key":…,"value":…} per ' +
        'line: strings where the bytes are UTF-8, else {"base64":"…"}. TSV has a header line; bytes that are not UTF-8 need --hex.',
    )
  addRangeOptions(command)
    .addOption(new Option('--format <format>', 'format of the output').choices(['ndjson', 'tsv']).default('ndjson'))
    .action((dir, _, self) => exportEntries(dir, self.optsWithGlobals(), output))
}

async function exportEntries(directory: string, options: Options, output: Output): Promise<void> {
  const range = scanOptionsOf(options)
  const hex = options.hex ?? false
  const line = options.format === 'tsv' ? tsvLine(hex) : jsonLine(hex)
  await withRange(directory, range, async (db) => {
    if (options.format === 'tsv') await output.write('key\tvalue\n')
    for await (const [key, value] of db.scan(range)) await output.write(lineOf(line, key, value))
    await output.flush()
  })
}

/** @throws ExitError if the entry fits into no string, and so into no line that import could read */
function lineOf(line: Line, key: Uint8Array, value: Uint8Array): string {
  try {
    return line(key, value)
  } catch (error) {
    if (error instanceof ExitError) throw error
    const bytes = key.length + value.length
    throw new ExitError(EXIT_FAILED, `an entry of ${showBytesCount(bytes)} is too long for a line: use backup`)
  }
}

function jsonLine(hex: boolean): Line {
  const toJson = hex ? (bytes: Uint8Array) => showText(bytes, true) : bytesToJson
  return (key, value) => `${JSON.stringify({ key: toJson(key), value: toJson(value) })}\n`
}

function tsvLine(hex: boolean): Line {
  const field = hex ? (bytes: Uint8Array) => showText(bytes, true) : tsvField
  return (key, value) => `${field(key)}\t${field(value)}\n`
}

function tsvField(bytes: Uint8Array): string {
  const text = decodeText(bytes)
  if (text === undefined) {
    const shown = quoteBytes(bytes, 0, bytes.length, { hex: false, maxBytes: SHOWN_BYTES })
    throw new ExitError(EXIT_FAILED, `${shown} is not UTF-8: use --format ndjson, or --hex`)
  }
  return /[\t\n\r"]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/**
 * `varve import`: the records of a file or of stdin, as entries. Everything streams: memory holds one chunk of the input and
 * one batch. Batches are written one after another, so what is in the database after a failure is a prefix of the input.
 */
import { extname } from 'node:path'
import { type Command, Option } from 'commander'
import { showBytesCount, showCount, showPlural } from '../inspect/figures.ts'
import type { DB, Durability } from '../public/index.ts'
import { readCsv } from './csv.ts'
import { databaseCommand } from './database-command.ts'
import { EntryMaker } from './entry-maker.ts'
import { Importer } from './importer.ts'
import { type Input, openInput } from './input.ts'
import { readNdjson } from './ndjson.ts'
import { durabilityOption, parsePositive } from './option-values.ts'
import { Progress } from './progress.ts'
import type { OnFault, SourceRecord } from './record-fault.ts'
import { withDatabase } from './with-database.ts'

type Format = 'ndjson' | 'csv' | 'tsv'

interface Options {
  readonly key?: string
  readonly value?: string
  readonly format?: Format
  readonly batch: number
  readonly durability: Durability
  readonly writeBufferBytes?: number
  readonly skipInvalid?: boolean
  readonly hex?: boolean
}

export function addImportCommand(program: Command): void {
  databaseCommand(program, 'import')
    .summary('write the records of a file, or of stdin')
    .description(
      'Write the records of a file, or of stdin, as entries. Key and value are templates: {name} stands for a field of the record, ' +
        '{a.b} for a nested field, {{ and }} for braces. Without --key, the records are expected as export writes them, with ' +
        'fields key and value. CSV and TSV have a header line. Creates the database if there is none.',
    )
    .argument('[file]', 'the records; - for stdin', '-')
    .option('--key <template>', 'the key, for example {country}/{name}')
    .option('--value <template>', 'the value (default: the whole record as JSON)')
    .addOption(
      new Option('--format <format>', "format of the records (default: by the file's name, else ndjson)").choices([
        'ndjson',
        'csv',
        'tsv',
      ]),
    )
    .option('--batch <n>', 'records written at once', parsePositive, 1000)
    .option('--skip-invalid', 'skip and count records that cannot be used')
    .addOption(durabilityOption())
    .option('--write-buffer-bytes <n>', 'size at which a MemTable is flushed', parsePositive)
    .action((dir, file, _, command) => importFile(dir, file, command.optsWithGlobals()))
}

async function importFile(directory: string, file: string, options: Options): Promise<void> {
  const maker = new EntryMaker(options)
  const input = openInput(file)
  const { writeBufferBytes } = options
  await withDatabase(directory, { writeBufferBytes }, (db) =>
    importRecords(db, input, options.format ?? formatOf(file), maker, options),
  )
}

function formatOf(file: string): Format {
  const extension = extname(file).toLowerCase()
  if (extension === '.csv') return 'csv'
  return extension === '.tsv' || extension === '.tab' ? 'tsv' : 'ndjson'
}

async function importRecords(db: DB, input: Input, format: Format, maker: EntryMaker, options: Options): Promise<void> {
  const skip = options.skipInvalid ?? false
  const skipped = { records: 0, lines: 0 }
  const onFault: OnFault = (fault) => {
    if (!skip) throw fault
    skipped.records++
    skipped.lines += fault.lineCount
  }
  const importer = new Importer(db, options.batch, options.durability)
  const progress = new Progress({ show: (count) => showPlural(count, 'record'), totalBytes: input.bytes })
  const counter = { bytes: 0 }
  try {
    const records = readRecords(counted(input.open(), counter), format, onFault)
    for await (const record of records) {
      maker.make(record, onFault, importer)
      if (importer.isFull) {
        await importer.write()
        progress.update(importer.records, counter.bytes)
      }
    }
    await importer.write()
  } catch (error) {
    throw await importer.finishBefore(error)
  } finally {
    progress.stop()
  }
  process.stderr.write(summary(importer, progress.elapsedMs, skipped))
}

function readRecords(source: AsyncIterable<Buffer>, format: Format, onFault: OnFault): AsyncIterable<SourceRecord> {
  if (format === 'ndjson') return readNdjson(source, onFault)
  return readCsv(source, format === 'csv' ? ',' : '\t', onFault)
}

async function* counted(stream: NodeJS.ReadableStream, counter: { bytes: number }): AsyncGenerator<Buffer> {
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    counter.bytes += chunk.length
    yield chunk
  }
}

interface Skipped {
  readonly records: number
  readonly lines: number
}

function summary({ records, bytes }: Importer, elapsedMs: number, skipped: Skipped): string {
  const seconds = elapsedMs / 1000
  const figures = `${showPlural(records, 'record')}, ${showBytesCount(bytes)} in ${seconds.toFixed(1)} s`
  const rate = `${showCount(Math.round(records / seconds))}/s`
  if (skipped.records === 0) return `imported ${figures} (${rate})\n`
  const lines = skipped.lines > skipped.records ? `, of ${showPlural(skipped.lines, 'line')}` : ''
  return `imported ${figures} (${rate}); skipped ${showPlural(skipped.records, 'invalid record')}${lines}\n`
}

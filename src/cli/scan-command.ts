/**
 * `varve scan`: the entries of a range, for people. What must be read back goes through `export`.
 */
import { type Command, Option } from 'commander'
import type { DB, ScanOptions } from '../public/index.ts'
import { databaseCommand } from './database-command.ts'
import { showText } from './key-text.ts'
import type { Output } from './output.ts'
import { addRangeOptions, type RangeOptions, scanOptionsOf } from './range.ts'
import { withRange } from './with-database.ts'

interface Options extends RangeOptions {
  readonly keys?: boolean
  readonly values?: boolean
}

export function addScanCommand(program: Command, output: Output): void {
  const command = databaseCommand(program, 'scan')
    .summary('print the entries of a range, in key order')
    .description(
      'Print the entries of a range in key order, one a line: key, tab, value. What is not printable UTF-8 is printed as 0x and hex; ' +
        'use export for what a program is to read.',
    )
  addRangeOptions(command)
    .addOption(new Option('--keys', 'only keys').conflicts('values'))
    .option('--values', 'only values')
    .action((dir, _, self) => scan(dir, self.optsWithGlobals(), output))
}

async function scan(directory: string, options: Options, output: Output): Promise<void> {
  const range = scanOptionsOf(options)
  await withRange(directory, range, async (db) => {
    for await (const line of lines(db, range, options)) await output.write(line)
    await output.flush()
  })
}

async function* lines(db: DB, range: ScanOptions, { keys, values, hex = false }: Options): AsyncGenerator<string> {
  if (keys) {
    for await (const key of db.keys(range)) yield `${showText(key, hex)}\n`
  } else if (values) {
    for await (const value of db.values(range)) yield `${showText(value, hex)}\n`
  } else {
    for await (const [key, value] of db.scan(range)) yield `${showText(key, hex)}\t${showText(value, hex)}\n`
  }
}

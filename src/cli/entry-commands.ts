/**
 * The commands for one entry, get, put and del, and del-range for those of a range.
 */
import type { Command } from 'commander'
import type { Durability } from '../public/index.ts'
import { databaseCommand } from './database-command.ts'
import { EXIT_MISSING, ExitError, UsageError } from './exit.ts'
import { parseText, showText } from './key-text.ts'
import { durabilityOption } from './option-values.ts'
import type { Output } from './output.ts'
import { addPrefixOption, type EndsOptions, endsOf } from './range.ts'
import { withDatabase, withReader } from './with-database.ts'

interface EntryOptions {
  readonly hex?: boolean
  readonly raw?: boolean
  readonly durability: Durability
}

export function addEntryCommands(program: Command, output: Output): void {
  databaseCommand(program, 'get')
    .summary('print the value of a key')
    .description(
      `Print the value of a key, unchanged, and a line feed. Exit code ${EXIT_MISSING} if there is no such key.`,
    )
    .argument('<key>')
    .option('--raw', 'no line feed after the value')
    .action((dir, key, _, command) => get(dir, key, command.optsWithGlobals(), output))
  databaseCommand(program, 'put')
    .summary('set a key to a value')
    .description('Set a key to a value. Creates the database if there is none.')
    .argument('<key>')
    .argument('<value>')
    .addOption(durabilityOption())
    .action((dir, key, value, _, command) => put(dir, key, value, command.optsWithGlobals()))
  databaseCommand(program, 'del')
    .summary('delete a key')
    .description('Delete a key, whether or not it exists.')
    .argument('<key>')
    .addOption(durabilityOption())
    .action((dir, key, _, command) => del(dir, key, command.optsWithGlobals()))
  addPrefixOption(databaseCommand(program, 'del-range'))
    .summary('delete the keys of a range')
    .description('Delete every key from <start>, inclusive, to <end>, exclusive, in one write.')
    .argument('[start]')
    .argument('[end]')
    .addOption(durabilityOption())
    .action((dir, start, end, _, command) => delRange(dir, start, end, command.optsWithGlobals()))
}

async function get(directory: string, keyText: string, options: EntryOptions, output: Output): Promise<void> {
  const hex = options.hex ?? false
  const key = parseText(keyText, hex)
  const value = await withReader(directory, (db) => db.get(key))
  if (value === undefined) throw new ExitError(EXIT_MISSING, `there is no key ${keyText} in ${directory}`)
  await output.write(hex ? showText(value, true) : value)
  if (!options.raw) await output.write('\n')
}

// One write is not worth starting a worker thread for.
const ONE_WRITE = { workers: 0 }
const ONE_DELETE = { ...ONE_WRITE, createIfMissing: false }

async function put(directory: string, keyText: string, valueText: string, options: EntryOptions): Promise<void> {
  const { hex = false, durability } = options
  const key = parseText(keyText, hex)
  const value = parseText(valueText, hex)
  await withDatabase(directory, ONE_WRITE, (db) => db.put(key, value, { durability }))
}

async function del(directory: string, keyText: string, options: EntryOptions): Promise<void> {
  const { hex = false, durability } = options
  const key = parseText(keyText, hex)
  await withDatabase(directory, ONE_DELETE, (db) => db.delete(key, { durability }))
}

async function delRange(
  directory: string,
  startText: string | undefined,
  endText: string | undefined,
  options: EntryOptions & EndsOptions,
): Promise<void> {
  const { durability } = options
  const [start, end] = endsOf(startText, endText, options)
  if (start === undefined || end === undefined) throw new UsageError('give <start> and <end>, or --prefix')
  await withDatabase(directory, ONE_DELETE, (db) => db.deleteRange(start, end, { durability }))
}

/**
 * The command line as a whole: commands, global options, help.
 */
import { Command } from 'commander'
import { addCopyCommands } from './copy-commands.ts'
import { addDumpCommand } from './dump-command.ts'
import { addEntryCommands } from './entry-commands.ts'
import { EXIT_HELP } from './exit.ts'
import { addExplainCommand } from './explain-command.ts'
import { addExportCommand } from './export-command.ts'
import { addHelpCommand } from './help-command.ts'
import { addImportCommand } from './import-command.ts'
import { addMemTableCommand } from './memtable-command.ts'
import type { Output } from './output.ts'
import { addScanCommand } from './scan-command.ts'
import { addStatsCommand } from './stats-command.ts'
import { addVerifyCommands } from './verify-command.ts'

/** @returns a program that throws CommanderError instead of ending the process, and prints no errors itself */
export function createProgram(version: string, output: Output): Command {
  const program = new Command('varve')
    .description('Read, change, check and repair varve and LevelDB databases.')
    .option('--hex', 'keys and values are hex, in arguments and in the output')
    .version(version, '--version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .addHelpText('after', EXIT_HELP)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: () => {} })
    .exitOverride()
  addEntryCommands(program, output)
  addScanCommand(program, output)
  addImportCommand(program)
  addExportCommand(program, output)
  addStatsCommand(program, output)
  addExplainCommand(program, output)
  addDumpCommand(program, output)
  addVerifyCommands(program, output)
  addCopyCommands(program, output)
  addMemTableCommand(program, output)
  addHelpCommand(program)
  return program
}

/**
 * `varve help` and `varve memtable help`: as commander's own, but an unknown command is refused, not answered with the whole help.
 */
import type { Command } from 'commander'
import { UsageError } from './exit.ts'

/** Once all other commands are there. */
export function addHelpCommand(parent: Command): void {
  parent
    .helpCommand(false)
    .command('help')
    .description('print help for a command')
    .argument('[command]')
    .action((name) => {
      const command = name === undefined ? parent : parent.commands.find((candidate) => candidate.name() === name)
      if (command === undefined) throw new UsageError(`unknown command '${name}'`)
      command.help()
    })
}

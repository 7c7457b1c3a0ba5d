/**
 * DatabaseCommand: a command whose first argument is a database.
 */
import type { Command } from 'commander'

export function databaseCommand(program: Command, name: string): Command {
  return program.command(name).argument('<dir>', 'directory of the database')
}

/**
 * Datadriven tests whose commands take time: every command is run first, in file order, and awaited; the answers are then
 * compared, or rewritten, by the datadriven runner.
 */
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { type Command, parseDatadriven, runDatadriven } from '../support/datadriven.ts'
import { repository } from '../support/paths.ts'

/** As runDatadriven, with a handler that answers later. */
export async function runTranscript(path: string, handler: (command: Command) => Promise<string>): Promise<void> {
  const answers = new Map<string, string>()
  for (const part of parseDatadriven(readFileSync(path, 'utf8'), relative(repository(), path))) {
    if (typeof part !== 'string') answers.set(part.command.place, await handler(part.command))
  }
  runDatadriven(path, (command) => answers.get(command.place) ?? '')
}

/**
 * `varve explain`: how a lookup of a key goes. The database is opened for reading, so it may be open elsewhere: what is in its logs
 * appears as MemTables, and nothing is cached.
 */
import type { Command } from 'commander'
import { renderExplanation } from '../inspect/explain-view.ts'
import { databaseCommand } from './database-command.ts'
import { reportToJson } from './entry-json.ts'
import { parseText } from './key-text.ts'
import type { Output } from './output.ts'
import { withReader } from './with-database.ts'

interface ExplainOptions {
  readonly hex?: boolean
  readonly json?: boolean
}

export function addExplainCommand(program: Command, output: Output): void {
  databaseCommand(program, 'explain')
    .summary('show where a key is, and how it is found')
    .description(
      'Show how a lookup of a key goes: which MemTables and tables it asks, newest first, where in them, what their filters say, and ' +
        'every version of the key that lies there.',
    )
    .argument('<key>')
    .option('--json', 'as JSON')
    .action((dir, key, _, command) => explain(dir, key, command.optsWithGlobals(), output))
}

async function explain(directory: string, keyText: string, options: ExplainOptions, output: Output): Promise<void> {
  const key = parseText(keyText, options.hex ?? false)
  const explanation = await withReader(directory, (db) => db.explain(key))
  const lines = options.json ? [reportToJson(explanation)] : renderExplanation(keyText, explanation)
  for (const line of lines) await output.write(`${line}\n`)
}

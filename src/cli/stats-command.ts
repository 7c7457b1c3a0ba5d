/**
 * `varve stats`: the layers of a database, as a picture or as JSON. The database is opened for reading, so it may be open
 * elsewhere: what is in its logs appears as frozen MemTables.
 */
import type { Command } from 'commander'
import { renderLayers } from '../inspect/lsm-view.ts'
import type { Stats } from '../public/index.ts'
import { databaseCommand } from './database-command.ts'
import { reportToJson } from './entry-json.ts'
import type { Output } from './output.ts'
import { withDatabase } from './with-database.ts'

const MAX_COLUMNS = 120

export function addStatsCommand(program: Command, output: Output): void {
  databaseCommand(program, 'stats')
    .summary('show the layers of a database')
    .description('Show what a database consists of: MemTables, logs and tables, newest on top.')
    .option('--json', 'as JSON')
    .action((dir, options) => stats(dir, options.json ?? false, output))
}

async function stats(directory: string, json: boolean, output: Output): Promise<void> {
  const figures = await withDatabase(directory, { readOnly: true }, async (db) => db.stats())
  await output.write(`${json ? reportToJson(figures) : picture(figures)}\n`)
}

function picture(figures: Stats): string {
  const { stdout } = process
  // A terminal that does not know its width says 0.
  const width = Math.min(MAX_COLUMNS, stdout.columns || 80)
  return renderLayers(figures, { width, color: stdout.isTTY && stdout.hasColors() })
}

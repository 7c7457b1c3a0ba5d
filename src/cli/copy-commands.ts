/**
 * `varve checkpoint`, `backup`, `restore`, `compact` and `destroy`: databases as wholes.
 */
import { addAbortSignal, type Readable } from 'node:stream'
import type { Command } from 'commander'
import { showBytesCount, showPlural } from '../inspect/figures.ts'
import { type AdminProgress, type DB, destroy, restore } from '../public/index.ts'
import { databaseCommand } from './database-command.ts'
import { EXIT_FAILED, ExitError, isClosedPipe, UsageError } from './exit.ts'
import { openInput } from './input.ts'
import { interruptible } from './interruption.ts'
import type { Output } from './output.ts'
import { Progress } from './progress.ts'
import { addPrefixOption, type Ends, endsOf } from './range.ts'
import { withDatabase } from './with-database.ts'

const EXISTING = { createIfMissing: false }

export function addCopyCommands(program: Command, output: Output): void {
  databaseCommand(program, 'checkpoint')
    .summary('copy a database to another directory')
    .description(
      'Copy a database to another directory. The copy is a database of its own. Tables are hard-linked where possible.',
    )
    .argument('<target>', 'directory that does not exist, or is empty')
    .action((dir, target) => checkpointDatabase(dir, target))
  databaseCommand(program, 'backup')
    .summary('write a database to stdout, as one stream')
    .description(
      'Write a database to stdout, as one stream with checksums that restore can read: varve backup data > data.backup',
    )
    .action((dir) => backupDatabase(dir, output))
  program
    .command('restore')
    .summary('create a database from a backup')
    .description('Create a database from a backup. A backup that is damaged or incomplete creates none.')
    .argument('<file>', 'the backup; - for stdin')
    .argument('<dir>', 'directory that does not exist, or is empty')
    .action((file, dir) => restoreDatabase(file, dir))
  addPrefixOption(databaseCommand(program, 'compact'))
    .summary('merge tables, and free the space of what was deleted')
    .description(
      'Merge the tables of a database, or those with keys from <start> to <end>, so that what was overwritten or deleted takes no ' +
        'space. Meanwhile needs as much free space as the tables take. Writes tables with the default options: snappy, and ' +
        'filters of 10 bits per key.',
    )
    .argument('[start]', 'first key (default: that of the database)')
    .argument('[end]', 'last key (default: that of the database)')
    .action((dir, start, end, _, command) => compactDatabase(dir, endsOf(start, end, command.optsWithGlobals())))
  databaseCommand(program, 'destroy')
    .summary('remove a database')
    .description('Remove the files of a database from its directory. Other files stay, as do lost and LOCK.')
    .option('--yes', 'really do it')
    .action((dir, options) => destroyDatabase(dir, options.yes ?? false))
}

async function checkpointDatabase(directory: string, target: string): Promise<void> {
  const info = await interruptible((signal) =>
    withDatabase(directory, EXISTING, (db) => db.checkpoint(target, { signal })),
  )
  const { tables, tableBytes, logs, logBytes } = info
  const figures = `${showPlural(tables, 'table')}, ${showPlural(logs, 'log')}, ${showBytesCount(tableBytes + logBytes)}`
  process.stderr.write(`${target}: ${figures}\n`)
}

async function backupDatabase(directory: string, output: Output): Promise<void> {
  if (process.stdout.isTTY) throw new UsageError('a backup cannot go to a terminal: send stdout to a file or a pipe')
  try {
    await withDatabase(directory, EXISTING, async (db) => {
      // Nothing is in memory of a database that has just been opened.
      const progress = new Progress({ show: showBytesCount, totalBytes: tableBytes(db) })
      let bytes = 0
      try {
        for await (const chunk of db.backup()) {
          await output.write(chunk)
          bytes += chunk.length
          progress.update(bytes)
        }
        await output.flush()
      } finally {
        progress.stop()
      }
    })
  } catch (error) {
    // Elsewhere a reader has seen enough; here it has not got what it needs.
    if (isClosedPipe(error)) throw new ExitError(EXIT_FAILED, 'the backup is incomplete: its reader has gone')
    throw error
  }
}

async function restoreDatabase(file: string, directory: string): Promise<void> {
  const input = openInput(file)
  const progress = new Progress({ show: showBytesCount, totalBytes: input.bytes })
  const onProgress = ({ bytes }: AdminProgress): void => progress.update(bytes)
  const { files, bytes } = await interruptible((signal) => {
    const source = addAbortSignal(signal, input.open() as Readable)
    return restore(source, directory, { signal, onProgress }).finally(() => progress.stop())
  })
  process.stderr.write(`${directory}: ${showPlural(files, 'file')}, ${showBytesCount(bytes)}\n`)
}

async function compactDatabase(directory: string, [start, end]: Ends): Promise<void> {
  if (start !== undefined && end !== undefined && Buffer.from(start).compare(Buffer.from(end)) > 0) {
    throw new UsageError('<start> must not sort after <end>')
  }
  const [before, after] = await interruptible((signal) =>
    withDatabase(directory, EXISTING, async (db) => {
      const figures = tableFigures(db)
      // What is to be merged, level by level, shows only as it goes on.
      const progress = new Progress({ show: showBytesCount })
      db.on('compaction', () => progress.update(db.stats().compactedBytes))
      await db.compactRange(start, end, { signal }).finally(() => progress.stop())
      return [figures, tableFigures(db)]
    }),
  )
  process.stderr.write(`${directory}: ${after}; before, ${before}\n`)
}

function tableFigures(db: DB): string {
  return `${showPlural(db.stats().tables.length, 'table')}, ${showBytesCount(tableBytes(db))}`
}

function tableBytes(db: DB): number {
  return db.stats().tables.reduce((sum, { bytes }) => sum + bytes, 0)
}

async function destroyDatabase(directory: string, isMeant: boolean): Promise<void> {
  if (!isMeant) throw new UsageError(`destroy removes ${directory} for good: say --yes if you mean it`)
  const { removed } = await destroy(directory)
  process.stderr.write(`${directory}: removed ${showPlural(removed.length, 'file')}\n`)
}

/**
 * `varve dump`: every byte string that a file holds, or all files of a directory. Opens no database and takes no lock;
 * changes nothing; shows what is broken, and goes on.
 */
import { realpathSync } from 'node:fs'
import { basename } from 'node:path'
import type { Command } from 'commander'
import { databaseFiles } from '../inspect/directory-listing.ts'
import { dumpFile } from '../inspect/file-dump.ts'
import type { BytesStyle } from '../inspect/render-bytes.ts'
import { type Environment, nodeEnvironment, VarveError } from '../public/index.ts'
import { EXIT_FAILED, ExitError } from './exit.ts'
import { parsePositive } from './option-values.ts'
import type { Output } from './output.ts'

const SHOWN_BYTES = 60

export function addDumpCommand(program: Command, output: Output): void {
  program
    .command('dump')
    .summary('show a file of a database, record by record')
    .description(
      'Show a log, table, manifest or other file of a database, or all files of its directory, record by record. Changes nothing. ' +
        'If a part is damaged, says so, and continues after it.',
    )
    .argument('<path>', 'a file, or the directory of a database')
    .option('--bytes <n>', 'how many bytes of a key or value to show', parsePositive, SHOWN_BYTES)
    .action((path, _, command) => dump(path, command.optsWithGlobals(), output))
}

async function dump(path: string, options: { hex?: boolean; bytes: number }, output: Output): Promise<void> {
  const environment = nodeEnvironment()
  const { files } = environment
  const style = { hex: options.hex ?? false, maxBytes: options.bytes }
  const real = resolve(path)
  if (files.status(real)?.kind !== 'directory') {
    for (const line of dumpPath(environment, real, basename(path), style)) await output.write(line)
    return output.flush()
  }
  const names = databaseFiles(files.list(real))
  if (names.length === 0) throw new ExitError(EXIT_FAILED, `${path} has no database file`)
  for (const name of names) {
    for (const line of dumpOrComplain(environment, files.join(real, name), name, style)) await output.write(line)
  }
  await output.flush()
}

/** The engine follows no symbolic link; whoever names one here means what it points at. */
function resolve(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    throw new ExitError(EXIT_FAILED, `${path} does not exist, or cannot be accessed`)
  }
}

function* dumpPath({ files, codecs }: Environment, path: string, name: string, style: BytesStyle): Generator<string> {
  const file = files.openRandomAccess(path)
  try {
    for (const line of dumpFile(file, name, style, codecs)) yield `${line}\n`
  } finally {
    file.close()
  }
}

/** One of several files: one that cannot be read does not keep the others from being shown. */
function* dumpOrComplain(environment: Environment, path: string, name: string, style: BytesStyle): Generator<string> {
  try {
    yield* dumpPath(environment, path, name, style)
  } catch (error) {
    if (!(error instanceof VarveError)) throw error
    yield `${name}: ${error.message}\n`
  }
}
